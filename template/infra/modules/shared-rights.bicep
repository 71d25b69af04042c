// Reading the identities of this group, to which main.bicep refers.

param infraPrincipalId string
param planPrincipalId string
param planRoleId string

// Reader
var readerRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'acdd72a7-3385-48ef-bd42-f606fba81ae7'
)
var rights = [
  { principalId: infraPrincipalId, roleId: readerRoleId }
  { principalId: planPrincipalId, roleId: planRoleId }
]

resource reading 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in rights: {
    name: guid(resourceGroup().id, right.principalId, right.roleId)
    properties: {
      principalId: right.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: right.roleId
    }
  }
]
