"""The keys of signatures: made once, for their owner alone, and listed."""

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mlops.errors import ConfigError
from mlops.signing.keys import hint_of, listed_keys, own_key, pem_of, read_public_key


def test_the_key_is_made_once_and_its_public_part_listed(tmp_path: Path) -> None:
    path = own_key(tmp_path)
    content = path.read_bytes()
    assert own_key(tmp_path).read_bytes() == content
    (listed,) = listed_keys(tmp_path)
    assert listed.stem == hint_of(listed.read_bytes())
    assert b"PRIVATE" not in listed.read_bytes()
    assert listed.parent == tmp_path / "registry" / "_keys"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_private_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    assert stat.S_IMODE(own_key(tmp_path).stat().st_mode) == 0o600


def test_a_broken_private_key_is_never_replaced(tmp_path: Path) -> None:
    path = own_key(tmp_path)
    path.write_text("broken")
    with pytest.raises(ConfigError, match=r"private\.pem holds no private EC key P-256"):
        own_key(tmp_path)
    assert path.read_text() == "broken"


def test_what_conf_lists_must_be_a_public_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.pem does not exist"):
        read_public_key(tmp_path / "missing.pem")
    for content in (b"nothing", own_key(tmp_path).read_bytes()):
        (tmp_path / "release.pem").write_bytes(content)
        with pytest.raises(ConfigError, match=r"release\.pem holds no public EC key P-256"):
            read_public_key(tmp_path / "release.pem")
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    (tmp_path / "release.pem").write_bytes(pem_of(other))
    with pytest.raises(ConfigError, match=r"holds no public EC key P-256"):
        read_public_key(tmp_path / "release.pem")
