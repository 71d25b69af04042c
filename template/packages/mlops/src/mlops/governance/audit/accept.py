"""Going on after something was found to be wrong with the audit log.

Nothing is mended: a line that was changed stays so. A person looks into it and says what came of
that, in a line of the log. From then on verification names what was found as accepted.
"""

from mlops.governance.audit.actor import actor_of
from mlops.governance.audit.entry import Act, Phase
from mlops.governance.audit.log import Note, append
from mlops.governance.audit.record import verified
from mlops.governance.audit.verify import Finding, Verified
from mlops.platforms.base import Platform
from mlops.settings.loading import LoadedSettings

FINDINGS = "findings"


def accept_findings(
    platform: Platform, settings: LoadedSettings, reason: str
) -> tuple[Finding, ...]:
    """Accept what verification finds now; return it. Nothing is written where nothing is wrong.

    Args:
        platform: has the log.
        settings: of the environment.
        reason: what was found out.

    Raises:
        NoAuditLog: the platform has no place for a log.
        PlatformError: it cannot be read or written for now.
    """
    found = verified(platform, settings)
    if found.whole:
        return ()
    append(platform.audit(), acceptance_of(found, settings, reason), settings.clock(), over=True)
    return found.findings


def acceptance_of(found: Verified, settings: LoadedSettings, reason: str) -> Note:
    """Return the note by which a person accepts what verification has found."""
    return Note(
        act=Act.ACCEPTANCE,
        phase=Phase.OUTCOME,
        actor=actor_of(),
        environment=settings.values.environment,
        outcome="accepted",
        reason=reason,
        details={
            FINDINGS: " ".join(each.key for each in found.findings),
            "count": len(found.findings),
        },
    )
