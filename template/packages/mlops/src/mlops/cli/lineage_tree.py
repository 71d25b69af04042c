"""Lineage as a tree for people, at most 80 columns wide where no word is longer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text
from rich.tree import Tree

from mlops.governance.later import APPROVAL, CHECKS

NOT_RECORDED = "not recorded"
_SHOWN = 16
"""Characters of a hash that are shown: enough to look for. `--json` has all."""


def version_tree(found: Mapping[str, Any]) -> Tree:
    """Return what `version_lineage` found as a tree."""
    model = found["origin"]["model"]
    name = f"{model['name'] or NOT_RECORDED} version {found['model_version']}"
    tree = Tree(Text(name, style="bold"))
    tree.add(_files(found["changed_files"]))
    signature = found["signature"]
    refused = "" if signature["holds"] is not False else "DOES NOT HOLD: "
    tree.add(_line("signature", f"{refused}{signature['said']}"))
    _origin(tree, found["origin"])
    _branch(tree, "what came later", happening_lines(found["later"]))
    _branch(tree, "serves now", map(_serves, found["serves"]), nothing="nowhere")
    _not_read(tree, found["not_read"])
    return tree


def endpoint_tree(found: Mapping[str, Any]) -> Tree:
    """Return what `endpoint_lineage` found as a tree."""
    head = f"{found['environment']} answers at {found['url'] or NOT_RECORDED}"
    tree = Tree(Text(head, style="bold"))
    for each in found["deployments"]:
        said = f"{each['deployment']}: version {each['model_version']}, {each['share']} % of the "
        part = tree.add(Text(f"{said}traffic, {each['state']}", style="bold"))
        if not each["share"]:
            continue
        part.add(_line("model file", _MODEL_FILE[each["model_file"]]))
        part.add(_line("made of", each["made_of"]))
        if each["origin"]:
            part.add(_files(each["changed_files"]))
            _origin(part, each["origin"])
        _approvals(part, each["later"], found)
        others = [told for told in each["later"] if told["what"] != APPROVAL]
        _branch(part, "releases, traffic and checks", happening_lines(others))
        _not_read(part, each["not_read"])
    return tree


_MODEL_FILE = {
    "same": "the one that was registered",
    "differs": "NOT the one that was registered",
    "not known": "not known whether it is the one that was registered",
}


def _files(changed: Sequence[str] | None) -> Text:
    said = "CHANGED since: " + ", ".join(changed) if changed else "those that were registered"
    return _line("files", None if changed is None else said)


def _approvals(
    tree: Tree, happenings: Iterable[Mapping[str, Any]], found: Mapping[str, Any]
) -> None:
    approvals = [_happening(each) for each in happenings if each["what"] == APPROVAL]
    asked = f"{NOT_RECORDED} (approvals.required of {found['environment']}: "
    _branch(tree, "approval", approvals, nothing=f"{asked}{found['approvals_asked']})")


def _origin(tree: Tree, origin: Mapping[str, Any]) -> None:
    _made(tree, origin)
    _data(tree, origin["data"])
    training = origin["training"]
    part = tree.add("training")
    part.add(_line("estimator", training["model_type"]))
    part.add(_line("parameters", _parameters(training["params"])))
    part.add(_line("seed", training["seed"]))
    part.add(_line("rows", _number(training["rows"])))
    _gate(tree, origin["gate"])


def _made(tree: Tree, origin: Mapping[str, Any]) -> None:
    part, environment = tree.add("made"), origin["environment"]
    part.add(_line("registered", _minute(origin["registered_at"])))
    part.add(_line("run", origin["run"]["id"]))
    page = origin["run"]["pipeline"]
    part.add(_line("pipeline", "none: outside of a pipeline" if page == "" else page))
    part.add(_line("commit", _commit(origin["code"])))
    python = environment["python"] or NOT_RECORDED
    packages = _hash(environment["packages_sha256"])
    part.add(_line("environment", f"Python {python}, packages {packages}"))
    part.add(_line("parent", _parent(origin["parent"])))
    candidate = origin["candidate"]
    part.add(_line("retraining", "none" if candidate is None else _candidate(candidate)))


def _data(tree: Tree, data: Mapping[str, Any]) -> None:
    part, source = tree.add("data"), data["source"]
    part.add(_line("content hash", _hash(data["hash"])))
    part.add(_line("source", data["words"] if source["kind"] != "unknown" else None))
    days = [data["first_day"], data["last_day"]]
    part.add(_line("days", " to ".join(days) if all(days) else None))
    part.add(_line("reference date", data["reference_date"]))
    part.add(_line("features end on", data["cutoff"]))
    part.add(_line("rows", _number(data["rows"])))
    _branch(part, "files", (f"{name}: {_hash(text)}" for name, text in source["files"].items()))


def _gate(tree: Tree, gate: Mapping[str, Any]) -> None:
    word = {True: "passed", False: "REFUSED"}.get(gate["passed"], NOT_RECORDED)
    when = "" if gate["judged_at"] is None else f", judged {_minute(gate['judged_at'])}"
    part = tree.add(_line("gate", f"{word}{when}"))
    for each in gate["checks"] or []:
        part.add(Text(f"{each['name']}: {each['found']}, asked: {each['asked']}"))


def _commit(code: Mapping[str, Any]) -> str | None:
    if code["commit"] is None:
        return None
    dirty = {True: "with uncommitted changes", False: "no uncommitted changes"}
    word = dirty.get(code["dirty"], f"uncommitted changes: {NOT_RECORDED}")
    return f"{code['commit'] or 'none'} ({word})"


def _parent(parent: Mapping[str, Any]) -> str | None:
    if parent["version"] is None and parent["note"] is None:
        return None
    note = f" ({parent['note']})" if parent["note"] else ""
    if parent["version"] is None:
        return f"none: it was compared with no champion{note}"
    return f"version {parent['version']}, the champion it was compared with{note}"


def _candidate(candidate: Mapping[str, Any]) -> str:
    cause, reason = candidate.get("cause"), candidate.get("reason")
    place = f"for version {candidate.get('reference')} of {candidate.get('environment')}"
    return f"candidate {candidate.get('id')} {place}, cause: {cause} ({reason})"


def happening_lines(happenings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each happening, but of a kind of check in an environment for the newest."""
    kinds = [(each["environment"], each["what"]) for each in happenings]
    newest = {kind: n for n, kind in enumerate(kinds)}
    for n, (each, kind) in enumerate(zip(happenings, kinds, strict=True)):
        if each["what"] not in CHECKS:
            yield _happening(each)
        elif newest[kind] == n:
            count = kinds.count(kind)
            more = f" (the newest of {count})" if count > 1 else ""
            yield f"{_happening(each)}{more}"


def _happening(each: Mapping[str, Any]) -> str:
    where = f" {each['environment']}:" if each["environment"] else ""
    detail = f" ({each['detail']})" if each["detail"] else ""
    page = f", {each['page']}" if each["page"] else ""
    head = f"{_minute(each['time']) or NOT_RECORDED}{where} {each['what']}: {each['outcome']}"
    return f"{head}{detail}{page} [{each['place']}]"


def _serves(each: Mapping[str, Any]) -> str:
    return f"{each['environment']}: {each['deployment']}, {each['share']} %, {each['state']}"


def _not_read(tree: Tree, problems: Sequence[str]) -> None:
    if problems:
        _branch(tree, "could not be read, so it may tell more", problems)


def _branch(tree: Tree, title: str, lines: Iterable[str], nothing: str = NOT_RECORDED) -> None:
    """Add lines below a title, or beside it what is said where there are none."""
    found = list(lines)
    if not found:
        tree.add(_line(title, nothing))
        return
    part = tree.add(title)
    for each in found:
        part.add(Text(each))


def _line(label: str, value: object) -> Text:
    return Text(f"{label}: {NOT_RECORDED if value in (None, '') else value}")


def _hash(text: object) -> str:
    found = str(text or NOT_RECORDED)
    return found if len(found) <= _SHOWN else f"{found[:_SHOWN]}…"


def _number(value: object) -> str | None:
    return f"{value:,}" if isinstance(value, int) else None


def _minute(time: object) -> str:
    return str(time or "")[:16].replace("T", " ")


def _parameters(params: object) -> str | None:
    if not isinstance(params, Mapping):
        return None
    return ", ".join(f"{name} {value}" for name, value in params.items()) or "none"
