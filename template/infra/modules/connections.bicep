// The workspace's own identity in a private network: it approves the private endpoints through
// which the managed network reaches these resources, and looks up those to the storage, without
// which the studio shows no data. Azure does not give it these rights by itself.

param principalId string

@description('Of modules/network.bicep.')
param networkName string

param workspaceName string
param vaultName string
param containerRegistryName string
param workspaceAccountName string
param lakeAccountName string

// Azure AI Enterprise Network Connection Approver, and Reader
var approverRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'b556d68e-0be0-4f35-a333-ad7ee1ce17ea'
)
var readerRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'acdd72a7-3385-48ef-bd42-f606fba81ae7'
)
var approving = {
  principalId: principalId
  principalType: 'ServicePrincipal'
  roleDefinitionId: approverRoleId
}
var storageEndpoints = ['workspace-blob', 'workspace-file', 'lake-blob', 'lake-dfs']

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' existing = {
  name: workspaceName
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
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

resource endpoints 'Microsoft.Network/privateEndpoints@2025-05-01' existing = [
  for target in storageEndpoints: {
    name: 'pe-${networkName}-${target}'
  }
]

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

resource onEndpoints 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (target, index) in storageEndpoints: {
    name: guid(endpoints[index].id, principalId, readerRoleId)
    scope: endpoints[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: readerRoleId
    }
  }
]
