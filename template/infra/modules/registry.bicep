// The Azure ML registry, which hands versions from one environment to the next.

import { storageSku, tagsOf } from 'types.bicep'

@minLength(2)
@maxLength(32)
param name string
param location string

@description('All regions in which the project has a workspace: one in another region could not use the registry.')
param regions string[]

param tags tagsOf

resource registry 'Microsoft.MachineLearningServices/registries@2025-06-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    publicNetworkAccess: 'Enabled'
    // What Azure makes for it in each region has a name from us: a second deployment, which would
    // name none, asks for nothing new.
    regionDetails: [
      for region in regions: {
        location: region
        acrDetails: [
          {
            systemCreatedAcrAccount: {
              acrAccountName: 'mlr${uniqueString(resourceGroup().id, name, region)}'
              acrAccountSku: 'Premium'
            }
          }
        ]
        storageAccountDetails: [
          {
            systemCreatedStorageAccount: {
              allowBlobPublicAccess: false
              storageAccountHnsEnabled: false
              storageAccountName: 'mlr${uniqueString(resourceGroup().id, name, region)}'
              storageAccountType: storageSku(region)
            }
          }
        ]
      }
    ]
  }
}
