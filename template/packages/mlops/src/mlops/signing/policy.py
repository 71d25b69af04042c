"""What conf decides of signatures: who signs a version here, and whose signature counts."""

from collections.abc import Callable
from pathlib import Path

from mlops.errors import ConfigError
from mlops.settings.loading import LoadedSettings
from mlops.signing.folder import Signature, Trust, sign_by_file, sign_by_identity, sign_by_remote
from mlops.signing.keys import RemoteKey, listed_keys, own_key


def signs(settings: LoadedSettings) -> bool:
    """Tell whether versions that are registered here are signed."""
    return settings.values.signing.signer(settings.values.platform) != "none"


def trust_of(settings: LoadedSettings) -> Trust:
    """Return whose signature counts here."""
    signing, project = settings.values.signing, settings.project
    return Trust(
        keys=tuple(project.root / name for name in signing.trusted_keys)
        if signing.lists_signers
        else listed_keys(project.state_dir),
        identity=signing.trusted_identity or "",
        issuer=signing.trusted_issuer,
        required=signing.is_required,
    )


def sign_version(
    folder: Path, settings: LoadedSettings, remote_key: Callable[[], RemoteKey | None]
) -> Signature | None:
    """Sign a finished version folder by what conf names; None where nothing signs.

    Args:
        folder: the version's files, of which none may change after this.
        settings: what is in force.
        remote_key: gives the key that the platform keeps.

    Raises:
        ConfigError: what conf names is not there, or may not be used here.
        PlatformError: it does not answer.
    """
    by = settings.values.signing.signer(settings.values.platform)
    if by == "none":
        return None
    if by == "sigstore":
        return sign_by_identity(folder)
    if by == "file":
        return sign_by_file(folder, own_key(settings.project.state_dir))
    key = remote_key()
    if key is None:
        raise ConfigError(
            "signing.by is key_vault, and this platform keeps no key",
            "set signing.by: file, or MLOPS_PLATFORM to one that does",
        )
    return sign_by_remote(folder, key)
