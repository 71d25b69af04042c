"""A profile as lines for people and assistants; it tells what its dictionary tells, and no more."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops.markdown import escaped, table

_WEIGHTS = {"note": "", "to_clean": "to clean: ", "ambiguous": "AMBIGUOUS: "}


def lines_of(profile: Mapping[str, Any]) -> list[str]:
    """Return a profile in Markdown.

    Args:
        profile: what `Profile.to_dict` returned.
    """
    limit = profile["hidden_below"]
    lines = [f"{profile['outcome']}: {_count(profile['rows'])} rows", ""]
    for file in profile["files"]:
        lines += _file(file)
    for kind, words in (("refused", "is not read"), ("passed_over", "is passed over")):
        lines += [f"- {each['name']} {words}: {each['why']}" for each in profile[kind]]
    if profile["columns"]:
        lines += ["", *_columns(profile["columns"])]
    if profile["further_columns"]:
        lines += ["", "There are further columns, which the contract does not name."]
    lines += _remarks(profile["columns"])
    return [*lines, "", f"Counts below {limit}, and what would say them, are not told."]


def _file(file: Mapping[str, Any]) -> list[str]:
    if file["problem"]:
        return [f"- {file['name']} cannot be read: {file['problem']}"]
    said = [f"{_count(file['rows'])} rows", file["form"]]
    if file["form"] == "CSV":
        said += [file["encoding"] or "encoding not certain", f"separator {file['separator']!r}"]
    lines = [f"- {file['name']}: {', '.join(said)}"]
    return lines + [f"  - {_remark(remark)}" for remark in file["remarks"]]


def _columns(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    head = ("column", "kind", "nulls", "different values", "values")
    rows = [
        (
            column["name"],
            column["kind"],
            _nulls(column),
            "each once" if column["unique"] else _count(column["distinct"]),
            _values(column),
        )
        for column in columns
    ]
    return table(head, rows)


def _nulls(column: Mapping[str, Any]) -> str:
    return _count(column["nulls"]) if column["has_nulls"] else "none"


def _count(count: int | None) -> str:
    return "not told" if count is None else f"{count:,}"


def _values(column: Mapping[str, Any]) -> str:
    if column["hidden"]:
        looks = column["looks_personal"]
        return f"hidden: {column['hidden']}" + (f", looks personal ({looks})" if looks else "")
    if column["least"] is not None:
        return f"{column['least']} to {column['greatest']}"
    if column["categories"]:
        return ", ".join(column["categories"]) + (
            ", rarer ones" if column["rarer_categories"] else ""
        )
    return ""


def _remarks(columns: Iterable[Mapping[str, Any]]) -> list[str]:
    lines = [
        f"- {escaped(column['name'])}: {_remark(remark)}"
        for column in columns
        for remark in column["remarks"]
    ]
    return ["", *lines] if lines else []


def _remark(remark: Mapping[str, Any]) -> str:
    return f"{_WEIGHTS[remark['weight']]}{remark['text']}"
