"""The groups of commands: their names, the modules that define them, their lines in help."""

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
AUDIT = LazyGroup(
    "audit",
    help="Who did what to a model, in lines that cannot be changed unnoticed.",
    commands=[
        LazyCommand(
            "verify",
            "mlops.cli.audit:verify",
            "Check every line, the chain and its anchor; exit 1 if it is broken, 4 without a line.",
        ),
        LazyCommand(
            "show",
            "mlops.cli.audit:show_log",
            "Show the acts in their order; exit 1 if the log is broken, 4 without one.",
        ),
        LazyCommand(
            "export",
            "mlops.cli.audit:export",
            "Write the acts to a CSV file; exit 4 without one.",
        ),
        LazyCommand(
            "accept",
            "mlops.cli.audit:accept",
            "Accept what `verify` finds, so that the log goes on.",
        ),
        LazyCommand(
            "publish",
            "mlops.cli.audit:publish",
            "Add the lines of a run's logs to a branch, each once.",
        ),
    ],
)
COMPLIANCE = LazyGroup(
    "compliance",
    help="What an auditor or a security officer asks for.",
    commands=[
        LazyCommand(
            "bom",
            "mlops.cli.compliance:bom",
            "Write the bill of materials of a version and of what serves it (CycloneDX).",
        ),
        LazyCommand(
            "checksums",
            "mlops.cli.compliance:checksums",
            "List the SHA-256 of each file of a version; exit 1 if a file was altered.",
        ),
        LazyCommand(
            "pack",
            "mlops.cli.compliance:pack",
            "Put all that is recorded of a version into one zip; exit 4 if something is missing.",
        ),
        LazyCommand(
            "licences",
            "mlops.cli.compliance:licences",
            "List the licences of the installed packages; exit 1 if one is not allowed.",
        ),
        LazyCommand(
            "vulnerabilities",
            "mlops.cli.compliance:vulnerabilities",
            "Look the packages up in OSV; exit 1 if one is vulnerable, 3 if nobody answered.",
        ),
    ],
)
