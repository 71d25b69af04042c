// What watches prod asks whether each rule is there and on, and reads the addresses of who is told. It
// may read these alone: a right on the group would be one on all that is in it.

@description('What the names of the rules end in.')
param name string
param alertVaultName string
param principalId string

// Reader; Key Vault Secrets User, who reads values and writes none.
var roles = 'Microsoft.Authorization/roleDefinitions'
var readerRoleId = subscriptionResourceId(roles, 'acdd72a7-3385-48ef-bd42-f606fba81ae7')
var secretsRoleId = subscriptionResourceId(roles, '4633458b-17de-408a-b874-0445c86b69e6')

var alerts = loadJsonContent('../../observability/alerts.json').rules
var ruleNames = concat(map(alerts, alert => 'alert-${name}-${alert.id}'), ['log-cap-${name}'])

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' existing = [
  for rule in ruleNames: {
    name: rule
  }
]

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: alertVaultName
}

resource readingRules 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (rule, index) in ruleNames: {
    name: guid(rules[index].id, principalId, readerRoleId)
    scope: rules[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: readerRoleId
    }
  }
]

resource readingSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, secretsRoleId)
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: secretsRoleId
  }
}
