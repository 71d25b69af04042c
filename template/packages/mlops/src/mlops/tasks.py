"""What a use case predicts: yes or no, one of several classes, or an amount."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops.arrays import Decisions, Outputs

MOST_CLASSES = 100


class Task(StrEnum):
    """The kind of question that a model answers."""

    BINARY = "binary"
    """Does it happen? Labels are 0 and 1, answers a probability of 1."""
    MULTICLASS = "multiclass"
    """Which one is it? Labels are names, answers a probability of each."""
    REGRESSION = "regression"
    """How much is it? Labels and answers are numbers."""

    @property
    def classifies(self) -> bool:
        """Whether answers are probabilities."""
        return self is not Task.REGRESSION


@dataclass(frozen=True)
class Target:
    """What a model was trained to predict, as the training part showed it.

    Attributes:
        task: the kind of question.
        classes: the names of several classes, in the order in which the model knows them.
        scale: the standard deviation of the labels of a regression, their unit in comparisons of
            answers; 1 where answers are probabilities.
    """

    task: Task = Task.BINARY
    classes: tuple[str, ...] = ()
    scale: float = 1.0

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Target":
        """Return the target that a document says; one without a task is of a binary model."""
        return cls(
            task=Task(content.get("task", Task.BINARY)),
            classes=tuple(content.get("classes", ())),
            scale=float(content.get("scale", 1.0)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what a document says of it."""
        content: dict[str, Any] = {"task": self.task.value}
        if self.task is Task.MULTICLASS:
            content["classes"] = list(self.classes)
        if self.task is Task.REGRESSION:
            content["scale"] = self.scale
        return content

    def outputs(self, raw: "Outputs") -> "Outputs":
        """Return what is judged of a model's raw answers.

        Args:
            raw: probabilities of shape (rows, classes), or numbers of shape (rows,) or (rows, 1).

        Returns:
            The probability of label 1, shape (rows,); the probabilities of all classes, shape
            (rows, classes); or the numbers, shape (rows,).
        """
        if self.task is Task.BINARY:
            return raw[:, 1]
        return raw if self.task is Task.MULTICLASS else raw.reshape(len(raw))

    def decisions(self, outputs: "Outputs", threshold: float) -> "Decisions":
        """Return what is predicted: 0 or 1, the position of a class, or the number itself.

        Args:
            outputs: as `outputs` returns them.
            threshold: probability from which a binary prediction is 1.
        """
        if self.task is Task.BINARY:
            return (outputs.astype(float) >= threshold).astype(int)
        return outputs.argmax(axis=1) if self.task is Task.MULTICLASS else outputs


BINARY_TARGET = Target()
"""The target of every model that is asked for yes or no."""
