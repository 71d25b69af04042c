"""The settings of requests of deletion."""

from pydantic import Field

from mlops.settings.section import Section


class ForgetSettings(Section):
    """Where the list of forgotten keys is, and the secret that makes it (docs/forget.md)."""

    secret_file: str | None = Field(
        default=None,
        description="The secret of the suppression list, a file outside the project that only its "
        "owner may read; null: mlops/<name>/forget.json below XDG_CONFIG_HOME or ~/.config.",
    )
    list_file: str | None = Field(
        default=None,
        description="The suppression list, from the project's root; null: .mlops/forget/list.json.",
    )
    keep_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="So many days an entry stays on the suppression list once its request is done: "
        "the next `forget` drops what is older; null: until somebody deletes the list.",
    )
