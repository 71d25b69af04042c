"""Features that are numbers alone."""

from mlops.features import Feature, Features


def numbers(*names: str) -> Features:
    """Return features of these names: numbers that are never null."""
    return Features(tuple(Feature(name, has_nulls=False, example=1.0) for name in names))


def unnamed(count: int) -> Features:
    """Return so many of them."""
    return numbers(*(f"x{position}" for position in range(count)))
