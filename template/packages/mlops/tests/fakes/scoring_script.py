"""The scoring script as a module, loaded by its path as the inference server does."""

import functools
import importlib.util
import sys
from types import ModuleType

from fakes.places import PROJECT

SCRIPT = PROJECT / "serving" / "score.py"


@functools.cache
def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("entry_module", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["entry_module"] = module  # its dataclasses look it up
    spec.loader.exec_module(module)
    return module
