// What all environments share, and who may do what: the registry, the identities with their
// federated credentials, the roles. A person who may assign roles deploys this file. The workflow
// deploys main.bicep alone: it cannot widen its own rights, nor change who may sign in.

targetScope = 'resourceGroup'

@description('Name of the project: part of every name.')
@maxLength(27)
param slug string

@description('Region of the registry and the identities.')
param location string

@description('The environments of the project; each has a resource group of its own.')
param environments ('dev' | 'test' | 'prod')[]

@description('The repository on GitHub whose jobs may sign in: owner and name, as GitHub spells it.')
param githubRepository string

@description('Its number, which outlives a rename.')
param githubRepositoryId string

@description('The number of its owner.')
param githubOwnerId string

@description('Put on every resource.')
param tags object = {}

var allTags = union(tags, { project: slug, environment: 'shared', managedBy: 'infra/shared.bicep' })
var groupIds = [
  for environment in environments: '${subscription().id}/resourceGroups/rg-${slug}-${environment}'
]

// Each GitHub environment signs in as an identity of its own. prod-rollback has no reviewers, so it
// may do less than prod; infra-plan is open to pull requests, so it may only read.
var rollback = contains(environments, 'prod') ? ['prod-rollback'] : []
var githubEnvironments = concat(environments, rollback, ['infra', 'infra-plan'])

resource registry 'Microsoft.MachineLearningServices/registries@2025-06-01' = {
  name: 'mlr-${slug}'
  location: location
  tags: allTags
  identity: { type: 'SystemAssigned' }
  properties: {
    publicNetworkAccess: 'Enabled'
    regionDetails: [
      {
        location: location
        acrDetails: [{ systemCreatedAcrAccount: { acrAccountSku: 'Premium' } }]
        storageAccountDetails: [
          {
            systemCreatedStorageAccount: {
              allowBlobPublicAccess: false
              storageAccountHnsEnabled: false
              storageAccountType: 'Standard_LRS'
            }
          }
        ]
      }
    ]
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    slug: slug
    assignableScopes: concat([resourceGroup().id], groupIds)
  }
}

module githubIdentities 'modules/github-identity.bicep' = [
  for githubEnvironment in githubEnvironments: {
    name: 'identity-${githubEnvironment}'
    params: {
      name: 'id-${slug}-${githubEnvironment}'
      location: location
      tags: allTags
      githubEnvironment: githubEnvironment
      githubRepository: githubRepository
      githubRepositoryId: githubRepositoryId
      githubOwnerId: githubOwnerId
    }
  }
]

module machineIdentities 'modules/machine-identities.bicep' = [
  for environment in environments: {
    name: 'machines-${environment}'
    params: {
      slug: slug
      environment: environment
      location: location
      tags: allTags
    }
    dependsOn: [githubIdentities]
  }
]

// dev registers and shares versions; whatever deploys them reads.
module registryRights 'modules/registry-rights.bicep' = {
  name: 'registry-rights'
  params: {
    registryName: registry.name
    writers: ['id-${slug}-dev']
    readers: concat(
      map(filter(environments, e => e != 'dev'), e => 'id-${slug}-${e}'),
      map(rollback, e => 'id-${slug}-${e}'),
      map(environments, e => 'id-${slug}-${e}-endpoint')
    )
    readerRoleId: roles.outputs.registryReaderId
  }
  dependsOn: [githubIdentities, machineIdentities]
}

// The workflow builds what is in an environment's group, and nothing outside it.
module infraRights 'modules/infra-rights.bicep' = [
  for environment in environments: {
    name: 'infra-rights-${environment}'
    scope: resourceGroup('rg-${slug}-${environment}')
    params: {
      sharedResourceGroup: resourceGroup().name
      infraIdentityName: 'id-${slug}-infra'
      planIdentityName: 'id-${slug}-infra-plan'
      planRoleId: roles.outputs.planId
      endpointDeployerId: roles.outputs.endpointDeployerId
      endpointOperatorId: roles.outputs.endpointOperatorId
    }
    dependsOn: [githubIdentities]
  }
]

// main.bicep refers to the identities of this group.
module sharedRights 'modules/shared-rights.bicep' = {
  name: 'shared-rights'
  params: {
    identityNames: ['id-${slug}-infra', 'id-${slug}-infra-plan']
  }
  dependsOn: [githubIdentities]
}

@description('The variable AZURE_CLIENT_ID of each environment on GitHub.')
output clientIds array = [
  for (githubEnvironment, index) in githubEnvironments: {
    environment: githubEnvironment
    clientId: githubIdentities[index].outputs.clientId
  }
]

@description('The variable AZURE_TENANT_ID of the repository.')
output tenantId string = tenant().tenantId

@description('The variable AZURE_SUBSCRIPTION_ID of the repository.')
output subscriptionId string = subscription().subscriptionId
