"""The arrays that pass between the steps."""

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
"""Features, shape (rows, features); NaN where a value is missing."""

Labels = npt.NDArray[np.integer]
"""0 or 1, shape (rows,)."""

Probabilities = npt.NDArray[np.floating]
"""The probability of label 1, shape (rows,)."""
