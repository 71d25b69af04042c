// The identities of what runs in an environment: the endpoint, Azure ML's monitoring, and the cluster
// where there is training. An endpoint runs as this one where conf says
// `azure.endpoint_identity: user`.

import { tagsOf } from 'types.bicep'

param slug string
param environment string
param location string
param tags tagsOf
param trains bool

resource compute 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = if (trains) {
  name: 'id-${slug}-${environment}-compute'
  location: location
  tags: tags
}

resource endpoint 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${slug}-${environment}-endpoint'
  location: location
  tags: tags
}

resource monitoring 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${slug}-${environment}-monitoring'
  location: location
  tags: tags
}

output endpointPrincipalId string = endpoint.properties.principalId
