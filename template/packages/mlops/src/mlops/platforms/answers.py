"""What endpoints answer to a scoring request, on each platform, and whose failure each answer is.

One table for all who judge an answer or explain it. docs/serving.md shows it to callers; a test
holds the two together. The codes of Azure's front are those of Microsoft's documents.
"""

from dataclasses import dataclass
from enum import StrEnum

from mlops.artifacts.predictions import ANSWERED

NO_ANSWER = 0
REFUSED = 400
UNAUTHORIZED = 401
UNKNOWN_DEPLOYMENT = 404
FAILED = 500
UNREACHED = 502
NO_TRAFFIC = 503
TOO_SLOW = 504
MODEL_ERROR = 424
"""What Azure's front answers for a deployment that did not answer 200."""
MODEL_STATUS = "ms-azureml-model-error-statuscode"
"""The header in which Azure's front says what the deployment itself answered, if it did."""
_TIMEOUT, _TOO_MANY = 408, 429


class Fault(StrEnum):
    """Whose failure an answer is."""

    NOBODY = "nobody"
    CALLER = "caller"
    DEPLOYMENT = "deployment"
    ENDPOINT = "endpoint"


@dataclass(frozen=True)
class Kind:
    """One kind of answer.

    Attributes:
        meaning: in a few words.
        fault: whose failure it is.
        local: the status on this machine; None: it is never given there.
        azure: the status of Azure's front.
        of_model: whether that is beside the deployment's own status, which then is `local`.
    """

    meaning: str
    fault: Fault
    local: int | None
    azure: int
    of_model: bool = False

    @property
    def on_azure(self) -> str:
        """What callers see on Azure."""
        if self.of_model:
            return f"{self.azure} with the header `{MODEL_STATUS}: {self.local}`"
        return f"{self.azure} without that header" if self.azure == MODEL_ERROR else f"{self.azure}"

    @property
    def statuses(self) -> frozenset[int | None]:
        """By which statuses it is known, once `own_status` has looked through Azure's front."""
        return frozenset({self.local}) if self.of_model else frozenset({self.local, self.azure})


KINDS = (
    Kind("answered", Fault.NOBODY, ANSWERED, 200),
    Kind("the request breaks the contract", Fault.CALLER, REFUSED, MODEL_ERROR, of_model=True),
    Kind("the key is missing or wrong", Fault.CALLER, UNAUTHORIZED, 401),
    Kind("there is no such deployment", Fault.CALLER, UNKNOWN_DEPLOYMENT, 404),
    Kind("the model failed", Fault.DEPLOYMENT, FAILED, MODEL_ERROR, of_model=True),
    Kind("the deployment does not run", Fault.DEPLOYMENT, UNREACHED, MODEL_ERROR),
    Kind("too slow", Fault.DEPLOYMENT, TOO_SLOW, _TIMEOUT),
    Kind("too many requests wait", Fault.DEPLOYMENT, None, _TOO_MANY),
    Kind("no deployment takes traffic", Fault.ENDPOINT, NO_TRAFFIC, 404),
)
"""All kinds, in the order of docs/serving.md."""


def is_answer(status: int) -> bool:
    """Tell whether a status is that of a prediction: all else is not what a caller asked for."""
    return status == ANSWERED


def own_status(status: int, model_status: int | None) -> int:
    """Return what a deployment itself answered, where Azure's front says so.

    Args:
        status: that of the answer.
        model_status: what the front says beside it; nothing or 0 where it made the answer itself.
    """
    return model_status if status == MODEL_ERROR and model_status else status


def described(status: int) -> str:
    """Return a status with its meaning, or both: Azure's front has one for two kinds."""
    if status == NO_ANSWER:
        return "no answer"
    meanings = [kind.meaning for kind in KINDS if status in kind.statuses]
    return f"{status} ({' or '.join(meanings)})" if meanings else str(status)
