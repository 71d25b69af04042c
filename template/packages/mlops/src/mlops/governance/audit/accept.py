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
_IN_A_LINE = 300
"""So many findings one line names: what appends reads no more than the end of the log."""


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
    for note in acceptances_of(found, settings, reason):
        append(platform.audit(), note, settings.clock(), over=True)
    return found.findings


def acceptances_of(found: Verified, settings: LoadedSettings, reason: str) -> list[Note]:
    """Return the notes by which a person accepts what verification has found."""
    parts = [
        found.findings[start : start + _IN_A_LINE]
        for start in range(0, len(found.findings), _IN_A_LINE)
    ]
    return [
        Note(
            act=Act.ACCEPTANCE,
            phase=Phase.OUTCOME,
            actor=actor_of(),
            environment=settings.values.environment,
            outcome="accepted",
            reason=reason,
            details={FINDINGS: " ".join(each.key for each in part), "count": len(part)},
        )
        for part in parts
    ]
