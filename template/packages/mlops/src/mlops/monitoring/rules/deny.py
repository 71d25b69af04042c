"""What Azure Monitor refuses in the query of an alert rule, although it is good KQL.

Microsoft's documents: alerts-log-query.md, alerts-create-log-alert-rule.md, of Azure Monitor. Its
parser lets all of it pass, so this list is the only one who notices.
"""

import re

from mlops.errors import ConfigError

_NOT_CODE = re.compile(r'(?P<text>"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')|//[^\n]*')
_DENIED = {
    "bag_unpack": r"\bbag_unpack\b",
    "pivot": r"\bpivot\b",
    "narrow": r"\bnarrow\b",
    "ago() of anything but a literal": r"\bago\s*\((?!\s*\d+[smhd]\s*\))",
    "the name AggregatedValue": r"\bAggregatedValue\b",
    "search": r"\bsearch\b",
    "union": r"\bunion\b",
    "take or limit": r"\|\s*(take|limit)\b",
    "ingestion_time()": r"\bingestion_time\b",
    "adx()": r"\badx\s*\(",
    "count at the end": r"\|\s*count\s*;?\s*\Z",
}


def denied(text: str) -> list[str]:
    """Return what of a query an alert rule may not have; comments and texts in it do not count."""
    code = _NOT_CODE.sub(lambda found: '""' if found["text"] else "", text)
    return [what for what, pattern in _DENIED.items() if re.search(pattern, code, re.IGNORECASE)]


def require_allowed(text: str, name: str) -> str:
    """Return a query as it is.

    Raises:
        ConfigError: an alert rule may not have what is in it.
    """
    if found := denied(text):
        raise ConfigError(
            f"the KQL of {name} has what Azure Monitor refuses in a rule: {', '.join(found)}",
            "this is an error of packages/mlops, not of the file of queries",
        )
    return text
