// What the workflow infra may do in the group of one environment: make resources, and assign the
// roles that main.bicep assigns, no others. Within these groups that is nearly everything, and it
// may make a machine that runs as the cluster's identity: so its environment on GitHub needs
// reviewers. It has no right outside of them but reading the shared group.

param infraPrincipalId string
param planPrincipalId string

@description('The numbers of the project\'s own roles: of planning, and those that main.bicep assigns.')
param planRoleNumber string
param assignableRoleNumbers string[]

var contributorId = 'b24988ac-6180-42a0-ab88-20f7382dd24c'
var roleAdministratorId = 'f58310d9-a9f6-439a-9e8d-f62e7b41a168'
var planRoleId = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', planRoleNumber)

// The roles that main.bicep assigns: AcrPull, AcrPush, AzureML Data Scientist, AzureML Metrics
// Writer, Log Analytics Reader, Monitoring Metrics Publisher, Storage Blob Data Contributor and Reader,
// Azure AI Enterprise Network Connection Approver, Reader, Key Vault Secrets User, and seven of the project.
// They go to identities of machines alone, never to a person; to which ones, a condition cannot say, as
// the workspace's is not made yet.
var assignable = join(
  concat(
    [
      '7f951dda-4ed3-4680-a7ca-43fe172d538d'
      '8311e382-0749-4cb8-b61a-304f252e45ec'
      'f6c7c914-8db3-469d-8ca1-694a8f32e121'
      '635dd51f-9968-44d3-b7fb-6d9a6bd613ae'
      '73c42c96-874c-492b-b04d-ab87d138a893'
      '3913510d-42f4-4e42-8a64-420c390055eb'
      'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
      '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
      'b556d68e-0be0-4f35-a333-ad7ee1ce17ea'
      'acdd72a7-3385-48ef-bd42-f606fba81ae7'
      '4633458b-17de-408a-b874-0445c86b69e6'
    ],
    assignableRoleNumbers
  ),
  ', '
)
var roleAttribute = 'Microsoft.Authorization/roleAssignments:RoleDefinitionId'
var typeAttribute = 'Microsoft.Authorization/roleAssignments:PrincipalType'
var machines = '\'ServicePrincipal\''
var write = 'Microsoft.Authorization/roleAssignments/write'
var delete = 'Microsoft.Authorization/roleAssignments/delete'
var condition = '((!(ActionMatches{\'${write}\'})) OR (@Request[${roleAttribute}] ForAnyOfAnyValues:GuidEquals {${assignable}} AND @Request[${typeAttribute}] ForAnyOfAnyValues:StringEqualsIgnoreCase {${machines}})) AND ((!(ActionMatches{\'${delete}\'})) OR (@Resource[${roleAttribute}] ForAnyOfAnyValues:GuidEquals {${assignable}} AND @Resource[${typeAttribute}] ForAnyOfAnyValues:StringEqualsIgnoreCase {${machines}}))'

resource building 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, infraPrincipalId, contributorId)
  properties: {
    principalId: infraPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', contributorId)
  }
}

resource assigning 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, infraPrincipalId, roleAdministratorId)
  properties: {
    principalId: infraPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleAdministratorId)
    condition: condition
    conditionVersion: '2.0'
  }
}

resource planning 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, planPrincipalId, planRoleId)
  properties: {
    principalId: planPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: planRoleId
  }
}
