"""How messages name a command of ours: as people type it in a project."""


def typed(command: str) -> str:
    """Return a command as people type it, in backticks.

    Args:
        command: what follows `mlops`, such as `status` or `evaluate --run-id …`.
    """
    return f"`uv run mlops {command}`"
