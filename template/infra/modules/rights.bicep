// Who may do what in one environment. Each right is on one resource, none on the group.

param slug string
param environment string
param trains bool
param registers bool
param dataCollector bool
param workspaceName string
param containerRegistryName string
param workspaceAccountName string
param lakeAccountName string
param logWorkspaceName string
param insightsName string
param ciPrincipalId string

@description('Of what registers versions for all environments; empty elsewhere.')
param registrarPrincipalId string

@description('Of what may come back to prod without an approval; empty elsewhere.')
param rollbackPrincipalId string

@description('Of what watches prod; empty elsewhere.')
param watcherPrincipalId string

@description('Of the training whose model is compared with the one in prod; empty elsewhere.')
param trainerPrincipalId string

@description('Of the cluster that trains; empty where nothing does.')
param computePrincipalId string

param endpointPrincipalId string
param monitoringPrincipalId string

@description('Of those who call endpoints with a token.')
param callerPrincipalIds string[]

// Roles by their numbers: Azure's, and those that infra/shared.bicep made.
var roles = 'Microsoft.Authorization/roleDefinitions'
var pull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
var dataScientist = 'f6c7c914-8db3-469d-8ca1-694a8f32e121'
var metricsWriter = '635dd51f-9968-44d3-b7fb-6d9a6bd613ae'
var eventSender = '3913510d-42f4-4e42-8a64-420c390055eb'
var logReader = '73c42c96-874c-492b-b04d-ab87d138a893'
var blobWriter = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var blobReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
var endpointDeployer = guid(subscription().id, slug, 'endpoint-deployer')
var endpointOperator = guid(subscription().id, slug, 'endpoint-operator')
var endpointWatcher = guid(subscription().id, slug, 'endpoint-watcher')
var endpointReader = guid(subscription().id, slug, 'endpoint-reader')
var endpointCaller = guid(subscription().id, slug, 'endpoint-caller')

// The endpoint's identity gets what Azure gives an identity that it makes itself, so that either
// value of `azure.endpoint_identity` works.
var onWorkspace = concat(
  [
    { principalId: ciPrincipalId, role: trains ? dataScientist : endpointDeployer }
    { principalId: endpointPrincipalId, role: metricsWriter }
  ],
  trains ? [{ principalId: computePrincipalId, role: dataScientist }] : [],
  registers ? [{ principalId: registrarPrincipalId, role: dataScientist }] : [],
  environment == 'prod'
    ? [
        { principalId: rollbackPrincipalId, role: endpointOperator }
        { principalId: watcherPrincipalId, role: endpointWatcher }
        { principalId: trainerPrincipalId, role: endpointReader }
      ]
    : [],
  map(callerPrincipalIds, caller => { principalId: caller, role: endpointCaller })
)
var onImages = concat(
  [{ principalId: endpointPrincipalId, role: pull }],
  trains ? [{ principalId: computePrincipalId, role: pull }] : []
)
var onWorkspaceStorage = concat(
  [
    { principalId: ciPrincipalId, role: blobWriter }
    {
      principalId: endpointPrincipalId
      role: dataCollector ? blobWriter : blobReader
    }
  ],
  dataCollector ? [{ principalId: monitoringPrincipalId, role: blobWriter }] : [],
  environment == 'prod' ? [{ principalId: watcherPrincipalId, role: blobReader }] : [],
  trains ? [{ principalId: computePrincipalId, role: blobWriter }] : [],
  registers ? [{ principalId: registrarPrincipalId, role: blobWriter }] : []
)
var onLake = trains ? [{ principalId: computePrincipalId, role: blobReader }] : []
// Rules of Azure Monitor look as the identity of what monitors.
var onLogs = concat(
  [
    { principalId: ciPrincipalId, role: logReader }
    { principalId: monitoringPrincipalId, role: logReader }
  ],
  environment == 'prod' ? [{ principalId: watcherPrincipalId, role: logReader }] : []
)

// Endpoints send events of predictions, the others what checks found and how traffic was changed.
var onInsights = concat(
  [
    { principalId: endpointPrincipalId, role: eventSender }
    { principalId: ciPrincipalId, role: eventSender }
  ],
  environment == 'prod'
    ? [
        { principalId: rollbackPrincipalId, role: eventSender }
        { principalId: watcherPrincipalId, role: eventSender }
      ]
    : []
)

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' existing = {
  name: workspaceName
}

resource images 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: containerRegistryName
}

resource workspaceStorage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: workspaceAccountName
}

resource lake 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: lakeAccountName
}

resource logs 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: logWorkspaceName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource workspaceRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in onWorkspace: {
    name: guid(workspace.id, right.principalId, right.role)
    scope: workspace
    properties: {
      principalId: right.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(roles, right.role)
    }
  }
]

resource imageRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in onImages: {
    name: guid(images.id, right.principalId, right.role)
    scope: images
    properties: {
      principalId: right.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(roles, right.role)
    }
  }
]

resource workspaceStorageRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in onWorkspaceStorage: {
    name: guid(workspaceStorage.id, right.principalId, right.role)
    scope: workspaceStorage
    properties: {
      principalId: right.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(roles, right.role)
    }
  }
]

resource lakeRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in onLake: {
    name: guid(lake.id, right.principalId, right.role)
    scope: lake
    properties: {
      principalId: right.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(roles, right.role)
    }
  }
]

resource logRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in onLogs: {
    name: guid(logs.id, right.principalId, right.role)
    scope: logs
    properties: {
      principalId: right.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(roles, right.role)
    }
  }
]

resource insightsRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in onInsights: {
    name: guid(insights.id, right.principalId, right.role)
    scope: insights
    properties: {
      principalId: right.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(roles, right.role)
    }
  }
]
