"""The settings of the audit log."""

from pydantic import Field

from mlops.settings.section import Section


class AuditSettings(Section):
    """What depends on the audit log (docs/audit.md)."""

    required: bool = Field(
        default=True,
        description="Where endpoints have callers (on Azure), what cannot be written to the audit "
        "log is not done, except what protects callers: rollbacks and alarms.",
    )
    retention_days: int = Field(
        default=365,
        ge=1,
        le=146_000,
        description="How long lines are kept, as infra/ has it: older ones may be missing from the "
        "beginning of the log.",
    )
