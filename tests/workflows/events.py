"""What starts a workflow, and the variables of a repository whose jobs sign in to Azure."""

PUSH = {"ref": "refs/heads/main"}
PUSH_TO_DEVELOP = {"ref": "refs/heads/develop"}
PULL_REQUEST = {
    "number": 1,
    "pull_request": {
        "number": 1,
        "head": {"ref": "idea", "repo": {"full_name": "acme/model"}},
        "base": {"ref": "main"},
    },
}
DISPATCH = {
    "ref": "refs/heads/main",
    "inputs": {"reason": "answers are 'wrong' $(exit 3)", "model-version": "2"},
}
AZURE = {"MLOPS_PLATFORM": "azure"} | {
    name: f"{name}-of-the-environment"
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID")
}
