"""Where Microsoft's Bicep compiler is on this machine."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from mlops.errors import ConfigError
from mlops.hints import typed

VERSION = "0.49.2"
"""The one that infra/ was tried with, and that the pipeline takes."""

NONE_HERE = "there is no Bicep compiler here"
HOW_TO_HAVE_ONE = (
    f"`az bicep install --version v{VERSION}` installs it, {typed('ci bicep --fetch')} brings it "
    "to Linux without az; or name it in the variable BICEP"
)


def find_compiler(variables: Mapping[str, str], home: Path) -> str | None:
    """Return the compiler: what BICEP names, else `bicep` on PATH, else the one that az installed.

    Args:
        variables: environment variables.
        home: the folder of whoever runs this.

    Raises:
        ConfigError: BICEP names no program.
    """
    if named := variables.get("BICEP"):
        if found := shutil.which(named, path=variables.get("PATH")):
            return found
        raise ConfigError(f"the variable BICEP names {named}, which is no program", HOW_TO_HAVE_ONE)
    folder = Path(variables.get("AZURE_CONFIG_DIR") or home / ".azure") / "bin"
    of_az = folder / ("bicep.exe" if os.name == "nt" else "bicep")
    return shutil.which("bicep", path=variables.get("PATH")) or shutil.which(str(of_az))


def folder_for_az(compiler: Path) -> Path:
    """Return the folder that lets `az` find this compiler on PATH, and so deploy with no other.

    Raises:
        ConfigError: it is not called bicep, and so it would not be found.
    """
    if compiler.stem.lower() != "bicep":
        raise ConfigError(
            f"the compiler {compiler} is not called bicep: az would not find it on PATH, and "
            "deploy with another one than this compiles with",
            "let the variable BICEP name a file or a link that is called bicep",
        )
    return compiler.absolute().parent
