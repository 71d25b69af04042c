"""What the tests of images rest on, without building any."""

import configparser
import io
import tarfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tools.worktree import ROOT

from . import bases, layers, network
from .checks import pins

pytestmark = pytest.mark.fast


def test_pip_is_told_what_files_and_variables_say_the_last_one_wins(tmp_path: Path) -> None:
    system, user = tmp_path / "pip.conf", tmp_path / ".config" / "pip" / "pip.conf"
    user.parent.mkdir(parents=True)
    system.write_text("[global]\nindex-url = https://one.example/simple\ntimeout = 60\n")
    user.write_text("[install]\nextra-index-url = https://a.example\n    https://b.example\n")
    variables = {"PIP_INDEX_URL": "https://u:p%40@two.example/simple", "PIP_FIND_LINKS": "/here"}
    found = configparser.RawConfigParser()
    found.read_string(network.pip_conf(variables, tmp_path, system))
    assert dict(found["global"]) == {
        "index-url": "https://u:p%40@two.example/simple",
        "timeout": "60",
        "extra-index-url": "https://a.example\nhttps://b.example",
        "cert": str(network.CERTIFICATES),
    }


def test_uv_is_told_what_its_file_and_variables_say(tmp_path: Path) -> None:
    system = tmp_path / "uv.toml"
    system.write_text(
        'index-strategy = "first-index"\nexclude-newer = 2026-01-01T00:00:00Z\n'
        '[[index]]\nurl = "https://one.example"\n[[index]]\nurl = "https://no"\ndefault = true\n'
    )
    variables = {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_INDEX": "own=https://two.example/?a=b https://three.example/?a=b",
        "UV_DEFAULT_INDEX": "https://four.example",
        "UV_EXTRA_INDEX_URL": "https://five.example https://six.example",
    }
    assert tomllib.loads(network.uv_toml(variables, tmp_path, system)) == {
        "native-tls": True,
        "index-strategy": "unsafe-best-match",
        "exclude-newer": datetime(2026, 1, 1, tzinfo=UTC),
        "extra-index-url": ["https://five.example", "https://six.example"],
        "index": [
            {"url": "https://two.example/?a=b", "name": "own"},
            {"url": "https://three.example/?a=b"},
            {"url": "https://one.example"},
            {"url": "https://four.example", "default": True},
        ],
    }


def test_nothing_said_is_told_as_nothing(tmp_path: Path) -> None:
    none = tmp_path / "none"
    assert network.pip_conf({}, none, none) == f"[global]\ncert = {network.CERTIFICATES}\n"
    assert tomllib.loads(network.uv_toml({}, none, none)) == {"native-tls": True}


def layer(path: Path, **contents: bytes) -> Path:
    """A layer with these files; `__` stands for a slash."""
    with tarfile.open(path, "w") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name.replace("__", "/"))
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_a_file_that_a_later_layer_deletes_is_found(tmp_path: Path) -> None:
    first = layer(tmp_path / "1", opt__data=b"of the team")
    second = layer(tmp_path / "2", **{"opt__.wh.data": b"", "./etc/name": b"x"})
    assert layers.files([first, second]) == {"opt/data", "etc/name"}
    assert layers.holds(first, "the team")
    assert not layers.holds(second, "the team")


def test_files_of_packages_are_told_from_others(tmp_path: Path) -> None:
    record = b'pack/a.py,sha256=x,1\n../../bin/pack,,\n"pack/b,c.py",,\n'
    made = layer(tmp_path / "1", **{"venv/lib/site/pack-1.dist-info/RECORD": record})
    assert layers.of_packages([made]) == {
        "venv/lib/site/pack/a.py",
        "venv/bin/pack",
        "venv/lib/site/pack/b,c.py",
    }


def test_there_is_a_stand_in_for_each_image_of_the_dockerfiles() -> None:
    for path in (ROOT / "template" / "aml" / "environments").glob("*/Dockerfile*"):
        text = path.read_text(encoding="utf-8")
        named = bases.instead_of(text)
        assert named
        assert all(f" {image}" in text or f"={image}" in text for image in named)
    with pytest.raises(KeyError):
        bases.instead_of("FROM docker.io/library/python:3.12\n")


def test_versions_depend_on_the_python_that_they_are_for() -> None:
    lines = "a==1 ; python_full_version < '3.12'\na==2 ; python_full_version >= '3.12'\nB_c==3"
    assert pins(lines, "3.11.2") == {"a": "1", "b-c": "3"}
    assert pins(lines, "3.12.0") == {"a": "2", "b-c": "3"}
