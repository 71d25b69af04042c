// A page in the portal with the charts of observability/queries.yaml, from what `mlops observability write`
// made of them. Whoever opens it needs the right to read these logs.

import { tagsOf } from 'types.bicep'

param displayName string
param logWorkspaceName string
param location string
param tags tagsOf

resource logs 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: logWorkspaceName
}

// The name has to be a GUID, and the same one each time: else each deployment made another page.
resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'observability')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    sourceId: logs.id
    serializedData: string(union(
      loadJsonContent('../../observability/workbook.json'),
      { fallbackResourceIds: [logs.id] }
    ))
  }
}
