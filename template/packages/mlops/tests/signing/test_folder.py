"""The signature of a version folder: what it covers, whose it must be, and what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from fakes.tiny_version import write_version
from mlops.artifacts.version_folder import SEAL, changed_since_registration
from mlops.errors import ConfigError, Refused
from mlops.signing.folder import (
    Trust,
    require_deployable,
    require_untampered,
    sign_by_file,
    sign_by_identity,
    sign_by_remote,
)
from mlops.signing.keys import listed_keys, own_key, pem_of

FILES = ("model.onnx", "signature.json", "probes.json", "lineage.json", "plots/quality.png")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / ".mlops"


@pytest.fixture
def signed(tmp_path: Path, home: Path) -> Path:
    folder = _version(tmp_path / "version")
    lineage = json.loads((folder / "lineage.json").read_text())
    (folder / "lineage.json").write_text(json.dumps({**lineage, "seal": SEAL}))
    sign_by_file(folder, own_key(home))
    return folder


def _version(path: Path) -> Path:
    folder = write_version(path)
    (folder / "plots").mkdir()
    (folder / "plots" / "quality.png").write_bytes(b"a picture")
    return folder


def _trust(home: Path) -> Trust:
    return Trust(listed_keys(home), required=True)


def test_a_signed_version_says_by_which_key(signed: Path, home: Path) -> None:
    said: list[str] = []
    facts = require_deployable(signed, _trust(home), said.append)
    assert facts.version == 1
    assert said == [f"version 1 is signed by the key {listed_keys(home)[0].name}"]


def test_a_signature_goes_where_the_folder_goes(signed: Path, home: Path, tmp_path: Path) -> None:
    elsewhere = Path(shutil.move(signed, tmp_path / "another name"))
    assert require_untampered(elsewhere, _trust(home)).startswith("signed by")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("act", ["changed", "removed"])
def test_each_file_that_was_touched_is_named(signed: Path, home: Path, name: str, act: str) -> None:
    path = signed / name
    path.unlink() if act == "removed" else path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Refused, match=f"not as it was registered: {name} was {act}"):
        require_untampered(signed, _trust(home))


@pytest.mark.parametrize(
    "name", ["extra.txt", ".github/workflows/x.yml", ".git/config", ".gitignore", "plots/.hidden"]
)
def test_each_file_that_was_added_is_named(signed: Path, home: Path, name: str) -> None:
    (signed / name).parent.mkdir(parents=True, exist_ok=True)
    (signed / name).write_text("new")
    with pytest.raises(Refused, match=f"not as it was registered: {name} was added"):
        require_untampered(signed, _trust(home))


def test_a_removed_signature_is_named(signed: Path, home: Path) -> None:
    (signed / SEAL).unlink()
    for trust in (_trust(home), Trust()):
        with pytest.raises(Refused, match=r"model\.sig was removed"):
            require_untampered(signed, trust)


def _other_payload(bundle: dict[str, dict[str, str]]) -> None:
    bundle["dsseEnvelope"]["payload"] = bundle["dsseEnvelope"]["payload"][:-8] + "AAAAfX0="


def _other_signature(bundle: dict[str, dict[str, list[dict[str, str]]]]) -> None:
    signature = bundle["dsseEnvelope"]["signatures"][0]
    signature["sig"] = signature["sig"][:-8] + "AAAAAAA="


def _nothing(bundle: dict[str, object]) -> None:
    bundle.clear()


@pytest.mark.parametrize("bend", [_other_payload, _other_signature, _nothing])
def test_a_bent_signature_is_refused(
    signed: Path, home: Path, bend: Callable[[object], None]
) -> None:
    bundle = json.loads((signed / SEAL).read_text())
    bend(bundle)
    (signed / SEAL).write_text(json.dumps(bundle))
    with pytest.raises(Refused, match=r"model\.sig is (not valid|no signature)"):
        require_untampered(signed, _trust(home))


def test_the_key_of_another_project_is_refused(signed: Path, tmp_path: Path, home: Path) -> None:
    (signed / SEAL).unlink()
    sign_by_file(signed, own_key(tmp_path / "another" / ".mlops"))
    with pytest.raises(Refused, match="signed by a key that is not listed"):
        require_untampered(signed, _trust(home))


def test_a_signature_with_another_key_s_name_is_refused(signed: Path, home: Path) -> None:
    """Whoever signs may write the name of a listed key into the file."""
    listed = json.loads((signed / SEAL).read_text())["verificationMaterial"]
    sign_by_file(signed, own_key(home.parent / "another"))
    bundle = json.loads((signed / SEAL).read_text())
    (signed / SEAL).write_text(json.dumps({**bundle, "verificationMaterial": listed}))
    with pytest.raises(Refused, match=r"model\.sig is not valid"):
        require_untampered(signed, _trust(home))


def test_a_signature_that_leaves_files_out_is_refused(signed: Path, home: Path) -> None:
    """As the command line of model-signing makes it, which leaves out what is of git."""
    from model_signing import hashing, signing

    (signed / SEAL).unlink()
    config = signing.Config().use_elliptic_key_signer(private_key=own_key(home))
    config.set_hashing_config(hashing.Config().set_ignored_paths(paths=[SEAL]))
    config.sign(signed, signed / SEAL)
    with pytest.raises(Refused, match=r"does not cover all files"):
        require_untampered(signed, _trust(home))


def test_an_identity_that_is_not_listed_is_refused(signed: Path, home: Path) -> None:
    bundle = json.loads((signed / SEAL).read_text())
    bundle["verificationMaterial"] = {"certificate": {"rawBytes": ""}, "tlogEntries": []}
    (signed / SEAL).write_text(json.dumps(bundle))
    with pytest.raises(Refused, match="an identity of Sigstore, and conf lists none"):
        require_untampered(signed, _trust(home))


def test_an_older_version_is_compared_with_its_lineage(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "version")
    assert require_untampered(folder, Trust()).startswith("not signed")
    (folder / ".gitignore").write_text("*")
    with pytest.raises(Refused, match=r"\.gitignore was added"):
        require_untampered(folder, Trust())
    (folder / ".gitignore").unlink()
    (folder / "probes.json").unlink()
    with pytest.raises(Refused, match=r"probes\.json was removed"):
        require_untampered(folder, Trust())


def test_a_version_without_signature_is_refused_where_one_is_required(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "version")
    with pytest.raises(Refused, match=r"is not signed, and conf requires a signature"):
        require_untampered(folder, Trust(required=True))


class Vault:
    """A key that answers as Key Vault does: r and s of 32 bytes each."""

    def __init__(self, curve: ec.EllipticCurve | None = None) -> None:
        self.key = ec.generate_private_key(curve or ec.SECP256R1())

    def public_pem(self) -> bytes:
        return pem_of(self.key.public_key())

    def sign_digest(self, digest: bytes) -> bytes:
        der = self.key.sign(digest, ec.ECDSA(Prehashed(SHA256())))
        return b"".join(part.to_bytes(32) for part in decode_dss_signature(der))


def test_a_key_of_a_vault_signs_what_the_public_verifier_accepts(
    signed: Path, tmp_path: Path
) -> None:
    (signed / SEAL).unlink()
    vault = Vault()
    sign_by_remote(signed, vault)
    listed = tmp_path / "release.pem"
    listed.write_bytes(vault.public_pem())
    assert require_untampered(signed, Trust((listed,))) == "signed by the key release.pem"
    (signed / "plots" / "quality.png").write_bytes(b"another")
    with pytest.raises(Refused, match=r"plots/quality\.png was changed"):
        require_untampered(signed, Trust((listed,)))


def test_a_key_of_another_curve_signs_nothing(signed: Path) -> None:
    with pytest.raises(ConfigError, match="no EC key P-256"):
        sign_by_remote(signed, Vault(ec.SECP384R1()))


def test_without_an_identity_nothing_is_asked_of_sigstore(
    signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL", raising=False)
    with pytest.raises(ConfigError, match="this job has no identity to sign with"):
        sign_by_identity(signed)


def test_what_was_changed_is_known_without_a_key(tmp_path: Path, home: Path) -> None:
    signed = write_version(tmp_path / "version")
    lineage = json.loads((signed / "lineage.json").read_text())
    (signed / "lineage.json").write_text(json.dumps({**lineage, "seal": SEAL}))
    sign_by_file(signed, own_key(home))
    assert changed_since_registration(signed) == {}
    (signed / "extra.txt").write_text("new")
    (signed / "probes.json").unlink()
    (signed / "model.onnx").write_bytes(b"another")
    (signed / SEAL).unlink()
    assert changed_since_registration(signed) == {
        "extra.txt": "added",
        "model.onnx": "changed",
        SEAL: "removed",
        "probes.json": "removed",
    }


def test_a_signature_that_came_later_is_a_file_that_was_added(tmp_path: Path, home: Path) -> None:
    folder = write_version(tmp_path / "version")
    assert changed_since_registration(folder) == {}
    sign_by_file(folder, own_key(home))
    assert changed_since_registration(folder) == {SEAL: "added"}


def test_a_lineage_that_names_no_files_is_refused(tmp_path: Path) -> None:
    folder = _version(tmp_path / "version")
    lineage = json.loads((folder / "lineage.json").read_text())
    del lineage["files"]
    (folder / "lineage.json").write_text(json.dumps(lineage))
    assert changed_since_registration(folder) is None
    with pytest.raises(Refused, match="names no files"):
        require_untampered(folder, Trust())
