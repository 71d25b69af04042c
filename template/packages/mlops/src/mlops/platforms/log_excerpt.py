"""What of a server's log explains why it did not start."""

_LINES = 30
_BEGINNINGS = ("User's init function failed", "Traceback (most recent")
"""Where the reason begins: first what the inference server says of score.py, then anything else.

It prints tracebacks of its own before, which stop nothing, and after, when it gives up.
"""


def excerpt(log: str) -> str:
    """Return 30 lines at most: from where the reason begins, else the last ones."""
    lines = log.splitlines()
    found = (n for begins in _BEGINNINGS for n, line in enumerate(lines) if begins in line)
    first = next(found, max(0, len(lines) - _LINES))
    return "\n".join(lines[first : first + _LINES])
