// What an alarm calls so that traffic goes back: the workflow of rollback.bicep, once it has its right.

import { tagsOf } from 'types.bicep'

param name string
param tags tagsOf
param workflowName string

resource workflow 'Microsoft.Logic/workflows@2019-05-01' existing = {
  name: workflowName
}

resource trigger 'Microsoft.Logic/workflows/triggers@2019-05-01' existing = {
  parent: workflow
  name: 'alert'
}

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'mlops-back'
    logicAppReceivers: [
      {
        name: 'rollback'
        resourceId: workflow.id
        // Whoever has this address can call the workflow. Azure asks for it here alone: it is no
        // parameter and no output, and so in no history of deployments.
        callbackUrl: trigger.listCallbackUrl().value
        useCommonAlertSchema: true
      }
    ]
  }
}
