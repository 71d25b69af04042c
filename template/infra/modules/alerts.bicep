// Rules of Azure Monitor, from what `mlops observability write` made of observability/alerts.yaml, and
// who is told by mail. Teams, Slack and a pager are told by `mlops monitor --act`: their addresses are
// secrets, which stand in no file and no parameter.

import { tagsOf } from 'types.bicep'

param name string
param logWorkspaceName string
param location string
param tags tagsOf
param contactEmails string[]

@description('Whose right to read the logs the rules have.')
param identityId string

@description('What conf/ says of alerts, as JSON; what it does not say is as in the code.')
param settings string

@description('The action group that starts the way back; empty: none does.')
param rollbackGroupId string

var rules = loadJsonContent('../../observability/alerts.json').rules
var limits = json(settings)

resource logs 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: logWorkspaceName
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'mlops'
    emailReceivers: [
      for (address, number) in contactEmails: {
        name: 'contact-${number}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

// Azure refuses a query of a table that got no row yet, unless it is not to look; and switches a rule
// off that failed for a week: each deployment switches it on again.
resource watching 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'alert-${name}-${rule.id}'
    location: location
    tags: tags
    kind: 'LogAlert'
    identity: {
      type: 'UserAssigned'
      userAssignedIdentities: { '${identityId}': {} }
    }
    properties: {
      displayName: '${rule.title} (${name})'
      description: rule.tells
      enabled: true
      severity: rule.severity
      scopes: [logs.id]
      evaluationFrequency: rule.every
      windowSize: rule.window
      autoMitigate: true
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: rule.measure
            timeAggregation: rule.aggregation
            operator: rule.operator
            threshold: any(limits[?rule.setting] ?? json(rule.default))
            dimensions: map(rule.dimensions, column => { name: column, operator: 'Include', values: ['*'] })
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: {
        actionGroups: concat(
          contains(rule.actions, 'notify') ? [people.id] : [],
          contains(rule.actions, 'rollback') && !empty(rollbackGroupId) ? [rollbackGroupId] : []
        )
        customProperties: { cause: rule.id }
      }
    }
  }
]
