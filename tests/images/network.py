"""How a build reaches the package index that this machine is told to use.

What is said in pip's and uv's files and variables is written into files of a folder, which are
mounted where both look for what the system says. A variable would stay in the image; of a mounted
file nothing does, as the stand-in bases have an empty one in each of these places.
"""

import configparser
import json
import os
import shutil
import tomllib
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PLACES = {
    "pip.conf": Path("/etc/pip.conf"),
    "uv.toml": Path("/etc/uv/uv.toml"),
    "netrc": Path("/root/.netrc"),
    "certificates.crt": CERTIFICATES,
}
_PIP_SECTIONS = ("global", "install")
# A build has no terminal, and none of this machine's folders.
_PIP_LEFT_OUT = ("config_file", "find_links", "cache_dir", "target", "user", "require_virtualenv")
# What these variables say, as uv.toml says it.
_UV_SETTINGS = {
    "UV_INDEX_URL": "index-url",
    "UV_INDEX_STRATEGY": "index-strategy",
    "UV_KEYRING_PROVIDER": "keyring-provider",
}


def mounts(folder: Path) -> list[str]:
    """Write the files into a folder; return the options of buildah that mount them."""
    home = Path.home()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pip.conf").write_text(pip_conf(os.environ, home), encoding="utf-8")
    (folder / "uv.toml").write_text(uv_toml(os.environ, home), encoding="utf-8")
    own = {
        "netrc": Path(os.environ.get("NETRC") or home / ".netrc"),
        "certificates.crt": Path(os.environ.get("SSL_CERT_FILE") or CERTIFICATES),
    }
    for name, path in own.items():
        if path.is_file():
            shutil.copyfile(path, folder / name)
    there = [name for name in PLACES if (folder / name).exists()]
    return [f"--volume={folder / name}:{PLACES[name]}:ro" for name in there]


def pip_conf(variables: Mapping[str, str], home: Path, system: Path = Path("/etc/pip.conf")) -> str:
    """Return what pip's files and variables say, as one file; a later one wins."""
    files = [system, home / ".pip" / "pip.conf", home / ".config" / "pip" / "pip.conf"]
    if named := variables.get("PIP_CONFIG_FILE"):
        files.append(Path(named))
    found = configparser.RawConfigParser()
    found.read([path for path in files if path.is_file()], encoding="utf-8")
    said: dict[str, str] = {}
    for section in _PIP_SECTIONS:
        if found.has_section(section):
            said |= {key.replace("-", "_"): value for key, value in found.items(section)}
    said |= {
        name.removeprefix("PIP_").lower(): value
        for name, value in variables.items()
        if name.startswith("PIP_") and value
    }
    kept = {name: value for name, value in said.items() if name not in _PIP_LEFT_OUT}
    kept["cert"] = str(CERTIFICATES)
    indented = {name: "\n    ".join(value.split()) for name, value in kept.items()}
    lines = [f"{name.replace('_', '-')} = {value}" for name, value in indented.items()]
    return "\n".join(["[global]", *lines]) + "\n"


def uv_toml(
    variables: Mapping[str, str], home: Path, system: Path = Path("/etc/uv/uv.toml")
) -> str:
    """Return what uv's file and variables say, as one file; variables win."""
    files = [home / ".config" / "uv" / "uv.toml", system]
    if named := variables.get("UV_CONFIG_FILE"):
        files.insert(0, Path(named))
    text = next((path.read_text(encoding="utf-8") for path in files if path.is_file()), "")
    said = tomllib.loads(text)
    if "system-certs" not in said:  # its newer name
        said = {"native-tls": True, **said}
    said |= {key: variables[name] for name, key in _UV_SETTINGS.items() if variables.get(name)}
    if extra := variables.get("UV_EXTRA_INDEX_URL", "").split():
        said["extra-index-url"] = extra
    indexes = [_index(given) for given in variables.get("UV_INDEX", "").split()]
    indexes += said.pop("index", [])
    if default := variables.get("UV_DEFAULT_INDEX"):
        indexes = [each for each in indexes if not each.get("default")]
        indexes.append({**_index(default), "default": True})
    if indexes:
        said["index"] = indexes
    return "".join(f"{key} = {_toml(value)}\n" for key, value in said.items())


def _index(given: str) -> dict[str, Any]:
    """Return an index that is given as a URL or as name=URL."""
    name, separator, url = given.partition("=")
    return {"url": url, "name": name} if separator and "/" not in name else {"url": given}


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return value.isoformat() if isinstance(value, date | time) else json.dumps(value)
