"""What an auditor is handed of one version: its files, the page that lists them, and one zip.

The same content has the same bytes. What belongs there and is not there stands on the page with its
reason, and so does what was left out since it may hold rows of data.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree  # nosec B405  # files of the project's own tests

from mlops.errors import ConfigError
from mlops.governance.readiness import Lack
from mlops.html_page import page_environment
from mlops.markdown import escaped, table

INDEX, PAGE = "INDEX.md", "index.html"
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a zip can say."""
_OUTPUT = {"system-out", "system-err", "properties"}
_RESULTS = {"failure", "error", "skipped"}


@dataclass(frozen=True)
class Item:
    """One file of the pack.

    Attributes:
        path: in the zip.
        content: its bytes.
        about: what it is, and what is to be known of it.
    """

    path: str
    content: bytes
    about: str

    @property
    def sha256(self) -> str:
        """The SHA-256 of its bytes as 64 hex digits."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Gap:
    """What is not in the pack, and why: it is missing, or was left out."""

    what: str
    why: str


@dataclass(frozen=True)
class Pack:
    """All that an auditor is handed of a version.

    Attributes:
        name: the model's.
        version: its number.
        items: the files, in order of their paths.
        missing: what belongs there and is not there.
        left_out: what is there and was left out.
        later: what came after the registration, as `mlops lineage` tells it.
    """

    name: str
    version: int
    items: tuple[Item, ...]
    missing: tuple[Gap, ...]
    left_out: tuple[Gap, ...]
    later: tuple[Mapping[str, Any], ...] = ()

    @property
    def stem(self) -> str:
        """What its file is called, without an ending."""
        return f"{self.name}-{self.version}"

    def to_dict(self) -> dict[str, Any]:
        """Return what the page says, for programs."""
        return {
            "schema": 1,
            "model": {"name": self.name, "version": self.version},
            "files": [
                {"path": each.path, "sha256": each.sha256, "about": each.about}
                for each in self.items
            ],
            "missing": [{"what": each.what, "why": each.why} for each in self.missing],
            "left_out": [{"what": each.what, "why": each.why} for each in self.left_out],
        }


@dataclass(frozen=True)
class Part:
    """A part of the page: a table, or a sentence where it has no row."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str


def parts(pack: Pack) -> tuple[Part, ...]:
    """Return what the page says, first what is missing."""
    happened = tuple(
        tuple(str(each[name]) for name in ("time", "what", "environment", "outcome", "detail"))
        for each in pack.later
    )
    return (
        Part("What is missing", ("what", "why"), _rows(pack.missing), "Nothing was found missing."),
        Part(
            "What is in it",
            ("file", "what it is", "SHA-256"),
            tuple((each.path, each.about, each.sha256) for each in pack.items),
            "Nothing.",
        ),
        Part("What was left out", ("what", "why"), _rows(pack.left_out), "Nothing."),
        Part(
            "What happened since the registration",
            ("time", "what", "environment", "outcome", "said"),
            happened,
            "Nothing is recorded, or it could not be read.",
        ),
    )


def index_text(pack: Pack) -> str:
    """Return the page as Markdown."""
    lines = [f"# {escaped(pack.name)}, version {pack.version}: what is recorded of it"]
    for part in parts(pack):
        body = table(part.columns, part.rows) if part.rows else [part.empty]
        lines += ["", f"## {part.heading}", "", *body]
    return "\n".join(lines) + "\n"


def index_page(pack: Pack) -> str:
    """Return the page as HTML that asks no host for anything."""
    text = files("mlops.governance").joinpath("pack.html").read_text(encoding="utf-8")
    return page_environment().from_string(text).render(pack=pack, parts=parts(pack))


def zipped(pack: Pack) -> bytes:
    """Return the pack as a zip with its two pages; the same content has the same bytes."""
    pages = {INDEX: index_text(pack).encode(), PAGE: index_page(pack).encode()}
    content = {**pages, **{each.path: each.content for each in pack.items}}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, data in content.items():
            entry = zipfile.ZipInfo(path, _MOMENT)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)
    return stream.getvalue()


def refused_gaps(refused: Mapping[str, Sequence[Lack]]) -> tuple[Gap, ...]:
    """Return what environments would refuse a version for, each thing once.

    Args:
        refused: what is lacking, by environment.
    """
    found: dict[Lack, list[str]] = {}
    for environment, lacking in refused.items():
        for each in lacking:
            found.setdefault(each, []).append(environment)
    return tuple(
        Gap(f"asked for by {', '.join(names)}", f"{lack.requirement.value}: {lack.said}")
        for lack, names in found.items()
    )


def unrecorded(origin: Mapping[str, Any], path: str = "") -> Iterable[str]:
    """Yield the places of an origin that nobody recorded, such as `data.rows`.

    A version without candidate, parent or pipeline lacks nothing.
    """
    for name, value in origin.items():
        place = f"{path}{name}"
        if place in ("candidate", "parent", "run.pipeline", "gate.warnings"):
            continue
        if isinstance(value, Mapping) and not path:
            yield from unrecorded(value, f"{place}.")
        elif value is None:
            yield place


def shared_results(content: bytes, name: str) -> bytes:
    """Return what a run of tests found, without what they printed or quoted, nor the machine.

    Args:
        content: JUnit's XML.
        name: what the file is called.

    Raises:
        ConfigError: it is no such XML.
    """
    try:
        root = ElementTree.fromstring(content)  # nosec B314  # as above
    except ElementTree.ParseError as error:
        raise ConfigError(f"{name} is no XML that pytest wrote: {error}") from None
    for each in root.iter():
        each.attrib.pop("hostname", None)
        if each.tag in _RESULTS:
            each.attrib.clear()
            each.text = None
        for child in [child for child in each if child.tag in _OUTPUT]:
            each.remove(child)
    shared: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return shared


def _rows(gaps: Iterable[Gap]) -> tuple[tuple[str, str], ...]:
    return tuple((each.what, each.why) for each in gaps)
