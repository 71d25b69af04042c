// The managed network, in which the workspace's machines run, reaches the lake through private
// endpoints of its own. Those to the workspace's storage, vault and images Azure makes by itself.

param workspaceName string
param lakeAccountId string

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' existing = {
  name: workspaceName
}

// One after the other: Azure takes one change of a managed network at a time.
@batchSize(1)
resource rules 'Microsoft.MachineLearningServices/workspaces/outboundRules@2025-06-01' = [
  for target in ['blob', 'dfs']: {
    parent: workspace
    name: 'lake-${target}'
    properties: {
      type: 'PrivateEndpoint'
      category: 'UserDefined'
      destination: {
        serviceResourceId: lakeAccountId
        subresourceTarget: target
        sparkEnabled: false
      }
    }
  }
]
