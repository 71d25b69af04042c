"""What of a server's log explains why it did not start."""

_LINES = 25


def excerpt(log: str) -> str:
    """Return 25 lines at most: from the first traceback on, else the last ones.

    The first one is the model's own; those of the server that gave up come after it.
    """
    lines = log.splitlines()
    first = next((n for n, line in enumerate(lines) if "Traceback (most recent" in line), None)
    shown = lines[-_LINES:] if first is None else lines[first : first + _LINES]
    return "\n".join(shown)
