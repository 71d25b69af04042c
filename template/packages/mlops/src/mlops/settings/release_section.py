"""The settings of a release."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from mlops.settings.section import Section
from mlops.window import span_of

NONE = "0"


def _written(value: object) -> object:
    return NONE if value == 0 and not isinstance(value, bool) else value


def _span_or_none(text: str) -> str:
    if text != NONE:
        span_of(text)
    return text


SpanOrNone = Annotated[str, BeforeValidator(_written), AfterValidator(_span_or_none)]


class ReleaseSettings(Section):
    """What a release leaves behind."""

    keep_previous: SpanOrNone = Field(
        default=NONE,
        description="How long the deployment that served before stays at 0 % of the traffic, such "
        "as 24h, so that the way back is a change of traffic alone; 0: it is removed at once.",
    )

    @property
    def kept_for(self) -> timedelta:
        """How long it stays."""
        return timedelta() if self.keep_previous == NONE else span_of(self.keep_previous)
