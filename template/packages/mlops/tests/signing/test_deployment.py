"""A version whose folder was touched is deployed on neither platform, and nothing is begun."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.azure_place import AzurePlace
from fakes.tiny_version import write_version
from mlops.artifacts.version_folder import SEAL
from mlops.errors import Refused
from mlops.platforms.base import Endpoint, ModelVersion
from mlops.platforms.local.platform import LocalPlatform
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings
from mlops.signing.folder import sign_by_file
from mlops.signing.keys import own_key

Load = Callable[..., LoadedSettings]


def _change(folder: Path) -> str:
    path = folder / "baseline.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    return r"baseline\.parquet was changed"


def _add(folder: Path) -> str:
    (folder / ".github").mkdir()
    (folder / ".github" / "extra.yml").touch()
    return r"\.github/extra\.yml was added"


def _remove(folder: Path) -> str:
    (folder / "baseline.parquet").unlink()
    return r"baseline\.parquet was removed"


def _sign_by_another(folder: Path) -> str:
    (folder / SEAL).unlink()
    sign_by_file(folder, own_key(folder.parent / "another project"))
    return "signed by a key that is not listed"


@pytest.fixture
def version(load: Load, tmp_path: Path) -> ModelVersion:
    folder = write_version(tmp_path / "version")
    (folder / "baseline.parquet").write_bytes(b"how it was")
    sign_by_file(folder, own_key(load().project.state_dir))
    return ModelVersion("tiny", 1, folder)


def _local(load: Load) -> Endpoint:
    return LocalPlatform(load()).endpoint("tiny-dev")


def _azure(load: Load) -> Endpoint:
    return AzurePlace(load(azure__subscription_id="s")).endpoint


@pytest.mark.parametrize("place", [_local, _azure])
@pytest.mark.parametrize("touch", [_change, _add, _remove, _sign_by_another])
def test_what_was_touched_is_not_deployed(
    load: Load,
    version: ModelVersion,
    touch: Callable[[Path], str],
    place: Callable[[Load], Endpoint],
) -> None:
    endpoint = place(load)
    before = endpoint.deployments()
    said = touch(version.folder)
    with pytest.raises(Refused, match=said):
        endpoint.deploy("red", version, silent)
    assert endpoint.deployments() == before


@pytest.mark.parametrize("place", [_local, _azure])
def test_only_what_is_signed_is_deployed_where_conf_asks_for_it(
    load: Load, tmp_path: Path, place: Callable[[Load], Endpoint]
) -> None:
    unsigned = ModelVersion("tiny", 1, write_version(tmp_path / "unsigned"))

    def strict(**more: object) -> LoadedSettings:
        return load(signing__required=True, **more)

    with pytest.raises(Refused, match=r"is not signed, and conf requires a signature"):
        place(strict).deploy("red", unsigned, silent)
