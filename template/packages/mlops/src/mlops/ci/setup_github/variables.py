"""The variables that the workflows read."""

PLATFORM = "MLOPS_PLATFORM"
TENANT_ID = "AZURE_TENANT_ID"
SUBSCRIPTION_ID = "AZURE_SUBSCRIPTION_ID"
VARIABLES = {
    PLATFORM: "where the steps run; not set: local, on the runner, as a rehearsal",
    TENANT_ID: "whom Azure asks who a job is",
    SUBSCRIPTION_ID: "the subscription that holds the resources",
    "MLOPS_RUNNER": "the label of a runner of your own; not set: GitHub's machines",
    "MLOPS_CHECKS_RUNNER": "the label of another one, for checks; not set: GitHub's machines",
    "CODECOV": "true sends the tests' coverage to Codecov",
    "MLOPS_ATTEST": "true attests each version by GitHub, and checks that before a release",
    "MLOPS_AUDIT_BRANCH": "true keeps the audit log on a branch, where the platform is local",
}
"""Those of the whole repository, with what each says."""

CLIENT_ID = "AZURE_CLIENT_ID"
"""The one that every environment has of its own: as whom its jobs sign in to Azure."""
