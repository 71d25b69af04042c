// The workspace's own identity approves the private endpoints through which its managed network
// reaches these resources. Azure does not give it that right by itself.

param principalId string
param workspaceName string
param keyVaultName string
param containerRegistryName string
param workspaceAccountName string
param lakeAccountName string

// Azure AI Enterprise Network Connection Approver
var approverRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'b556d68e-0be0-4f35-a333-ad7ee1ce17ea'
)
var approving = {
  principalId: principalId
  principalType: 'ServicePrincipal'
  roleDefinitionId: approverRoleId
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' existing = {
  name: workspaceName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: keyVaultName
}

resource images 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: containerRegistryName
}

resource workspaceStorage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: workspaceAccountName
}

resource lake 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: lakeAccountName
}

resource onWorkspace 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, principalId, approverRoleId)
  scope: workspace
  properties: approving
}

resource onVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, approverRoleId)
  scope: vault
  properties: approving
}

resource onImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(images.id, principalId, approverRoleId)
  scope: images
  properties: approving
}

resource onWorkspaceStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspaceStorage.id, principalId, approverRoleId)
  scope: workspaceStorage
  properties: approving
}

resource onLake 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(lake.id, principalId, approverRoleId)
  scope: lake
  properties: approving
}
