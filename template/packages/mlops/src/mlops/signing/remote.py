"""Signing with a key that never leaves its vault, in the form that model-signing's verifier reads.

model-signing 1.1.1 has no hook for this, so its signer for EC keys is given an object that answers
what it asks of a private key. The version is pinned for it, and a test verifies the result.
"""

import hashlib
from typing import TYPE_CHECKING, Any

from model_signing._signing.sign_ec_key import Signer

from mlops.errors import ConfigError
from mlops.signing.keys import CURVE, RemoteKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

_HALF = 32


class RemoteSigner(Signer):
    """What `model_signing.signing.Config` signs with.

    Args:
        key: the key, P-256.

    Raises:
        ConfigError: its public key is of another kind.
    """

    def __init__(self, key: RemoteKey) -> None:
        self._private_key: Any = _StandIn(key)


class _StandIn:
    """What model-signing asks of a private key: the public one, and a signature as DER."""

    def __init__(self, key: RemoteKey) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        found = load_pem_public_key(key.public_pem())
        if not isinstance(found, ec.EllipticCurvePublicKey) or found.curve.name != CURVE:
            raise ConfigError(
                "the key that signs versions is no EC key P-256", "make one: docs/supply-chain.md"
            )
        self._key, self._public = key, found

    def public_key(self) -> "ec.EllipticCurvePublicKey":
        return self._public

    def sign(self, data: bytes, _algorithm: Any) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        raw = self._key.sign_digest(hashlib.sha256(data).digest())
        r, s = raw[:_HALF], raw[_HALF:]
        return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
