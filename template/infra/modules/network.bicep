// A virtual network from which the environment's resources are reached, and from nowhere else.
//
// What stays open: the machines of Azure ML may call any address on the internet (packages come from
// there), logs and Application Insights are written and queried over public addresses, the registry
// that all environments share is public, and so is an endpoint unless
// aml/endpoints/endpoint.yml says `public_network_access: disabled`.

param name string
param location string
param tags object
param addressPrefix string
param workspaceId string
param keyVaultId string
param containerRegistryId string
param workspaceAccountId string
param lakeAccountId string

var storageSuffix = az.environment().suffixes.storage
var targets = [
  {
    name: 'workspace'
    id: workspaceId
    group: 'amlworkspace'
    zones: ['privatelink.api.azureml.ms', 'privatelink.notebooks.azure.net']
  }
  { name: 'vault', id: keyVaultId, group: 'vault', zones: ['privatelink.vaultcore.azure.net'] }
  { name: 'images', id: containerRegistryId, group: 'registry', zones: ['privatelink.azurecr.io'] }
  {
    name: 'workspace-blob'
    id: workspaceAccountId
    group: 'blob'
    zones: ['privatelink.blob.${storageSuffix}']
  }
  {
    name: 'workspace-file'
    id: workspaceAccountId
    group: 'file'
    zones: ['privatelink.file.${storageSuffix}']
  }
  {
    name: 'lake-blob'
    id: lakeAccountId
    group: 'blob'
    zones: ['privatelink.blob.${storageSuffix}']
  }
  { name: 'lake-dfs', id: lakeAccountId, group: 'dfs', zones: ['privatelink.dfs.${storageSuffix}'] }
]
var zoneNames = [
  'privatelink.api.azureml.ms'
  'privatelink.notebooks.azure.net'
  'privatelink.vaultcore.azure.net'
  'privatelink.azurecr.io'
  'privatelink.blob.${storageSuffix}'
  'privatelink.file.${storageSuffix}'
  'privatelink.dfs.${storageSuffix}'
]

resource closed 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: 'nsg-${name}'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: 'vnet-${name}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          networkSecurityGroup: { id: closed.id }
        }
      }
      {
        name: 'runners'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          networkSecurityGroup: { id: closed.id }
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in zoneNames: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in zoneNames: {
    parent: zones[index]
    name: 'link-${name}'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for target in targets: {
    name: 'pe-${name}-${target.name}'
    location: location
    tags: tags
    properties: {
      subnet: { id: network.properties.subnets[0].id }
      privateLinkServiceConnections: [
        {
          name: target.name
          properties: {
            privateLinkServiceId: target.id
            groupIds: [target.group]
          }
        }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (target, index) in targets: {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        for zone in target.zones: {
          name: replace(zone, '.', '-')
          properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zone) }
        }
      ]
    }
    dependsOn: [zones]
  }
]
