// One row for each request to an endpoint that exists. An A/B test reads these rows.

param workspaceName string
param endpointName string
param logWorkspaceName string

resource logs 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: logWorkspaceName
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' existing = {
  name: workspaceName
}

resource endpoint 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints@2025-06-01' existing = {
  parent: workspace
  name: endpointName
}

resource requests 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'requests'
  scope: endpoint
  properties: {
    workspaceId: logs.id
    logs: [{ category: 'AmlOnlineEndpointTrafficLog', enabled: true }]
  }
}
