"""The settings of the signatures of versions."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from mlops.settings.platform_names import THIS_MACHINE
from mlops.settings.section import Section

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"


Signer = Literal["file", "key_vault", "sigstore", "none"]


class SigningSettings(Section):
    """Who signs a version's folder, and whose signature counts before it is deployed."""

    by: Signer | None = Field(
        default=None,
        description="What signs a version: a key of this machine (file), of a key vault, or the "
        "workflow's own identity (sigstore, public for ever); null: file on this machine, none in "
        "Azure.",
    )
    vault_key: str | None = Field(
        default=None,
        pattern=r"^https://[A-Za-z0-9-]+\.vault\.azure\.net/keys/[A-Za-z0-9-]+(/[0-9a-f]{32})?$",
        description="The key of signing.by: key_vault, an EC key P-256, by its address.",
    )
    trusted_keys: tuple[str, ...] = Field(
        default=(),
        description="Files with the public keys that count, such as conf/keys/release.pem, from "
        "the project's root; none: the keys that signed on this machine.",
    )
    trusted_identity: str | None = Field(
        default=None,
        pattern=r"^https://\S+$",
        description="The workflow whose signature by Sigstore counts, exactly as its certificate "
        "names it.",
    )
    trusted_issuer: str = Field(
        default=GITHUB_ISSUER,
        pattern=r"^https://\S+$",
        description="Who vouches for signing.trusted_identity.",
    )
    required: bool | None = Field(
        default=None,
        description="Refuse to deploy a version without a signature; null: as soon as conf lists "
        "a key or an identity.",
    )

    @field_validator("vault_key")
    @classmethod
    def _is_used(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and info.data.get("by") != "key_vault":
            raise ValueError("needs signing.by: key_vault")
        return value

    def signer(self, platform: str) -> Signer:
        """Return what signs versions that are registered on a platform."""
        return self.by or ("file" if platform == THIS_MACHINE else "none")

    @property
    def lists_signers(self) -> bool:
        """Whether conf says whose signature counts."""
        return bool(self.trusted_keys or self.trusted_identity)

    @property
    def is_required(self) -> bool:
        """Whether a version without a signature is refused."""
        return self.lists_signers if self.required is None else self.required
