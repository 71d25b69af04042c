"""An error is a sentence and a remedy."""

import ast
import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import mlops
from mlops.diagnosis import Diagnosis, diagnose
from mlops.errors import ConfigError, Hold, MlopsError, PlatformError, Refused

SOURCE = Path(mlops.__file__).parent


def error_classes(trees: Iterable[ast.AST]) -> set[str]:
    """Return the names of MlopsError and of every class that is built on it."""
    bases = {
        node.name: {_name(base) for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"MlopsError"}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found


def glued(tree: ast.AST, errors: set[str]) -> Iterator[int]:
    """Yield the lines of errors whose message holds what separates it from its remedy."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _name(call.func) in errors | {"type()"}:
            named = [each.value for each in call.keywords if each.arg == "message"]
            parts = [part for word in (*call.args[:1], *named) for part in ast.walk(word)]
            texts = [str(part.value) for part in parts if isinstance(part, ast.Constant)]
            if any("; " in text for text in texts):
                yield call.lineno


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=ast.Name(id="type")):
            return "type()"
    return ""


@pytest.mark.parametrize(
    ("kind", "code"), [(Refused, 1), (ConfigError, 2), (PlatformError, 3), (Hold, 4)]
)
def test_an_error_reads_as_one_sentence_and_keeps_its_remedy(
    kind: type[MlopsError], code: int
) -> None:
    error = kind("a is missing; so is b", "make both")
    assert str(error) == "a is missing; so is b; make both"
    assert (error.message, error.remedy) == ("a is missing; so is b", "make both")
    assert error.exit_code == code
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.message, again.remedy) == (kind, error.message, error.remedy)


def test_an_error_may_have_no_remedy() -> None:
    error = Refused("the data are refused; all of them")
    assert str(error) == error.message
    assert error.remedy == ""


def test_a_diagnosis_takes_the_remedy_of_the_error_before_the_general_one() -> None:
    def fail(*words: str) -> str:
        raise ConfigError(*words)

    assert diagnose("x", lambda: "there", "help") == Diagnosis("x", True, "there", "")
    assert diagnose("x", lambda: fail("no; not"), "help") == Diagnosis(
        "x", False, "no; not", "help"
    )
    assert diagnose("x", lambda: fail("no", "do"), "help") == Diagnosis("x", False, "no", "do")


def test_no_message_holds_a_remedy() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")}
    errors = error_classes(trees.values())
    assert errors >= {"MlopsError", "ConfigError", "EndpointBusy", "Conflict"}
    assert [
        f"{path.relative_to(SOURCE)}:{line}"
        for path, tree in trees.items()
        for line in glued(tree, errors)
    ] == []


@pytest.mark.parametrize(
    "call",
    [
        'Refused("no; do")',
        'errors.Refused("no" "; do")',
        'Refused(f"{name} is bad; do")',
        'Refused(f"{name} is bad;" f" do {more}", "do")',
        "Refused(f\"bad: {'; '.join(names)}\")",
        'Refused(message="no; do")',
        'Late("no; do")',
        'type(error)(f"{error.message}; do", error.remedy)',
    ],
)
def test_a_remedy_in_a_message_is_found(call: str) -> None:
    classes = "class Refused(errors.MlopsError): ...\nclass Late(Refused): ...\n"
    tree = ast.parse(f"{classes}raise {call} from None")
    assert [*glued(tree, error_classes([tree]))] == [3]


@pytest.mark.parametrize(
    "call", ['MlopsError("no", "do; or not")', 'ValueError("no; do")', 'type("no; do")']
)
def test_what_is_no_message_may_hold_semicolons(call: str) -> None:
    assert [*glued(ast.parse(call), {"MlopsError"})] == []
