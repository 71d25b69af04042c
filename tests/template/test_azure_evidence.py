"""What the pages say of Azure: each statement with how it is known, and nothing called tested."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Template
from tools.worktree import ROOT, tracked_files

PAGE = ROOT / "template" / "docs" / "azure-evidence.md"
WORDS = {"proven", "run here", "inferred", "guess"}
LINK = re.compile(r"\]\(https://[\w./@-]+\)")
FILE = re.compile(r"`((?:tests|packages)/[\w./-]+)`")
SPEAK_OF_AZURE = ("azure.md", "going-live.md", "pipeline.md", "aml.md", "serving.md")
CLAIM = re.compile(
    r"(?i)\b(?:tested|tried|verified|validated|proven|checked|confirmed|seen|run|ran|runs|works|"
    r"working|deployed)\b[^.,;:|]{0,40}\b(?:on|in|with|against|by) (?:real |the real )?azure\b"
    r"(?! machine learning's own)"
)
NEGATED = re.compile(
    r"(?i)\b(?:no|not|none|never|nothing|nobody|neither|without|until|before|when|if|unless|"
    r"are made to|guess|how|what)\b"
)
# What someone is told to do, or a name, not a claim that it was done.
NO_CLAIM = re.compile(r"(?i)from here on every push|the first run on azure")


def rows(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield statement, word and source of each row."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and cells[0] != "Statement" and set(cells[0]) != {"-"}:
            yield cells[0], cells[1], cells[2]


def faults(text: str, root: Path = ROOT) -> list[str]:
    """Say what is wrong with rows of the table."""
    found = []
    for statement, word, source in rows(text):
        missing = [
            path
            for path in FILE.findall(source)
            if not (root / path).exists() and not (root / "template" / path).exists()
        ]
        wrong = {
            "none of the four words": word not in WORDS,
            "names no document": word == "proven" and not LINK.search(source),
            "names no file that runs it": word == "run here" and not FILE.search(source),
            "says not from what": word == "inferred"
            and not (LINK.search(source) or "report" in source),
            "says not what to look at": word == "guess" and "look: " not in source,
            f"there is no {', '.join(missing)}": bool(missing),
        }
        found += [f"{statement}: {what}" for what, is_so in wrong.items() if is_so]
    return found


def claims(text: str) -> list[str]:
    """Return sentences that say of something that it ran on Azure."""
    sentences = re.split(r"(?<=[.;:!?])\s+|\n\s*\n|\n(?=[-|#])|\|", text)
    return [
        " ".join(sentence.split())
        for sentence in sentences
        if CLAIM.search(" ".join(sentence.split()))
        and not NEGATED.search(sentence)
        and not NO_CLAIM.search(sentence)
    ]


def texts() -> list[Path]:
    """Return the files that people read about a project or the template."""
    return [
        ROOT / path
        for path in tracked_files()
        if re.search(r"\.md(\.jinja)?$", path.name) and path.parts[0] != "tests"
    ]


def test_each_statement_says_how_it_is_known() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = [word for _, word, _ in rows(text)]
    assert len(found) > 60
    assert set(found) == WORDS
    assert faults(text) == []
    statements = [statement for statement, _, _ in rows(text)]
    assert len(statements) == len(set(statements))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("| it works | tested | [x](https://example.com) |", "none of the four words"),
        ("| it works | proven | everybody knows |", "names no document"),
        ("| it works | proven | `tests/infra` |", "names no document"),
        ("| it works | run here | on my machine |", "names no file that runs it"),
        (
            "| it works | run here | `tests/azure/test_gone.py` |",
            "there is no tests/azure/test_gone",
        ),
        ("| it works | inferred | somehow |", "says not from what"),
        ("| it works | guess | perhaps |", "says not what to look at"),
    ],
)
def test_a_row_without_evidence_is_noticed(row: str, words: str) -> None:
    (fault,) = faults(row)
    assert words in fault


@pytest.mark.parametrize("path", texts(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_page_says_that_something_ran_on_azure(path: Path) -> None:
    assert claims(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("sentence", "is_claim"),
    [
        ("The whole life cycle was tested on Azure.", True),
        ("It is green. Releases were verified\nagainst real Azure.", True),
        ("This works on Azure.", True),
        ("| rollback | runs on Azure |", True),
        ("Nothing was tested on Azure.", False),
        ("Nobody ran these steps on Azure: read on.", False),
        ("It was checked by emulation: clients against an emulator of Azure ML.", False),
        ("All of it runs on Azure ML since May.", True),
    ],
)
def test_a_claim_is_noticed(sentence: str, is_claim: bool) -> None:
    assert bool(claims(sentence)) is is_claim


@pytest.mark.parametrize("infrastructure", ["bicep", "none"])
def test_pages_on_azure_lead_to_the_table(
    template: Template, tmp_path: Path, infrastructure: str
) -> None:
    project = template.render(tmp_path / "project", infrastructure=infrastructure)
    there = [project / "README.md", *(project / "docs" / name for name in SPEAK_OF_AZURE)]
    costs = project / "docs" / "cost-and-teardown.md"
    for page in (*there, *([costs] if costs.exists() else [])):
        assert "azure-evidence.md" in page.read_text(encoding="utf-8"), page.name
