"""The commands of the audit log: their names, and their lines in help."""

from mlops.cli.lazy import LazyCommand, LazyGroup

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
            "show", "mlops.cli.audit:show_log", "Show the acts in their order; exit 4 without one."
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
    ],
)
