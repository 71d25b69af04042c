"""Keys for signatures: EC P-256, as model-signing takes them, known by the hash of the public one.

A private key of this machine lies in `.mlops/signing/`, for its owner alone. The public keys that
signed here lie beside the versions, in `.mlops/registry/_keys/`, and go where those go.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mlops.errors import ConfigError
from mlops.files import write_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

CURVE = "secp256r1"
_PRIVATE = Path("signing") / "private.pem"
_LISTED = Path("registry") / "_keys"


class RemoteKey(Protocol):
    """A private key P-256 that stays where it is kept, and signs there."""

    def public_pem(self) -> bytes:
        """Return the public key as PEM."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the signature of a SHA-256 digest of 32 bytes: r and s, 32 bytes each."""
        ...


def own_key(state_dir: Path) -> Path:
    """Return the file of this machine's private key, which is made at first use.

    Args:
        state_dir: the project's folder `.mlops`.

    Raises:
        ConfigError: the file holds no such key.
    """
    path = state_dir / _PRIVATE
    if not path.is_file():
        _make(path)
    list_key(state_dir, pem_of(_private_key(path).public_key()))
    return path


def listed_keys(state_dir: Path) -> tuple[Path, ...]:
    """Return the files of the public keys that signed on this machine."""
    return tuple(sorted((state_dir / _LISTED).glob("*.pem")))


def list_key(state_dir: Path, public_pem: bytes) -> Path:
    """Keep a public key beside the versions, under its hint; return its file."""
    path = state_dir / _LISTED / f"{hint_of(public_pem)}.pem"
    if not path.is_file():
        write_text(path, public_pem.decode("ascii"))
    return path


def hint_of(public_pem: bytes) -> str:
    """Return by which signatures name a key: the SHA-256 of its PEM, as 64 hex digits."""
    return hashlib.sha256(public_pem).hexdigest()


def read_public_key(path: Path) -> "ec.EllipticCurvePublicKey":
    """Return the public key of a PEM file.

    Raises:
        ConfigError: the file is missing or holds another kind of key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        found = load_pem_public_key(path.read_bytes())
    except FileNotFoundError:
        raise ConfigError(
            f"the public key {path} does not exist", "correct signing.trusted_keys in conf"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise _no_key(path, "public") from None
    if not isinstance(found, ec.EllipticCurvePublicKey) or found.curve.name != CURVE:
        raise _no_key(path, "public")
    return found


def pem_of(key: "ec.EllipticCurvePublicKey") -> bytes:
    """Return a public key as the PEM whose hash is its hint."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _make(path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text, private=True)


def _private_key(path: Path) -> "ec.EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        raise _no_key(path, "private") from None
    if not isinstance(found, ec.EllipticCurvePrivateKey) or found.curve.name != CURVE:
        raise _no_key(path, "private")
    return found


def _no_key(path: Path, kind: str) -> ConfigError:
    return ConfigError(
        f"{path} holds no {kind} EC key P-256 as PEM", "restore it, or see docs/supply-chain.md"
    )
