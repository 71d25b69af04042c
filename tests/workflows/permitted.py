"""What each job waits for, in which environment it is, and which rights it has: all there are."""

Key = tuple[str, str]
"""A workflow's file and the name of a job in it."""

NEEDS = {
    "data-quality": [],
    "code-quality": [],
    "unit-tests": [],
    "coverage": ["unit-tests"],
    "train-pull-request": ["data-quality", "code-quality", "unit-tests"],
    "required": ["data-quality", "code-quality", "unit-tests", "train-pull-request"],
    "comment": ["train-pull-request"],
    "train-dev": ["data-quality", "code-quality", "unit-tests"],
    "register-model": ["data-quality", "train-dev"],
    "deploy-test": ["data-quality", "register-model"],
    "deploy-prod": ["data-quality", "register-model", "deploy-test"],
    "evidence": ["data-quality", "register-model", "deploy-test", "deploy-prod"],
    "audit": ["data-quality", "train-dev", "deploy-prod"],
}
ENVIRONMENTS = {
    ("ml-cicd.yml", "train-dev"): "dev",
    ("ml-cicd.yml", "register-model"): "dev-registration",
    ("ml-cicd.yml", "evidence"): "dev-registration",
    ("ml-cicd.yml", "audit"): "dev-registration",
    ("deploy.yml", "ready"): "${{ inputs.commit != '' && 'prod-monitor' || '' }}",
    ("deploy.yml", "approval"): "prod-approval",
    ("deploy.yml", "release"): "${{ inputs.platform != 'local' && inputs.environment || '' }}",
    ("rollback.yml", "rollback"): "prod-rollback",
    ("monitor.yml", "watch"): "prod-monitor",
    ("infra.yml", "plan"): "infra-plan",
    ("infra.yml", "deploy"): "infra",
}
# GitHub lists who let a job into these, and that is what `mlops approvals` reads.
REVIEWED = {"prod-approval", "infra", ENVIRONMENTS["deploy.yml", "release"]}
READ = {"contents": "read"}
SIGN_IN = {"id-token": "write"}
PERMISSIONS = {
    ("ml-cicd.yml", "data-quality"): READ,
    ("ml-cicd.yml", "code-quality"): READ,
    ("ml-cicd.yml", "unit-tests"): READ,
    ("ml-cicd.yml", "coverage"): READ | SIGN_IN,
    ("ml-cicd.yml", "train-pull-request"): READ,
    ("ml-cicd.yml", "required"): {},
    ("ml-cicd.yml", "comment"): {"pull-requests": "write"},
    ("ml-cicd.yml", "train-dev"): READ | SIGN_IN | {"actions": "read"},
    ("ml-cicd.yml", "register-model"): READ | SIGN_IN | {"attestations": "write"},
    ("ml-cicd.yml", "deploy-test"): READ | SIGN_IN | {"actions": "read"},
    ("ml-cicd.yml", "deploy-prod"): READ | SIGN_IN | {"actions": "read"},
    ("ml-cicd.yml", "evidence"): READ | SIGN_IN | {"actions": "read"},
    ("ml-cicd.yml", "audit"): {"contents": "write"},
    ("deploy.yml", "ready"): READ | SIGN_IN | {"actions": "read"},
    ("deploy.yml", "approval"): {},
    ("deploy.yml", "again"): {},
    ("deploy.yml", "release"): READ | SIGN_IN | {"actions": "read"},
    ("rollback.yml", "rollback"): READ | SIGN_IN,
    ("monitor.yml", "platform"): READ,
    ("monitor.yml", "watch"): READ | SIGN_IN | {"issues": "write"},
    ("monitor.yml", "candidate"): {"actions": "write"},
    ("monitor.yml", "found"): {},
    ("infra.yml", "environments"): READ,
    ("infra.yml", "plan"): READ | SIGN_IN,
    ("infra.yml", "deploy"): READ | SIGN_IN | {"actions": "read"},
    ("copilot-setup-steps.yml", "copilot-setup-steps"): READ,
    ("weekly.yml", "tests"): READ,
    ("weekly.yml", "vulnerabilities"): READ,
    ("weekly.yml", "newer"): READ,
    ("weekly.yml", "propose"): {"contents": "write", "pull-requests": "write"},
    ("template-update.yml", "update"): READ,
    ("template-update.yml", "pull-request"): {"contents": "write", "pull-requests": "write"},
    ("template-update.yml", "issue"): {"issues": "write"},
}
