"""Every command: its name, the module that defines it, and its line in the list that help shows."""

from collections.abc import Sequence

import click

from mlops.cli.audit_commands import AUDIT
from mlops.cli.compliance_group import COMPLIANCE
from mlops.cli.lazy import LazyCommand, LazyGroup

DATA = LazyGroup(
    "data",
    help="Make and check raw data.",
    commands=[
        LazyCommand("make", "mlops.cli.data:make", "Write a sample data set."),
        LazyCommand(
            "validate",
            "mlops.cli.data:validate",
            "Check raw data against the contract; exit 1 if it is refused.",
        ),
        LazyCommand(
            "profile",
            "mlops.cli.data_profile:profile",
            "Tell the kinds of the columns of raw data, and no value that may be personal.",
        ),
        LazyCommand(
            "register",
            "mlops.cli.data:register",
            "Give a folder of raw data a version in the cloud, on which jobs there can train.",
        ),
    ],
)
STEP = LazyGroup(
    "step",
    help="One step of the pipeline, from folder to folder.",
    commands=[
        LazyCommand("validate", "mlops.cli.step:validate", "Raw data in, validated data out."),
        LazyCommand(
            "prepare",
            "mlops.cli.step:prepare",
            "Validated data in; features, labels, training part and holdout out.",
        ),
        LazyCommand("fit", "mlops.cli.step:fit", "Prepared data in, model and baseline out."),
        LazyCommand(
            "evaluate",
            "mlops.cli.step:evaluate",
            "Prepared data and model in, metrics and plots out.",
        ),
        LazyCommand("score", "mlops.cli.step:score", "Raw data and a version in, predictions out."),
    ],
)
CI = LazyGroup(
    "ci",
    help="What the pipeline's workflows ask for.",
    commands=[
        LazyCommand(
            "bicep", "mlops.cli.ci:bicep", "Compile infra/ with Microsoft's Bicep compiler."
        ),
        LazyCommand(
            "changed",
            "mlops.cli.ci:changed",
            "Tell whether what changed since a commit concerns the machinery, infra/ or the model.",
        ),
        LazyCommand(
            "attempt",
            "mlops.cli.ci:attempt",
            "Check that a run's attempt may still ask for approvals.",
        ),
        LazyCommand(
            "facts",
            "mlops.cli.ci:facts",
            "Tell the workflow the level, the platform, the approvals needed, the names in Azure.",
        ),
        LazyCommand(
            "machinery",
            "mlops.cli.ci_machinery:machinery",
            "Compare packages/ with what the template brought; exit 1 if it was edited.",
        ),
        LazyCommand(
            "comment",
            "mlops.cli.ci:comment",
            "Write a run's metrics and verdict as Markdown: the comment on a pull request.",
        ),
        LazyCommand(
            "dependencies",
            "mlops.cli.ci:dependencies",
            "Move the day up to which uv looks for packages, in pyproject.toml.",
        ),
        LazyCommand(
            "infra",
            "mlops.cli.ci:infra",
            "Deploy infra/ of an environment with az, or go on waiting for that deployment.",
        ),
        LazyCommand(
            "previous-run",
            "mlops.cli.ci:previous_run",
            "Find the newest run that still keeps an artifact; print its number, if any.",
        ),
        LazyCommand(
            "candidate",
            "mlops.cli.ci_monitor:candidate",
            "Check that a candidate is reviewed code and waited for; tell the workflow its commit.",
        ),
        LazyCommand(
            "wanted",
            "mlops.cli.ci_monitor:wanted",
            "Check that the version still serves which a candidate's version is to replace.",
        ),
        LazyCommand(
            "template-update",
            "mlops.cli.ci_template:template_update",
            "Update a copy of the project to the newest template, and keep it to be proposed.",
        ),
        LazyCommand(
            "worst",
            "mlops.cli.ci_monitor:worst",
            "Tell the workflow the worst of several commands' exit codes: 1, then 3, 4 and 0.",
        ),
    ],
)
SETUP = LazyGroup(
    "setup",
    help="Prepare the services that the pipeline uses.",
    commands=[
        LazyCommand(
            "github",
            "mlops.cli.setup:github",
            "Environments, variables and the rules of main that the workflows need.",
        ),
    ],
)
EVIDENCE = LazyGroup(
    "evidence",
    help="What releases leave, kept beside the version.",
    commands=[
        LazyCommand(
            "keep",
            "mlops.cli.evidence:keep",
            "Keep the evidence of a version's release beside it; exit 4 if there is none.",
        ),
        LazyCommand(
            "list",
            "mlops.cli.evidence:list_kept",
            "List what is kept beside a version, or download it; exit 4 if there is none.",
        ),
    ],
)
AML = LazyGroup(
    "aml",
    help="The definitions for Azure ML.",
    commands=[
        LazyCommand(
            "check",
            "mlops.cli.aml:check",
            "Check every file of aml/ offline; exit 1 if one is wrong.",
        ),
    ],
)
OBSERVABILITY = LazyGroup(
    "observability",
    help="Charts and rules over the events of predictions and checks.",
    commands=[
        LazyCommand(
            "show",
            "mlops.cli.observability:show_answer",
            "Answer one query of observability/queries.yaml from the events of an endpoint.",
        ),
        LazyCommand(
            "write",
            "mlops.cli.observability:write",
            "Make KQL, and what infra/ deploys of it, of what observability/ says.",
        ),
    ],
)
COMMANDS: Sequence[click.Command] = [
    LazyCommand("run", "mlops.cli.ops:run", "Run the whole loop on this machine."),
    LazyCommand(
        "simulate",
        "mlops.cli.simulate:simulate",
        "Play a year of the closed loop in a few minutes, in a folder of its own.",
    ),
    DATA,
    LazyCommand("train", "mlops.cli.train:train", "Train and evaluate a model; print the run id."),
    LazyCommand(
        "tune",
        "mlops.cli.tune:tune",
        "Try parameters by cross-validation on the training part; print the best for conf.",
    ),
    LazyCommand(
        "evaluate",
        "mlops.cli.train:evaluate",
        "The gate: judge a run's model; exit 1 if it is refused.",
    ),
    LazyCommand(
        "package", "mlops.cli.register:package", "Make what a version needs of a run's data."
    ),
    LazyCommand(
        "register", "mlops.cli.register:register", "Make a version of a run's model that passed."
    ),
    LazyCommand(
        "share",
        "mlops.cli.register:share",
        "Copy a version to the registry from which all environments deploy.",
    ),
    LazyCommand(
        "card",
        "mlops.cli.governance:card",
        "Write a version's card, with what happened since it was registered.",
    ),
    LazyCommand(
        "gate",
        "mlops.cli.governance:gate",
        "Tell what an environment would refuse of a version; exit 1 if it would.",
    ),
    LazyCommand("deploy", "mlops.cli.deploy:deploy", "Serve a registered version at an endpoint."),
    LazyCommand(
        "smoke-test",
        "mlops.cli.deploy:smoke_test",
        "Check contract, errors and latency of an endpoint.",
    ),
    LazyCommand(
        "predict",
        "mlops.cli.predict:predict",
        "Ask an endpoint; without rows, show a typical one to copy.",
    ),
    LazyCommand(
        "score",
        "mlops.cli.score:score",
        "Predict for each key of raw data, by the version that serves.",
    ),
    LazyCommand(
        "drift",
        "mlops.cli.drift:drift",
        "Compare the newest predictions with the training data of what serves; exit 1 on drift.",
    ),
    LazyCommand(
        "feedback",
        "mlops.cli.feedback:feedback",
        "Judge the version that serves by labels that came later; exit 1 if it is below the limit.",
    ),
    LazyCommand(
        "monitor",
        "mlops.cli.monitor:monitor",
        "Evaluate observability/alerts.yaml now; exit 1 on an alarm, 3 if something failed.",
    ),
    LazyCommand(
        "retrain",
        "mlops.cli.retrain:retrain",
        "Train the model that serves again, if drift, performance or age are reason enough.",
    ),
    LazyCommand(
        "release", "mlops.cli.release:release", "Bring a version to callers, step by step."
    ),
    LazyCommand("ab-test", "mlops.cli.release:ab_test", "Compare two deployments under traffic."),
    LazyCommand(
        "switch-traffic",
        "mlops.cli.release:switch_traffic",
        "Shift traffic between blue and green.",
    ),
    LazyCommand(
        "rollback", "mlops.cli.release:rollback", "Restore what served before the last change."
    ),
    EVIDENCE,
    LazyCommand(
        "lineage",
        "mlops.cli.lineage:lineage",
        "Where a version comes from and what became of it; what answers now; who saw data.",
    ),
    LazyCommand(
        "reproduce",
        "mlops.cli.reproduce:reproduce",
        "Train a version again from its record: does the same come out?",
    ),
    AUDIT,
    COMPLIANCE,
    LazyCommand("stop", "mlops.cli.deploy:stop", "Stop the servers of an endpoint."),
    LazyCommand(
        "status",
        "mlops.cli.ops:status",
        "Show runs, registered versions and what is deployed where.",
    ),
    LazyCommand(
        "report",
        "mlops.cli.report:report",
        "Write one page about what serves: traffic, releases, drift, performance.",
    ),
    LazyCommand("doctor", "mlops.cli.ops:doctor", "Check what machine, project and platform need."),
    LazyCommand(
        "config", "mlops.cli.ops:config", "Show every setting and where its value comes from."
    ),
    LazyCommand(
        "stubs", "mlops.cli.stubs:stubs", "List what is still to fill in the team's package."
    ),
    LazyCommand(
        "maturity",
        "mlops.cli.maturity:maturity",
        "Compute the maturity level from what tests and files show.",
    ),
    LazyCommand(
        "ui", "mlops.cli.ops:ui", "Show runs and versions (MLflow) and what serves; Ctrl-C ends it."
    ),
    STEP,
    AML,
    OBSERVABILITY,
    CI,
    LazyCommand(
        "approvals",
        "mlops.cli.ci:approvals",
        "Check who approved a release on GitHub, and keep it.",
    ),
    SETUP,
]
"""In the order of help: a model's way to its callers, what looks at it, what pipelines call."""
