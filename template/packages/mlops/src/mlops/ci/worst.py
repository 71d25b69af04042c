"""How a job ends that calls several commands: by the worst of their exit codes.

1 (an alarm, or a refusal) goes before 3 (something failed), 3 before 4 (too little to tell), and 4
before 0. A code that is missing or unknown means that something failed.
"""

from collections.abc import Iterable, Mapping

_ORDER = (1, 3, 4, 0)
_FAILED = 3


def worst(codes: Iterable[int]) -> int:
    """Return the exit code that goes before all others; of none it is 3."""
    found = {code if code in _ORDER else _FAILED for code in codes}
    return next((code for code in _ORDER if code in found), _FAILED)


def read_codes(given: Iterable[str]) -> Mapping[str, int]:
    """Return the exit code of each command that is given as NAME=CODE; 3 for what is no number."""
    codes = {}
    for text in given:
        name, _, code = text.partition("=")
        codes[name] = int(code) if code.isdecimal() else _FAILED
    return codes
