"""What each deployment asks of Azure, as committed: the checks that need no compiler.

Microsoft's compiler wrote what they read (`make azure`); where it is, `test_compiled.py` says
whether that is what infra/ asks for today. So without the compiler a change of infra/ is not seen,
and the last line of the run says that it is missing. What does run then: every right, setting, name
and address below, the actions of roles, what workflows sign in as, and the pages.
"""

import pytest

from tests.infra.checks import CHECKS
from tests.infra.project import SLUG
from tools.azure_deployments import committed

CASES = [(check, name) for check, (_, names) in CHECKS.items() for name in names]


@pytest.mark.parametrize(("check", "name"), CASES)
def test_what_must_hold_holds(check: str, name: str) -> None:
    CHECKS[check][0](name, committed(name), SLUG)
