"""What each deployment asks of Azure, as committed: the checks that need no compiler.

Microsoft's compiler wrote what they read (`make azure`); where it is, `test_compiled.py` says
whether that is what infra/ asks for today. So without the compiler a change of infra/ is not seen,
and the last line of the run says that it is missing. What does run then: every right, setting, name
and address below, the actions of roles, what workflows sign in as, and the pages.
"""

import re
from pathlib import Path

import pytest

from tests.infra import access
from tests.infra.checks import CHECKS
from tests.infra.project import SLUG
from tools.azure_deployments import committed
from tools.azure_page import PAGE, page
from tools.azure_roles import OWN_ROLES
from tools.worktree import ROOT

CASES = [(check, name) for check, (_, names) in CHECKS.items() for name in names]


@pytest.mark.parametrize(("check", "name"), CASES)
def test_what_must_hold_holds(check: str, name: str) -> None:
    CHECKS[check][0](name, committed(name), SLUG)


def test_the_page_for_security_reviewers_says_the_same() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make azure`, and read the diff"


def test_whoever_signs_in_has_an_identity(projects: dict[str, Path]) -> None:
    assert access.signing_in(projects["default"]) == access.GITHUB


def test_the_page_and_the_errors_name_the_roles_as_they_are(projects: dict[str, Path]) -> None:
    project = projects["default"]
    page_text = (project / "docs/going-live.md").read_text(encoding="utf-8")
    names = {each.replace("-", " ") for each in OWN_ROLES}
    assert [each for each in names if f"`{SLUG} {each} …`" not in page_text] == []
    errors = ROOT / "template/packages/mlops/src/mlops/platforms/azure/errors.py"
    named = re.findall(r"`… ([a-z ]+?)(?: …)?`", errors.read_text(encoding="utf-8"))
    assert set(named) <= names
    assert len(named) == 2


def test_no_machine_is_one_that_azure_retires(projects: dict[str, Path]) -> None:
    """The families Dsv2, DSv2 and Fsv2: no reservations since July 2026, the end in 2028."""
    retired = re.compile(r"Standard_(DS?\d+_v2|F\d+s_v2)\b")
    for name in ("conf", "infra", "aml"):
        for file in (projects["default"] / name).rglob("*"):
            if file.is_file():
                assert not retired.search(file.read_text(encoding="utf-8")), file
