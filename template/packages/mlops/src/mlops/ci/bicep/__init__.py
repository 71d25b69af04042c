"""`mlops ci bicep`: what Microsoft's compiler says of infra/."""
