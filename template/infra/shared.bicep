// What all environments share, and who may do what: the registry, the identities with their
// federated credentials, the roles. A person who may assign roles deploys this file. The workflow
// deploys main.bicep alone: it cannot widen its own rights, nor change who may sign in.

targetScope = 'resourceGroup'

import { plainRegion, tagsOf } from 'modules/types.bicep'

@description('Name of the project: part of every name.')
@minLength(1)
@maxLength(27)
param slug string

@description('Region of the registry. Not to be changed after the first deployment: remove the registry first, with all its versions.')
param location string

@description('Regions of the environments: a workspace in another one could not use the registry. More may be added later.')
param regions string[] = [location]

@description('Region of the identities: another one where Azure has no federated credentials in yours. Not to be changed later.')
param identityLocation string = location

@description('The Azure ML registry, as `azure.registry` in conf/ says. Its name is unique in the whole Entra tenant.')
@minLength(2)
@maxLength(32)
param registryName string = 'mlr-${slug}'

@description('Its resource group, as `azure.registry_resource_group` says. Another one than this: the registry exists there, and only rights to it are given.')
param registryResourceGroup string = resourceGroup().name

@description('The environments of the project; each has a resource group of its own.')
param environments ('dev' | 'test' | 'prod')[]

@description('Those of them in which jobs of training run.')
param trains ('dev' | 'test' | 'prod')[] = ['dev']

@description('Who vouches for a job on GitHub: the issuer of its tokens. An enterprise with a domain of its own (example.ghe.com) has https://token.actions.example.ghe.com. GitHub Enterprise Server is not supported: its workflows lack what these need.')
param githubIssuer string = 'https://token.actions.githubusercontent.com'

@description('Where a deployment takes its model from, as `azure.deploy_from` in conf/base.yaml says. With `workspace` those who deploy register models there, too.')
@allowed(['registry', 'workspace'])
param deployFrom string = 'registry'

@description('The repository on GitHub whose jobs may sign in: owner and name, as GitHub spells it.')
param githubRepository string

@description('Its number, which outlives a rename.')
param githubRepositoryId string

@description('The number of its owner.')
param githubOwnerId string

@description('Put on every resource.')
param tags tagsOf = {}

var allTags = union(tags, { project: slug, environment: 'shared', managedBy: 'infra/shared.bicep' })
var groups = concat(['rg-${slug}-shared'], map(environments, environment => 'rg-${slug}-${environment}'))
var ownsRegistry = toLower(registryResourceGroup) == toLower(resourceGroup().name)
var groupIds = map(
  union(groups, [resourceGroup().name], ownsRegistry ? [] : [registryResourceGroup]),
  group => '${subscription().id}/resourceGroups/${group}'
)

// Each GitHub environment signs in as an identity of its own. dev is open to develop, so only
// dev-registration, which main alone enters, writes what test and prod deploy. prod-rollback and
// prod-monitor have no reviewers, so they may do less than prod; infra-plan is open to pull requests, so it may only read.
var releases = contains(environments, 'prod')
var deployers = concat(environments, releases ? ['prod-rollback', 'prod-monitor'] : [])
var registryUsers = concat(deployers, releases ? ['dev-registration'] : [])
var githubEnvironments = concat(registryUsers, ['infra', 'infra-plan'])
var infraIndex = indexOf(githubEnvironments, 'infra')
var planIndex = indexOf(githubEnvironments, 'infra-plan')

// AzureML Registry User: all that concerns models and other assets, not the registry itself.
var registryUserNumber = '1823dd4f-9b8c-4ab6-ab4e-7397a3684615'

// Of the roles that modules/roles.bicep makes.
var registryReaderNumber = guid(subscription().id, slug, 'registry-reader')
var planRoleNumber = guid(subscription().id, slug, 'infrastructure-plan')
var assignableRoleNumbers = map(
  [
    'endpoint-deployer'
    'endpoint-operator'
    'endpoint-watcher'
    'endpoint-reader'
    'endpoint-caller'
    'traffic-mover'
    'audit-writer'
  ],
  role => guid(subscription().id, slug, role)
)

module registry 'modules/registry.bicep' = if (ownsRegistry) {
  params: {
    name: registryName
    location: location
    regions: union([plainRegion(location)], map(regions, region => plainRegion(region)))
    tags: allTags
  }
}

module roles 'modules/roles.bicep' = {
  params: {
    slug: slug
    assignableScopes: groupIds
    deployersRegister: deployFrom == 'workspace'
  }
}

module githubIdentities 'modules/github-identity.bicep' = [
  for githubEnvironment in githubEnvironments: {
    params: {
      name: 'id-${slug}-${githubEnvironment}'
      location: identityLocation
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
    params: {
      slug: slug
      environment: environment
      location: identityLocation
      tags: allTags
      trains: contains(trains, environment)
    }
  }
]

// A rollback may have to change the endpoint, or make a deployment anew: it gives the identity, too.
// So does who watches, since a write of the endpoint names its identity.
module endpointGivers 'modules/identity-operator.bicep' = [
  for (deployer, index) in deployers: {
    params: {
      identityName: 'id-${slug}-${replace(replace(deployer, '-rollback', ''), '-monitor', '')}-endpoint'
      #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
      principalId: githubIdentities[index].outputs.principalId
    }
    dependsOn: [machineIdentities]
  }
]

module computeGivers 'modules/identity-operator.bicep' = [
  for environment in trains: {
    params: {
      identityName: 'id-${slug}-${environment}-compute'
      #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
      principalId: githubIdentities[infraIndex].outputs.principalId
    }
    dependsOn: [machineIdentities]
  }
]

module monitoringGivers 'modules/identity-operator.bicep' = [
  for environment in environments: {
    params: {
      identityName: 'id-${slug}-${environment}-monitoring'
      #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
      principalId: githubIdentities[infraIndex].outputs.principalId
    }
    dependsOn: [machineIdentities]
  }
]

module registryRights 'modules/registry-right.bicep' = [
  for (user, index) in registryUsers: {
    scope: resourceGroup(registryResourceGroup)
    params: {
      registryName: registryName
      #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
      principalId: githubIdentities[index].outputs.principalId
      roleNumber: user != 'dev-registration' ? registryReaderNumber : registryUserNumber
    }
    dependsOn: [registry, roles]
  }
]

module registryEndpoints 'modules/registry-right.bicep' = [
  for (environment, index) in environments: {
    scope: resourceGroup(registryResourceGroup)
    params: {
      registryName: registryName
      #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
      principalId: machineIdentities[index].outputs.endpointPrincipalId
      roleNumber: registryReaderNumber
    }
    dependsOn: [registry, roles]
  }
]

// The workflow builds what is in an environment's group, and nothing outside it.
module infraRights 'modules/infra-rights.bicep' = [
  for environment in environments: {
    scope: resourceGroup('rg-${slug}-${environment}')
    params: {
      #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
      infraPrincipalId: githubIdentities[infraIndex].outputs.principalId
      #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
      planPrincipalId: githubIdentities[planIndex].outputs.principalId
      planRoleNumber: planRoleNumber
      assignableRoleNumbers: assignableRoleNumbers
    }
    dependsOn: [roles]
  }
]

// main.bicep refers to the identities of this group.
module sharedRights 'modules/shared-rights.bicep' = {
  params: {
    #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
    infraPrincipalId: githubIdentities[infraIndex].outputs.principalId
    #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
    planPrincipalId: githubIdentities[planIndex].outputs.principalId
    planRoleNumber: planRoleNumber
  }
  dependsOn: [roles]
}

@description('The variable AZURE_CLIENT_ID of each environment on GitHub.')
output clientIds { environment: string, clientId: string }[] = [
  for (githubEnvironment, index) in githubEnvironments: {
    environment: githubEnvironment
    clientId: githubIdentities[index].outputs.clientId
  }
]

@description('The variable AZURE_TENANT_ID of the repository.')
output tenantId string = tenant().tenantId

@description('The variable AZURE_SUBSCRIPTION_ID of the repository.')
output subscriptionId string = subscription().subscriptionId
