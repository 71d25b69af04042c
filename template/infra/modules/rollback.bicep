// Level 3: where an alert fires, the traffic of an endpoint goes back to the deployment that its tags
// name, and nothing else changes. What it does is in rollback.json, and in docs/release.md in words.

import { tagsOf } from 'types.bicep'

param name string
param location string
param tags tagsOf
param workspaceName string
param endpointName string

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' existing = {
  name: workspaceName
}

resource endpoint 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints@2025-06-01' existing = {
  parent: workspace
  name: endpointName
}

resource rollback 'Microsoft.Logic/workflows@2019-05-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    state: 'Enabled'
    definition: loadJsonContent('rollback.json')
    parameters: {
      // The address ends with a slash, and an id begins with one.
      endpoint: { value: '${environment().resourceManager}${substring(endpoint.id, 1)}' }
      audience: { value: environment().resourceManager }
    }
  }
}

output principalId string = rollback.identity.principalId
