// Roles of the project's own, where Azure's are too wide. None is assigned here.

@minLength(1)
@maxLength(27)
param slug string

@description('The resource groups in which these roles may be assigned.')
param assignableScopes string[]

@description('Whether those who deploy register the model in the workspace first.')
param deployersRegister bool

var machineLearning = 'Microsoft.MachineLearningServices'

// No two roles of a tenant may have one name: another subscription, perhaps of another team with
// the same name for its project, has roles of its own.
var mark = take(uniqueString(subscription().id), 6)

// What changes traffic and puts back a deployment: it uploads no code and registers no image. But
// which of the code, images and models that are there already it deploys, a role cannot say.
var operate = [
  '${machineLearning}/workspaces/read'
  '${machineLearning}/workspaces/*/read'
  // the tag of the model that anchors the audit log; in this workspace it could make versions, too
  '${machineLearning}/workspaces/models/write'
  '${machineLearning}/workspaces/onlineEndpoints/write'
  '${machineLearning}/workspaces/onlineEndpoints/listKeys/action'
  '${machineLearning}/workspaces/onlineEndpoints/token/action'
  '${machineLearning}/workspaces/onlineEndpoints/score/action'
  '${machineLearning}/workspaces/onlineEndpoints/deployments/write'
  '${machineLearning}/workspaces/onlineEndpoints/deployments/delete'
  '${machineLearning}/workspaces/onlineEndpoints/deployments/*/action'
  '${machineLearning}/locations/*/read'
]

// The same with code and images that are new to the workspace.
var deploy = concat(
  operate,
  [
    '${machineLearning}/workspaces/onlineEndpoints/delete'
    '${machineLearning}/workspaces/codes/*'
    '${machineLearning}/workspaces/environments/*'
    // the data asset that Azure ML's data collector asks for
    '${machineLearning}/workspaces/data/versions/write'
    '${machineLearning}/workspaces/datastores/listSecrets/action'
  ],
  deployersRegister ? ['${machineLearning}/workspaces/models/versions/write'] : []
)

// A pull request's branch can use what the plan may. Among what Azure calls reading are queries of
// logs, keys and tokens, pulling images and models, and a workspace's runs, with their files, secrets
// and samples of data. infra/ makes none of these, so what-if asks for none.
var planNever = [
  'Microsoft.OperationalInsights/workspaces/query/read'
  'Microsoft.OperationalInsights/workspaces/query/*/read'
  'Microsoft.OperationalInsights/workspaces/tables/query/read'
  'Microsoft.OperationalInsights/workspaces/listKeys/read'
  'Microsoft.OperationalInsights/workspaces/sharedKeys/read'
  'Microsoft.Insights/logs/*'
  'Microsoft.Insights/generateLiveToken/read'
  'Microsoft.Insights/components/*/read'
  'Microsoft.ContainerRegistry/registries/pull/read'
  'Microsoft.ContainerRegistry/registries/quarantine/read'
  '${machineLearning}/registries/*/read'
  '${machineLearning}/workspaces/jobs/read'
  '${machineLearning}/workspaces/jobs/*/read'
  '${machineLearning}/workspaces/experiments/read'
  '${machineLearning}/workspaces/experiments/*/read'
  '${machineLearning}/workspaces/models/read'
  '${machineLearning}/workspaces/models/*/read'
  '${machineLearning}/workspaces/data/read'
  '${machineLearning}/workspaces/data/*/read'
  '${machineLearning}/workspaces/datasets/read'
  '${machineLearning}/workspaces/datasets/*/read'
  '${machineLearning}/workspaces/metadata/*/read'
  '${machineLearning}/workspaces/listNotebookAccessToken/read'
  '${machineLearning}/workspaces/listNotebookKeys/read'
  '${machineLearning}/workspaces/notebooks/*'
  '${machineLearning}/workspaces/labeling/*'
  '${machineLearning}/workspaces/batchEndpoints/*'
  '${machineLearning}/workspaces/codes/*'
]

resource endpointOperator 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, slug, 'endpoint-operator')
  properties: {
    roleName: '${slug} endpoint operator ${mark}'
    description: 'Changes traffic, and deploys what the workspace and the registry hold already.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [{ actions: operate }]
  }
}

// Who watches moves all traffic to the version of before, and removes what has none. That it is just
// these a role cannot say: Azure has no action for traffic alone.
resource endpointWatcher 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, slug, 'endpoint-watcher')
  properties: {
    roleName: '${slug} endpoint watcher ${mark}'
    description: 'Sees what serves, changes traffic, removes deployments. Deploys nothing, gets no key.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [
      {
        actions: [
          '${machineLearning}/workspaces/read'
          '${machineLearning}/workspaces/models/read'
          '${machineLearning}/workspaces/models/versions/read'
          // the tag of the model that anchors the audit log; in this workspace it could make versions, too
          '${machineLearning}/workspaces/models/write'
          '${machineLearning}/workspaces/datastores/read'
          '${machineLearning}/workspaces/onlineEndpoints/read'
          '${machineLearning}/workspaces/onlineEndpoints/write'
          '${machineLearning}/workspaces/onlineEndpoints/deployments/read'
          '${machineLearning}/workspaces/onlineEndpoints/deployments/delete'
          '${machineLearning}/locations/*/read'
        ]
      }
    ]
  }
}

resource endpointDeployer 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, slug, 'endpoint-deployer')
  properties: {
    roleName: '${slug} endpoint deployer ${mark}'
    description: 'Creates endpoints and deployments, with new code and images. Trains nothing.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [{ actions: deploy }]
  }
}

// Who trains compares with the version that serves in prod.
resource endpointReader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, slug, 'endpoint-reader')
  properties: {
    roleName: '${slug} endpoint reader ${mark}'
    description: 'Sees which version serves callers. Gets no key, and changes nothing.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [
      {
        actions: [
          '${machineLearning}/workspaces/read'
          '${machineLearning}/workspaces/onlineEndpoints/read'
          '${machineLearning}/workspaces/onlineEndpoints/deployments/read'
        ]
      }
    ]
  }
}

// For `serving.auth: entra`: a call with a token of Entra, and nothing else.
resource endpointCaller 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, slug, 'endpoint-caller')
  properties: {
    roleName: '${slug} endpoint caller ${mark}'
    description: 'Calls endpoints with a token of its own.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [
      { actions: ['${machineLearning}/workspaces/onlineEndpoints/score/action'] }
    ]
  }
}

// Adds to append blobs, and makes new ones. Overwriting, properties and deleting are other actions.
resource auditWriter 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, slug, 'audit-writer')
  properties: {
    roleName: '${slug} audit writer ${mark}'
    description: 'Reads the audit log and adds to it. Changes and deletes nothing.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [
      {
        dataActions: [
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'
        ]
      }
    ]
  }
}

// For the workflow that moves traffic back at an alert. Azure has no action for traffic alone: who
// may write an endpoint may also change its tags.
resource trafficMover 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, slug, 'traffic-mover')
  properties: {
    roleName: '${slug} traffic mover ${mark}'
    description: 'Changes the traffic of an endpoint. Gets no key, and makes no deployment.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [
      {
        actions: [
          '${machineLearning}/workspaces/onlineEndpoints/read'
          '${machineLearning}/workspaces/onlineEndpoints/write'
          '${machineLearning}/workspaces/onlineEndpoints/deployments/read'
        ]
      }
    ]
  }
}

resource registryReader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, slug, 'registry-reader')
  properties: {
    roleName: '${slug} registry reader ${mark}'
    description: 'Reads models of an Azure ML registry, and changes none.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [
      {
        actions: [
          '${machineLearning}/registries/read'
          '${machineLearning}/registries/*/read'
        ]
      }
    ]
  }
}

resource plan 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, slug, 'infrastructure-plan')
  properties: {
    roleName: '${slug} infrastructure plan ${mark}'
    description: 'Shows what a deployment would change, and changes nothing.'
    type: 'CustomRole'
    assignableScopes: assignableScopes
    permissions: [
      {
        actions: [
          '*/read'
          'Microsoft.Resources/deployments/whatIf/action'
          'Microsoft.Resources/deployments/validate/action'
        ]
        notActions: planNever
      }
    ]
  }
}
