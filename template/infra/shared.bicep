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

@description('Those of them in which jobs of training run.')
param trains ('dev' | 'test' | 'prod')[] = ['dev']

@description('Who vouches for a job on GitHub: the issuer of its tokens. An enterprise with a domain of its own (example.ghe.com) has https://token.actions.example.ghe.com; a GitHub Enterprise Server has https://HOST/_services/token.')
param githubIssuer string = 'https://token.actions.githubusercontent.com'

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

// Each GitHub environment signs in as an identity of its own. dev is open to develop, so only
// dev-registration, which main alone enters, writes what test and prod deploy. prod-rollback has no
// reviewers, so it may do less than prod; infra-plan is open to pull requests, so it may only read.
var releases = contains(environments, 'prod')
var deployers = concat(environments, releases ? ['prod-rollback'] : [])
var registryUsers = concat(deployers, releases ? ['dev-registration'] : [])
var githubEnvironments = concat(registryUsers, ['infra', 'infra-plan'])
var infraIndex = indexOf(githubEnvironments, 'infra')
var planIndex = indexOf(githubEnvironments, 'infra-plan')

// AzureML Registry User: all that concerns models and other assets, not the registry itself.
var registryUserRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  '1823dd4f-9b8c-4ab6-ab4e-7397a3684615'
)

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
      issuer: githubIssuer
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
      trains: contains(trains, environment)
    }
  }
]

// A rollback may have to change the endpoint, or make a deployment anew: it gives the identity, too.
module endpointGivers 'modules/identity-operator.bicep' = [
  for (deployer, index) in deployers: {
    name: 'endpoint-of-${deployer}'
    params: {
      identityName: 'id-${slug}-${replace(deployer, '-rollback', '')}-endpoint'
      principalId: githubIdentities[index].outputs.principalId
    }
    dependsOn: [machineIdentities]
  }
]

module computeGivers 'modules/identity-operator.bicep' = [
  for environment in trains: {
    name: 'compute-of-${environment}'
    params: {
      identityName: 'id-${slug}-${environment}-compute'
      principalId: githubIdentities[infraIndex].outputs.principalId
    }
    dependsOn: [machineIdentities]
  }
]

module registryRights 'modules/registry-right.bicep' = [
  for (user, index) in registryUsers: {
    name: 'registry-${user}'
    params: {
      registryName: registry.name
      principalId: githubIdentities[index].outputs.principalId
      roleId: user != 'dev-registration' ? roles.outputs.registryReaderId : registryUserRoleId
    }
  }
]

module registryEndpoints 'modules/registry-right.bicep' = [
  for (environment, index) in environments: {
    name: 'registry-${environment}-endpoint'
    params: {
      registryName: registry.name
      principalId: machineIdentities[index].outputs.endpointPrincipalId
      roleId: roles.outputs.registryReaderId
    }
  }
]

// The workflow builds what is in an environment's group, and nothing outside it.
module infraRights 'modules/infra-rights.bicep' = [
  for environment in environments: {
    name: 'infra-rights-${environment}'
    scope: resourceGroup('rg-${slug}-${environment}')
    params: {
      infraPrincipalId: githubIdentities[infraIndex].outputs.principalId
      planPrincipalId: githubIdentities[planIndex].outputs.principalId
      planRoleId: roles.outputs.planId
      endpointDeployerId: roles.outputs.endpointDeployerId
      endpointOperatorId: roles.outputs.endpointOperatorId
      endpointReaderId: roles.outputs.endpointReaderId
    }
  }
]

// main.bicep refers to the identities of this group.
module sharedRights 'modules/shared-rights.bicep' = {
  name: 'shared-rights'
  params: {
    infraPrincipalId: githubIdentities[infraIndex].outputs.principalId
    planPrincipalId: githubIdentities[planIndex].outputs.principalId
    planRoleId: roles.outputs.planId
  }
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
