"""The commands of `mlops compliance`, with their lines in the list that help shows."""

from mlops.cli.lazy import LazyCommand, LazyGroup

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
