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
param rollbackGroupName string

var rules = loadJsonContent('../../observability/alerts.json').rules
var limits = json(settings)
var rollbackGroups = empty(rollbackGroupName) ? [] : [resourceId('Microsoft.Insights/actionGroups', rollbackGroupName)]

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
          contains(rule.actions, 'rollback') ? rollbackGroups : []
        )
        customProperties: { cause: rule.id }
      }
    }
  }
]

// From the daily cap on no event comes, and no other rule sees anything. A day back: else the alarm would
// be called over while nothing comes.
resource capped 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'log-cap-${name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    displayName: 'Daily cap of the logs (${name})'
    description: 'The logs reached their daily cap and take nothing more until they begin anew: until then no other alert sees anything.'
    enabled: true
    severity: 1
    scopes: [logs.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'P1D'
    autoMitigate: true
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: loadTextContent('log-cap.kql')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: {
      actionGroups: [people.id]
      customProperties: { cause: 'log-cap' }
    }
  }
}
