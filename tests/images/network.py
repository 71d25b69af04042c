"""How a build reaches the package index that this machine is told to use.

What is said in pip's and uv's files and variables is written into files of a folder, which are
mounted where both look for what the system says. A variable would stay in the image; of a mounted
file nothing does, as the stand-in bases have an empty one in each of these places.
"""

import configparser
import os
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

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
# What these variables say, as uv.toml says it; the last two are tables.
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
    return "\n".join(
        ["[global]", *(f"{name.replace('_', '-')} = {value}" for name, value in indented.items())]
    )


def uv_toml(
    variables: Mapping[str, str], home: Path, system: Path = Path("/etc/uv/uv.toml")
) -> str:
    """Return what uv's file and variables say, as one file."""
    files = [home / ".config" / "uv" / "uv.toml", system]
    if named := variables.get("UV_CONFIG_FILE"):
        files.insert(0, Path(named))
    text = next((path.read_text(encoding="utf-8") for path in files if path.is_file()), "")
    there = tomllib.loads(text)
    lines = [] if {"native-tls", "system-certs"} & there.keys() else ["native-tls = true"]
    for name, key in _UV_SETTINGS.items():
        if (value := variables.get(name)) and key not in there:
            lines.append(f'{key} = "{value}"')
    if (
        extra := variables.get("UV_EXTRA_INDEX_URL", "").split()
    ) and "extra-index-url" not in there:
        lines.append(f"extra-index-url = {extra}".replace("'", '"'))
    tables = [_index(url) for url in variables.get("UV_INDEX", "").split()]
    if default := variables.get("UV_DEFAULT_INDEX"):
        tables.append(f"{_index(default)}\ndefault = true")
    return "\n".join([*lines, text, *tables]) + "\n"


def _index(given: str) -> str:
    """Return the table of an index that is given as a URL or as name=URL."""
    name, separator, url = given.partition("=")
    named = separator and "/" not in name
    return f'[[index]]\nurl = "{url}"\nname = "{name}"' if named else f'[[index]]\nurl = "{given}"'
