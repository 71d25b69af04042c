"""The arrays that pass between the steps."""

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
"""Features, shape (rows, features); NaN where a number is missing, whole codes for categories."""

Labels = npt.NDArray[np.number]
"""Shape (rows,): 0 or 1, the position of a class, or a number."""

Outputs = npt.NDArray[np.floating]
"""What a model answers: the probability of label 1, shape (rows,); the probability of each class,
shape (rows, classes); or a number, shape (rows,)."""

Probabilities = npt.NDArray[np.floating]
"""The probability of label 1, shape (rows,)."""

Decisions = npt.NDArray[np.number]
"""What is predicted, shape (rows,): 0 or 1, the position of a class, or a number."""
