"""Azure's roles that infra/ gives, and the project's own, by their numbers.

The numbers are those of https://learn.microsoft.com/azure/role-based-access-control/built-in-roles.
"""

from tools.bicep import SUBSCRIPTION, guid

AZURE_ROLES = {
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "8311e382-0749-4cb8-b61a-304f252e45ec": "AcrPush",
    "1823dd4f-9b8c-4ab6-ab4e-7397a3684615": "AzureML Registry User",
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": "AzureML Data Scientist",
    "635dd51f-9968-44d3-b7fb-6d9a6bd613ae": "AzureML Metrics Writer",
    "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "b556d68e-0be0-4f35-a333-ad7ee1ce17ea": "Azure AI Enterprise Network Connection Approver",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
OWN_ROLES = (
    *("endpoint-operator", "endpoint-deployer", "endpoint-watcher", "endpoint-reader"),
    *("endpoint-caller", "registry-reader", "infrastructure-plan"),
    *("traffic-mover", "audit-writer"),
)


def own_roles(slug: str, subscription: str = SUBSCRIPTION) -> dict[str, str]:
    """Return the roles that modules/roles.bicep makes in a subscription, by number."""
    return {guid(f"/subscriptions/{subscription}", slug, each): each for each in OWN_ROLES}
