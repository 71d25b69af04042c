// A virtual network from which the environment's resources are reached, and from nowhere else.
//
// What stays open: the machines of Azure ML may call any address on the internet (packages come from
// there), logs and Application Insights are written and queried over public addresses, the registry
// that all environments share is public, and so is an endpoint unless
// aml/endpoints/endpoint.yml says `public_network_access: disabled`.

import { tagsOf } from 'types.bicep'

param name string
param location string
param tags tagsOf
param addressPrefix string

@description('The resource group of private DNS zones that exist, by its id; empty: zones are made here.')
param zonesGroupId string

@description('A way out for the machines in the subnet `runners`.')
param natGateway bool

param workspaceName string
param vaultName string
param containerRegistryName string
param workspaceAccountName string
param lakeAccountName string
param auditAccountName string

@description('The vault of the addresses of who is told; empty: there is none.')
param alertVaultName string

// Written out, as the other zones are: other clouds than the public one are not supported.
#disable-next-line no-hardcoded-env-urls
var storageSuffix = 'core.windows.net'
var machineLearning = 'Microsoft.MachineLearningServices/workspaces'
var account = 'Microsoft.Storage/storageAccounts'
var everywhere = [
  {
    name: 'workspace'
    type: machineLearning
    resource: workspaceName
    group: 'amlworkspace'
    zones: ['privatelink.api.azureml.ms', 'privatelink.notebooks.azure.net']
  }
  {
    name: 'vault'
    type: 'Microsoft.KeyVault/vaults'
    resource: vaultName
    group: 'vault'
    zones: ['privatelink.vaultcore.azure.net']
  }
  {
    name: 'images'
    type: 'Microsoft.ContainerRegistry/registries'
    resource: containerRegistryName
    group: 'registry'
    zones: ['privatelink.azurecr.io']
  }
  {
    name: 'workspace-blob'
    type: account
    resource: workspaceAccountName
    group: 'blob'
    zones: ['privatelink.blob.${storageSuffix}']
  }
  {
    name: 'workspace-file'
    type: account
    resource: workspaceAccountName
    group: 'file'
    zones: ['privatelink.file.${storageSuffix}']
  }
  {
    name: 'lake-blob'
    type: account
    resource: lakeAccountName
    group: 'blob'
    zones: ['privatelink.blob.${storageSuffix}']
  }
  {
    name: 'lake-dfs'
    type: account
    resource: lakeAccountName
    group: 'dfs'
    zones: ['privatelink.dfs.${storageSuffix}']
  }
  {
    name: 'audit-blob'
    type: account
    resource: auditAccountName
    group: 'blob'
    zones: ['privatelink.blob.${storageSuffix}']
  }
]
var targets = concat(
  everywhere,
  empty(alertVaultName)
    ? []
    : [
        {
          name: 'alert-vault'
          type: 'Microsoft.KeyVault/vaults'
          resource: alertVaultName
          group: 'vault'
          zones: ['privatelink.vaultcore.azure.net']
        }
      ]
)
var zoneNames = [
  'privatelink.api.azureml.ms'
  'privatelink.notebooks.azure.net'
  'privatelink.vaultcore.azure.net'
  'privatelink.azurecr.io'
  'privatelink.blob.${storageSuffix}'
  'privatelink.file.${storageSuffix}'
  'privatelink.dfs.${storageSuffix}'
]
var ownZones = empty(zonesGroupId) ? zoneNames : []
var zonesGroup = split(empty(zonesGroupId) ? resourceGroup().id : zonesGroupId, '/')

resource closed 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-${name}'
  location: location
  tags: tags
}

resource address 'Microsoft.Network/publicIPAddresses@2025-05-01' = if (natGateway) {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

// It lets calls out and none in.
resource wayOut 'Microsoft.Network/natGateways@2025-05-01' = if (natGateway) {
  name: 'nat-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: address.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
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
          defaultOutboundAccess: false
          networkSecurityGroup: { id: closed.id }
        }
      }
      {
        name: 'runners'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          defaultOutboundAccess: false
          networkSecurityGroup: { id: closed.id }
          natGateway: natGateway ? { id: wayOut.id } : null
        }
      }
    ]
  }
}

resource subnet 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' existing = {
  parent: network
  name: 'endpoints'
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in ownZones: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in ownZones: {
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

// One after the other: several at once in one subnet, two of them to one account, fail at times.
@batchSize(1)
resource endpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [
  for target in targets: {
    name: 'pe-${name}-${target.name}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnet.id }
      privateLinkServiceConnections: [
        {
          name: target.name
          properties: {
            privateLinkServiceId: resourceId(target.type, target.resource)
            groupIds: [target.group]
          }
        }
      ]
    }
  }
]

@batchSize(1)
resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [
  for (target, index) in targets: {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        for zone in target.zones: {
          name: replace(zone, '.', '-')
          properties: {
            privateDnsZoneId: resourceId(zonesGroup[2], zonesGroup[4], 'Microsoft.Network/privateDnsZones', zone)
          }
        }
      ]
    }
    dependsOn: [zones]
  }
]
