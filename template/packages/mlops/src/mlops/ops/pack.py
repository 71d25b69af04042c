"""Collects what an auditor is handed of a version, from everywhere it is kept.

What cannot be read is missing with its reason, and hides nothing else.
"""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import APPROVALS, CARD, EVALUATION, LINEAGE, SIGNATURE, VERDICT
from mlops.artifacts.version_folder import PLOTS, SEAL, VersionFolder
from mlops.errors import ConfigError, MlopsError
from mlops.files import file_hashes
from mlops.governance.audit.log import read_entries
from mlops.governance.audit.record import verified
from mlops.governance.audit.table import chosen, to_csv
from mlops.governance.human_part import FILE as HUMAN
from mlops.governance.human_part import read_human_part
from mlops.governance.pack import Gap, Item, Pack, refused_gaps, shared_results, unrecorded
from mlops.governance.readiness import lacks
from mlops.governance.recorded_tests import read_record
from mlops.hints import typed
from mlops.ops.bom import bom_of_version
from mlops.ops.claimed_tests import record_of
from mlops.ops.lineage import version_lineage
from mlops.platforms import open_platform
from mlops.platforms.base import ModelVersion, Platform
from mlops.progress import Report
from mlops.release.readiness import demands_of, evidence_of_version
from mlops.settings.loading import LoadedSettings, flatten, load_settings
from mlops.signing.folder import require_untampered
from mlops.signing.policy import trust_of

OBLIGATIONS = Path("docs") / "obligations.md"
_NAMES = VersionFolder(Path())
_VERSION_FILES: Mapping[str, str] = {
    _NAMES.model_card.name: "the model card as it was registered",
    _NAMES.card_page.name: "the same as a page",
    CARD.name: "the same for programs",
    LINEAGE.name: "where the version comes from, as it was registered, with the hash of each file",
    SIGNATURE.name: "what callers send and are answered; each example is of its column alone",
    SEAL: "the signature of all files of the version's folder",
}
_FREE_TEXT = "candidate.log"
"""What a server printed, which may quote a request."""


@dataclass
class _Collected:
    """What was found so far; reasons name paths from `root`, which is this machine's."""

    root: Path
    items: dict[str, Item] = field(default_factory=dict)
    missing: list[Gap] = field(default_factory=list)
    left_out: list[Gap] = field(default_factory=list)
    later: tuple[Mapping[str, Any], ...] = ()

    def add(self, path: str, content: bytes | str, about: str) -> None:
        data = content.encode() if isinstance(content, str) else content
        self.items[path] = Item(path, data, about)

    def add_json(self, path: str, content: object, about: str) -> None:
        self.add(path, json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", about)

    @contextmanager
    def part(self, what: str) -> Iterator[None]:
        """Take what fails in the block for missing."""
        try:
            yield
        except MlopsError as error:
            self.missing.append(Gap(what, error.message.replace(f"{self.root}{os.sep}", "")))
        except OSError as error:
            self.missing.append(Gap(what, f"it could not be read: {error.strerror}"))


@dataclass(frozen=True)
class _Source:
    """What is asked."""

    settings: LoadedSettings
    platform: Platform
    version: ModelVersion
    report: Report

    @property
    def number(self) -> int:
        return self.version.version

    @property
    def root(self) -> Path:
        return self.settings.project.root

    def environments(self) -> Iterator[tuple[str, LoadedSettings]]:
        project = self.settings.project
        for name in project.environments():
            yield name, load_settings(project, name, clock=self.settings.clock)


def pack_of_version(
    settings: LoadedSettings, number: int, results: Sequence[Path], report: Report
) -> Pack:
    """Return what is recorded of a version, and what is missing.

    Args:
        settings: of any environment.
        number: the registered version.
        results: what runs of the tests wrote; none: what was recorded last.
        report: receives lines about the progress.

    Raises:
        ConfigError: there is no such version.
        PlatformError: the registry does not answer.
    """
    platform = open_platform(settings)
    source = _Source(settings, platform, platform.version(number), report)
    found = _Collected(settings.project.root)
    _version(source, found)
    _lineage(source, found)
    approvals = _evidence(source, found)
    _audit(source, found)
    _bill(source, found)
    _tests(results or record_of(settings.project.state_dir), found)
    _people(source, found)
    _settings(source, found)
    _gate(source, approvals, found)
    items = tuple(found.items[path] for path in sorted(found.items))
    missing, left_out = tuple(found.missing), tuple(found.left_out)
    return Pack(source.version.name, number, items, missing, left_out, found.later)


def _version(source: _Source, found: _Collected) -> None:
    source.report(f"reading the folder of version {source.number}")
    folder = source.version.folder
    with found.part("the files as they were registered"):
        said = require_untampered(folder, trust_of(source.settings))
        found.add_json(
            "version/untampered.json",
            {"schema": 1, "model_version": source.number, "found": said},
            f"what a comparison of the folder with its signature found: {said}",
        )
    there = file_hashes(folder) if folder.is_dir() else {}
    plots = {name: "a picture of the card" for name in there if name.startswith(f"{PLOTS}/")}
    for name, about in {**_VERSION_FILES, **plots}.items():
        if name in there:
            with found.part(f"version/{name}"):
                found.add(f"version/{name}", (folder / name).read_bytes(), about)
        else:
            why = "nothing signed it" if name == SEAL else "the version's folder does not hold it"
            found.missing.append(Gap(f"version/{name}", why))
    why = "the model, or made of rows of its data; lineage.json names its hash"
    rest = (name for name in there if name not in {*_VERSION_FILES, *plots})
    found.left_out += [Gap(f"version/{name}", why) for name in rest]
    with found.part(EVALUATION.name):
        _said(found, EVALUATION.name, VersionFolder(folder).card().get("evaluation"), CARD.name)
    with found.part(VERDICT.name):
        _said(found, VERDICT.name, VersionFolder(folder).lineage().get("verdict"), LINEAGE.name)


def _said(found: _Collected, name: str, content: object, of: str) -> None:
    if not content:
        raise ConfigError(f"the version's {of} does not say it")
    found.add_json(f"evaluation/{name}", content, f"as the version's {of} says it")


def _lineage(source: _Source, found: _Collected) -> None:
    with found.part("lineage"):
        told = version_lineage(source.settings, source.platform, source.number, source.report)
        found.add_json(
            "lineage/now.json",
            told,
            "where the version comes from, what came later, where it is deployed now",
        )
        found.later = tuple(told["later"])
        found.missing += [Gap("what came later", f"not read: {each}") for each in told["not_read"]]
        found.missing += [
            Gap(f"{each} of the lineage", "it was not recorded")
            for each in unrecorded(told["origin"])
        ]


def _evidence(source: _Source, found: _Collected) -> dict[str, Any]:
    """Collect what is kept of releases; return the newest approvals of each environment."""
    approvals: dict[str, Any] = {}
    with found.part("release evidence"):
        kept = [each.name for each in source.platform.evidence(source.number)]
        if not kept:
            command = typed(f"evidence keep --model-version {source.number} --release …")
            raise ConfigError(f"none is kept beside the version ({command} keeps it)")
        for name in sorted(kept):
            with (
                found.part(f"evidence/{name}"),
                tempfile.TemporaryDirectory() as parent,
            ):
                source.report(f"reading the evidence {name}")
                folder = Path(parent) / name
                source.platform.fetch_evidence(source.number, name, folder)
                _evidence_folder(folder, found)
                if (folder / APPROVALS.name).is_file():
                    content = APPROVALS.read(folder)
                    # one that names no version is of the run that it is kept of
                    number = content.get("model_version") or source.number
                    approvals[str(content["environment"])] = {**content, "model_version": number}
    return approvals


def _evidence_folder(folder: Path, found: _Collected) -> None:
    for name in file_hashes(folder):
        path = f"evidence/{folder.name}/{name}"
        if Path(name).name == _FREE_TEXT:
            found.left_out.append(Gap(path, "what a server printed, which may quote a request"))
        else:
            about = "evidence of a release, kept beside the version"
            names = ", with the names of who approved" if name == APPROVALS.name else ""
            found.add(path, (folder / name).read_bytes(), f"{about}{names}")


def _audit(source: _Source, found: _Collected) -> None:
    source.report("reading the audit log")
    with found.part("audit/verify.json"):
        chain = verified(source.platform, source.settings)
        content = chain.to_dict()
        content["intents_without_outcome"] = [
            each.to_dict() for each in chain.open_acts if each.version == source.number
        ]
        state = "whole" if chain.whole else "broken"
        about = f"what verification of the whole log found: {chain.count} lines, {state}"
        found.add_json("audit/verify.json", content, about)
        found.missing += [Gap("a whole audit log", each.sentence) for each in chain.findings]
    with found.part("audit/acts.csv"):
        entries = chosen(read_entries(source.platform.audit()), version=source.number)
        if not entries:
            raise ConfigError("the audit log has no line about this version")
        about = f"the {len(entries)} lines about this version, with the names of who acted"
        found.add("audit/acts.csv", to_csv(entries), about)


def _bill(source: _Source, found: _Collected) -> None:
    with found.part("bom.json"):
        text = bom_of_version(source.settings, source.number, source.report)
        found.add("bom.json", text, "bill of materials of version and serving environment")


def _tests(paths: Sequence[Path], found: _Collected) -> None:
    for path in paths:
        name = f"tests/{path.name}"
        with found.part(name):
            if not path.is_file():
                raise ConfigError(f"no run is recorded ({typed('maturity --run')} records one)")
            if name in found.items:
                raise ConfigError(f"{path} is called as another one is")
            outcomes = Counter(each.value for each in read_record([path]).outcomes.values())
            if not outcomes:
                raise ConfigError("it holds no test")
            said = ", ".join(f"{count} {word}" for word, count in sorted(outcomes.items()))
            about = f"a run of tests, which does not say of which commit: {said}"
            found.add(name, shared_results(path.read_bytes(), path.name), about)


def _people(source: _Source, found: _Collected) -> None:
    with found.part(HUMAN):
        human = read_human_part(source.root)
        if human is None:
            raise ConfigError("there is no such file")
        about = f"what people wrote of the model, as it is now: {_since_then(source, human.sha256)}"
        found.add(HUMAN, (source.root / HUMAN).read_bytes(), about)
    with found.part(OBLIGATIONS.as_posix()):
        about = "which duty each of these files supports, and what is yours to write"
        found.add(OBLIGATIONS.name, (source.root / OBLIGATIONS).read_bytes(), about)


def _since_then(source: _Source, sha256: str) -> str:
    """Return how the human part stands to the one that was registered."""
    try:
        then = (VersionFolder(source.version.folder).card().get("human") or {}).get("sha256")
    except MlopsError:
        then = None
    if then is None:
        return "the version's card holds none"
    return "the same as in the version's card" if then == sha256 else "changed since registration"


def _settings(source: _Source, found: _Collected) -> None:
    with found.part("settings"):
        for name, own in source.environments():
            values = {
                key: {"value": value, "source": own.source_of(key)}
                for key, value in flatten(own.values).items()
            }
            content = {"schema": 1, "environment": name, "settings": values}
            about = f"the settings in effect for {name}, and where each is from"
            found.add_json(f"settings/{name}.json", content, about)


def _gate(source: _Source, approvals: Mapping[str, Any], found: _Collected) -> None:
    with found.part("gate.json"):
        evidence = evidence_of_version(source.version, source.settings)
        refused = {
            name: lacks(
                replace(evidence, approvals=approvals.get(name, evidence.approvals)),
                demands_of(own),
            )
            for name, own in source.environments()
        }
        content = {name: [each.to_dict() for each in said] for name, said in refused.items()}
        about = "what each environment would refuse of the version, by what is recorded"
        found.add_json("gate.json", {"schema": 1, "refuses": content}, about)
        found.missing += refused_gaps(refused)
