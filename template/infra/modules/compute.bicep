// A cluster. With no job it has no machine, and costs nothing.

import { tagsOf } from 'types.bicep'

param workspaceName string
param name string
param location string
param tags tagsOf

@description('The identity of its jobs; empty: Azure makes one.')
param identityId string

param size string
param lowPriority bool
param maxNodes int
param privateNetwork bool

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' existing = {
  name: workspaceName
}

resource cluster 'Microsoft.MachineLearningServices/workspaces/computes@2025-06-01' = {
  parent: workspace
  name: name
  location: location
  tags: tags
  identity: empty(identityId)
    ? { type: 'SystemAssigned' }
    : { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    computeType: 'AmlCompute'
    disableLocalAuth: true
    properties: {
      osType: 'Linux'
      vmSize: size
      vmPriority: lowPriority ? 'LowPriority' : 'Dedicated'
      remoteLoginPortPublicAccess: 'Disabled'
      enableNodePublicIp: !privateNetwork
      scaleSettings: {
        minNodeCount: 0
        maxNodeCount: maxNodes
        nodeIdleTimeBeforeScaleDown: 'PT2M'
      }
    }
  }
}

@description('Who its jobs are, where Azure made the identity.')
output principalId string = empty(identityId) ? cluster.identity.principalId : ''
