"""What conf decides of signatures."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.tiny_version import write_version
from mlops.errors import ConfigError
from mlops.settings.loading import LoadedSettings
from mlops.signing.folder import require_untampered
from mlops.signing.keys import own_key
from mlops.signing.policy import sign_version, signs, trust_of

Load = Callable[..., LoadedSettings]
VAULT = "https://kv-tiny.vault.azure.net/keys/model-signing"


def test_this_machine_signs_by_a_file_and_azure_by_nothing_unless_conf_says(load: Load) -> None:
    assert signs(load())
    assert not signs(load(platform="azure"))
    assert signs(load(platform="azure", signing__by="file"))
    assert not signs(load(signing__by="none"))


def test_what_signed_here_counts_unless_conf_lists_keys(load: Load) -> None:
    settings = load()
    own_key(settings.project.state_dir)
    trust = trust_of(settings)
    assert [path.parent.name for path in trust.keys] == ["_keys"]
    assert not trust.required
    listed = trust_of(load(signing__trusted_keys=["conf/keys/release.pem"]))
    assert listed.keys == (settings.project.root / "conf/keys/release.pem",)
    assert listed.required


def test_with_an_identity_alone_no_key_counts(load: Load) -> None:
    own_key(load().project.state_dir)
    workflow = "https://github.com/o/r/.github/workflows/ml-cicd.yml@refs/heads/main"
    trust = trust_of(load(signing__trusted_identity=workflow))
    assert (trust.keys, trust.identity, trust.required) == ((), workflow, True)
    assert trust.issuer == "https://token.actions.githubusercontent.com"


def test_conf_may_still_take_versions_from_before_there_were_signatures(load: Load) -> None:
    trust = trust_of(load(signing__trusted_keys=["a.pem"], signing__required=False))
    assert not trust.required
    assert trust_of(load(signing__required=True)).required


def test_a_version_is_signed_by_what_conf_names(load: Load, tmp_path: Path) -> None:
    settings = load()
    folder = write_version(tmp_path / "version")
    assert sign_version(folder, load(signing__by="none"), lambda: None) is None
    assert sign_version(folder, settings, lambda: None) is not None
    assert require_untampered(folder, trust_of(settings)).startswith("signed by the key")


def test_a_platform_without_keys_signs_with_none(load: Load, tmp_path: Path) -> None:
    settings = load(signing__by="key_vault", signing__vault_key=VAULT)
    with pytest.raises(ConfigError, match="this platform keeps no key"):
        sign_version(write_version(tmp_path / "version"), settings, lambda: None)


def test_a_key_of_a_vault_is_named_where_it_signs(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"needs signing\.by: key_vault"):
        load(signing__vault_key=VAULT)
    elsewhere = "https://example.org/keys/mine"
    with pytest.raises(ConfigError, match=r"signing\.vault_key"):
        load(signing__by="key_vault", signing__vault_key=elsewhere)
