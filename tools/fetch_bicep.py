"""Microsoft's Bicep CLI of the version that projects pin, for the tests of infra/ on Linux.

`python -m tools.fetch_bicep` fetches it into .build/, checks its sum and prints its path: for the
variable BICEP.
"""

from mlops.ci.bicep.fetch import fetch_compiler

from tools.worktree import ROOT

if __name__ == "__main__":
    print(fetch_compiler(ROOT / ".build"))
