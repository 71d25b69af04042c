"""The signature of a version folder, and the refusal of one whose files are not those signed.

The signature is a Sigstore bundle with the name and hash of each file, as OpenSSF's model-signing
writes it (https://github.com/sigstore/model-transparency). It lies in the folder, so that it goes
where the folder goes, and it is the one file that it does not cover.
"""

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.artifacts.version_folder import (
    SEAL,
    VersionFacts,
    VersionFolder,
    changed_since_registration,
    verify_version,
)
from mlops.errors import ConfigError, PlatformError, Refused
from mlops.files import file_changes, file_hashes
from mlops.hints import typed
from mlops.progress import Report
from mlops.signing.keys import RemoteKey, hint_of, pem_of, read_public_key

_SHOWN = 5
_TOKEN_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"  # nosec B105  # the name of a variable
_RESTORE = "restore the folder, or register the model again"


@dataclass(frozen=True)
class Trust:
    """Whose signature counts.

    Attributes:
        keys: files of public keys, as PEM.
        identity: a workflow, exactly as a certificate of Sigstore names it; empty: none.
        issuer: who vouches for the identity.
        required: whether a version without a signature is refused.
    """

    keys: tuple[Path, ...] = ()
    identity: str = ""
    issuer: str = ""
    required: bool = False


@dataclass(frozen=True)
class Signature:
    """By whom a folder is signed: the hint of a key, or an identity of Sigstore."""

    by: str

    @property
    def sentence(self) -> str:
        """Return it in words."""
        return f"signed by {self.by}"


def sign_by_file(folder: Path, private_key: Path) -> Signature:
    """Sign a folder with a private key of this machine, P-256 as PEM."""
    from model_signing import signing

    config = signing.Config().use_elliptic_key_signer(private_key=private_key)
    return _sign(folder, config)


def sign_by_remote(folder: Path, key: RemoteKey) -> Signature:
    """Sign a folder with a key that stays where it is kept.

    Raises:
        ConfigError: its public key is not P-256.
        PlatformError: it does not answer.
    """
    from model_signing import signing

    from mlops.signing.remote import RemoteSigner

    config = signing.Config()
    config._signer = RemoteSigner(key)  # model-signing has no public way; its version is pinned
    return _sign(folder, config)


def sign_by_identity(folder: Path) -> Signature:
    """Sign a folder as the workflow that runs, by Sigstore's public service.

    Checked by nothing but its refusal: no signature of Sigstore was made in a test.

    Raises:
        ConfigError: this is no job of GitHub Actions that may ask for a token.
        PlatformError: Sigstore fails.
    """
    if not os.environ.get(_TOKEN_URL):
        raise ConfigError(
            "signing.by is sigstore, and this job has no identity to sign with",
            "it takes a job of GitHub Actions with `permissions: id-token: write`",
        )
    from model_signing import signing

    config = signing.Config().use_sigstore_signer(use_ambient_credentials=True)
    try:
        return _sign(folder, config)
    except Exception as error:  # of sigstore, tuf, requests and what those use
        raise PlatformError(f"Sigstore gave no signature: {error}", "try again") from error


def require_untampered(folder: Path, trust: Trust) -> str:
    """Check every file of a version before it is deployed; return by whom it is signed, in words.

    A version that was registered before there were signatures is compared with the hashes in its
    lineage, and what is returned says so.

    Raises:
        ConfigError: its lineage, or a key that conf lists, is missing or unreadable.
        Refused: a file was changed, added or removed; the signature is missing, not valid, or of
            somebody who is not listed.
    """
    path = VersionFolder(folder).seal
    if path.is_symlink() or path.is_file():
        return _verify(folder, path, trust).sentence
    lineage = VersionFolder(folder).lineage()
    if lineage.get("seal"):
        raise Refused(f"{path} was removed: the version was registered with it", _RESTORE)
    changes = changed_since_registration(folder)
    if changes is None:
        raise Refused(
            f"the lineage of {folder} names no files, so nobody knows whether one was changed",
            _RESTORE,
        )
    if changes:
        raise _altered(folder, changes)
    if trust.required:
        raise Refused(
            f"{folder} is not signed, and conf requires a signature (signing.required)",
            f"register the model again: {typed('register')} signs it",
        )
    return "not signed: its files are those that its lineage names, and nobody vouches for that"


def require_deployable(folder: Path, trust: Trust, report: Report) -> VersionFacts:
    """Return the facts of a version whose every file was checked; say by whom it is signed.

    Raises:
        ConfigError: a file, or a key that conf lists, is missing or unreadable.
        Refused: as `require_untampered` and `verify_version` do.
    """
    signed = require_untampered(folder, trust)
    facts = verify_version(folder)
    report(f"version {facts.version} is {signed}")
    return facts


def _sign(folder: Path, config: Any) -> Signature:
    path = VersionFolder(folder).seal
    config.set_hashing_config(_hashing()).sign(folder, path)
    return _signer_of(_material(path))


def _hashing() -> Any:
    """Return what is hashed: every file but the signature, those of git included."""
    from model_signing import hashing

    return hashing.Config().set_ignored_paths(paths=[SEAL], ignore_git_paths=False)


def _verify(folder: Path, path: Path, trust: Trust) -> Signature:
    from cryptography.exceptions import InvalidSignature
    from model_signing import verifying

    try:
        bundle = json.loads(path.read_text(encoding="utf-8"))
        signature = _signer_of(bundle["verificationMaterial"])
        signed = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
        expected = {each["name"]: each["digest"] for each in signed["predicate"]["resources"]}
        ignored = signed["predicate"]["serialization"].get("ignore_paths")
        has_key = "publicKey" in bundle["verificationMaterial"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Refused(f"{path} is no signature of a version", _RESTORE) from None
    config = verifying.Config().set_hashing_config(_hashing())
    if has_key:
        key = _trusted_key(folder, signature, trust.keys)
        config.use_elliptic_key_verifier(public_key=key)
        signature = Signature(f"the key {key.name}")
    else:
        _use_identity(config, folder, trust)
        signature = Signature(trust.identity)
    try:
        config.verify(folder, path)
    except (InvalidSignature, ValueError) as error:
        found = {n: h for n, h in file_hashes(folder).items() if n != SEAL}
        changes = file_changes(found, expected) if isinstance(error, ValueError) else {}
        if changes:
            raise _altered(folder, changes) from None
        why = str(error) or "it was not made by that key, or was changed"
        raise Refused(f"{path} is not valid: {why}", _RESTORE) from None
    except Exception as error:  # of sigstore, tuf, requests and what those use
        if has_key:
            raise
        raise Refused(f"{path} could not be verified by Sigstore: {error}", "try again") from error
    if ignored != [SEAL]:
        raise Refused(f"{path} does not cover all files: {_listed(ignored or ['?'])}", _RESTORE)
    return signature


def _material(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return dict(content["verificationMaterial"])


def _signer_of(material: Mapping[str, Any]) -> Signature:
    key = material.get("publicKey")
    return Signature(str(key["hint"]) if key else "an identity of Sigstore")


def _trusted_key(folder: Path, signature: Signature, keys: Sequence[Path]) -> Path:
    for path in keys:
        if hint_of(pem_of(read_public_key(path))) == signature.by:
            return path
    raise Refused(
        f"{folder} is signed by a key that is not listed, {signature.by[:12]}…",
        "list it in signing.trusted_keys of conf if it is yours (docs/supply-chain.md), else find "
        "out who signed",
    )


def _use_identity(config: Any, folder: Path, trust: Trust) -> None:
    if not trust.identity:
        raise Refused(
            f"{folder} is signed by an identity of Sigstore, and conf lists none",
            "set signing.trusted_identity to the workflow that may sign",
        )
    config.use_sigstore_verifier(identity=trust.identity, oidc_issuer=trust.issuer)


def _altered(folder: Path, changes: Mapping[str, str]) -> Refused:
    words = [f"{name} was {how}" for name, how in changes.items()]
    return Refused(f"{folder} is not as it was registered: {_listed(words)}", _RESTORE)


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _SHOWN
    return ", ".join(words[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
