"""What scoring with a stored model needs: its inputs as a matrix, and the model itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.arrays import Matrix
from mlops.errors import Refused

if TYPE_CHECKING:
    import polars as pl

_TRUSTED_MODULES = ("sklearn.", "numpy.")


def matrix(frame: "pl.DataFrame", features: list[str]) -> Matrix:
    """Return the features as float32, shape (rows, features); null becomes NaN."""
    import polars as pl

    return frame.select(pl.col(features).cast(pl.Float32).fill_null(float("nan"))).to_numpy()


def load_model(path: Path) -> Any:
    """Read a scikit-learn model from a skops file, which runs no code of the file's own.

    Raises:
        Refused: the file holds types from outside scikit-learn and NumPy.
    """
    import skops.io

    unknown = skops.io.get_untrusted_types(file=path)
    foreign = [name for name in unknown if not name.startswith(_TRUSTED_MODULES)]
    if foreign:
        raise Refused(f"{path} holds types that are not trusted: {', '.join(foreign)}")
    return skops.io.load(path, trusted=unknown)
