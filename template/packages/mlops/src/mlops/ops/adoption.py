"""What a repository that adopted the template has still to add to files of its own.

docs/adopting.md shows it, in blocks that say of which file they are; here each block is compared
with the file. What is there counts, however it is ordered.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.diagnosis import Diagnosis
from mlops.ops.template_source import ANSWERS, Recorded, recorded

PAGE = "docs/adopting.md"
SETTINGS = "pyproject.toml"
WORKFLOWS = ".github/workflows"
_BLOCK = re.compile(r"^```(toml|text) (\S+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FREE = {"name", "title", "description", "team", "contact"}
"""Keys of [tool.mlops] whose text is the team's to change."""
_WORDS = {"addopts"}
"""Keys whose value is a list of words in one text."""


@dataclass(frozen=True)
class Block:
    """What is to stand in a file.

    Attributes:
        file: its path, or the folder of several of which one is enough.
        kind: what it is for, if not for the commands themselves.
        text: TOML for pyproject.toml, else lines.
    """

    file: str
    kind: str
    text: str


def adoption(start: Path) -> list[Diagnosis]:
    """Say what is to be added to which file; nothing unless the repository adopted the template.

    Args:
        start: a folder of the repository.
    """
    here = start.resolve()
    roots = [folder for folder in (here, *here.parents) if (folder / ANSWERS).is_file()]
    found = recorded(roots[0]) if roots else None
    if found is None or not found.adopted:
        return []
    blocks = blocks_of(_read(roots[0] / PAGE))
    if not blocks:
        remedy = f"take {PAGE} from git as the template wrote it"
        return [Diagnosis(PAGE, False, "not checked: the page shows no block", remedy, False)]
    return [_diagnosis(roots[0], block) for block in blocks if _concerns(block, found)]


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of the page, each fenced with the kind of text and a file's name."""
    return [Block(file, kind or "", text) for _, file, kind, text in _BLOCK.findall(page)]


def lacking(block: Block, there: str) -> list[str]:
    """Return what of a block is not in a file's text: keys of TOML, or lines.

    Raises:
        tomllib.TOMLDecodeError: the file's text is not TOML.
    """
    if block.file == SETTINGS:
        return _lacking_keys(tomllib.loads(block.text), tomllib.loads(there), ())
    stripped = {line.strip() for line in there.splitlines()}
    inside = block.file == WORKFLOWS
    wanted = [line for line in block.text.splitlines() if line.strip()]
    return [line for line in wanted if not (line in there if inside else line.strip() in stripped)]


def _lacking_keys(
    wanted: Mapping[str, Any], there: Mapping[str, Any], path: tuple[str, ...]
) -> list[str]:
    found: list[str] = []
    for key, value in wanted.items():
        here = (*path, key)
        named = ".".join(here)
        if key not in there:
            found.append(named)
        elif isinstance(value, Mapping) and isinstance(there[key], Mapping):
            found += _lacking_keys(value, there[key], here)
        elif isinstance(value, list) and isinstance(there[key], list):
            found += _lacking_items(value, there[key], named)
        elif not _agrees(here, value, there[key]):
            found.append(f"{named} = {value}")
    return found


def _lacking_items(wanted: list[Any], there: list[Any], named: str) -> list[str]:
    """Return which items are missing; a requirement is there with whatever version."""
    group = named.startswith("dependency-groups.")
    have = [_package(each) for each in there] if group else there
    missing = [each for each in wanted if (_package(each) if group else each) not in have]
    return [f"{named}: {each}" if isinstance(each, str) else named for each in missing]


def _package(requirement: object) -> str:
    found = re.match(r"\s*([\w.-]+(?:\[[^\]]*\])?)", str(requirement))
    name = found[1] if found else str(requirement)
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def _agrees(path: tuple[str, ...], wanted: object, there: object) -> bool:
    if path[:2] == ("tool", "mlops") and path[-1] in _FREE:
        return isinstance(there, str)
    if path[-1] in _WORDS:
        words = there if isinstance(there, list) else str(there).split()
        joined = " ".join(map(str, words))
        return str(wanted) in joined
    return wanted == there


def _concerns(block: Block, found: Recorded) -> bool:
    """Tell whether a block is asked for: what came with the template holds it already."""
    return block.file in (SETTINGS, WORKFLOWS) or block.file in found.kept


def _diagnosis(root: Path, block: Block) -> Diagnosis:
    needed = block.file == SETTINGS and not block.kind
    name = f"{block.file}, {block.kind}" if block.kind else block.file
    remedy = f"{PAGE} shows the block to add"
    try:
        missing = lacking(block, _text_of(root / block.file))
    except tomllib.TOMLDecodeError as error:
        return Diagnosis(name, False, f"is not valid TOML: {error}", remedy, needed)
    if not missing:
        return Diagnosis(name, True, "has what the template needs there")
    return Diagnosis(name, False, f"lacks {', '.join(missing)}", remedy, needed)


def _text_of(path: Path) -> str:
    """Return a file's text, or that of all workflows of a folder."""
    if not path.is_dir():
        return _read(path)
    files = [each for each in sorted(path.iterdir()) if each.suffix in (".yml", ".yaml")]
    return "\n".join(map(_read, files))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return ""
