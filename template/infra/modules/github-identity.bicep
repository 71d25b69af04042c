// An identity as which the jobs of one GitHub environment sign in. There is no secret: Azure trusts
// the token that GitHub gives such a job.

import { tagsOf } from 'types.bicep'

param name string
param location string
param tags tagsOf
param githubEnvironment string
param githubRepository string
param githubRepositoryId string
param githubOwnerId string
param issuer string

// GitHub names the repository in the token by its name or, where it was created or renamed since
// 2026-07-15, by names and numbers. A credential matches one of the two, letter by letter.
var owner = split(githubRepository, '/')[0]
var repository = split(githubRepository, '/')[1]
var subjects = [
  {
    form: 'name'
    subject: 'repo:${githubRepository}:environment:${githubEnvironment}'
  }
  {
    form: 'id'
    subject: 'repo:${owner}@${githubOwnerId}/${repository}@${githubRepositoryId}:environment:${githubEnvironment}'
  }
]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

// Azure refuses two writes at once to the credentials of one identity.
@batchSize(1)
resource credentials 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = [
  for each in subjects: {
    parent: identity
    name: 'github-${githubEnvironment}-${each.form}'
    properties: {
      issuer: issuer
      audiences: ['api://AzureADTokenExchange']
      subject: each.subject
    }
  }
]

output principalId string = identity.properties.principalId
output clientId string = identity.properties.clientId
