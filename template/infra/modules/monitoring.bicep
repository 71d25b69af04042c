// Logs, and Application Insights, which keeps its own in the same place.

import { tagsOf } from 'types.bicep'

param logWorkspaceName string
param insightsName string
param location string
param tags tagsOf
param retentionDays int
param dailyQuotaGb int

resource logs 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: logWorkspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyQuotaGb }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: logs.id
    IngestionMode: 'LogAnalytics'
    // Else whoever knows the connection string could make up events, and what acts on them would.
    DisableLocalAuth: true
  }
}

output logWorkspaceCustomerId string = logs.properties.customerId

output insightsConnectionString string = insights.properties.ConnectionString
