"""Compile every parameter file of infra/, and read what the compiler says.

Bicep ends with 0 where it only warns, of a misspelt property too. So each of its diagnostics
counts, and what it wrote must be there.
"""

import json
import os
import re
import subprocess  # nosec B404
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mlops.ci.bicep.compiler import HOW_TO_HAVE_ONE, VERSION
from mlops.errors import PlatformError

TIMEOUT_SECONDS = 300
MUST_BE_SET = re.compile(r"readEnvironmentVariable\(\s*'([^']+)'\s*\)")
STAND_IN = "1"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that the compiler says, of a line in a file relative to the project."""

    file: str
    line: int
    code: str
    level: str
    text: str

    def __str__(self) -> str:
        """Return it as compilers do, so that editors find the place."""
        return f"{self.file}:{self.line}: {self.level} {self.code}: {self.text}"


def parameter_files(root: Path) -> list[Path]:
    """Return the parameter files of a project: each names the template that it is compiled with."""
    return sorted((root / "infra").glob("*.bicepparam"))


def compiler_version(compiler: str) -> str:
    """Return what the compiler says of itself, with its version."""
    return _run(compiler, ["--version"], os.environ).stdout.strip()


def compile_files(compiler: str, files: Iterable[Path], root: Path) -> list[Finding]:
    """Compile parameter files; return what the compiler says of them and what they use.

    Variables that a file needs and that are not set get a value that only stands in.

    Args:
        compiler: the program.
        files: parameter files.
        root: the project's folder.

    Raises:
        PlatformError: the compiler failed without saying why, or said what cannot be read.
    """
    found: set[Finding] = set()
    for file in files:
        found.update(_compile(compiler, file, root))
    return sorted(found)


def read_sarif(text: str, root: Path) -> list[Finding]:
    """Read the compiler's diagnostics.

    Args:
        text: what it wrote, in the format SARIF 2.1.0.
        root: the project's folder.

    Raises:
        ValueError: it is none.
    """
    try:
        return [_finding(each, root) for run in json.loads(text)["runs"] for each in run["results"]]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"no diagnostics in the format SARIF: {error!r}") from None


def _compile(compiler: str, file: Path, root: Path) -> list[Finding]:
    needed = MUST_BE_SET.findall(file.read_text(encoding="utf-8-sig"))
    variables = dict.fromkeys(needed, STAND_IN) | dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "parameters.json"
        options = ["--outfile", str(out), "--diagnostics-format", "sarif"]
        done = _run(compiler, ["build-params", str(file), *options], variables)
        try:
            found = read_sarif(done.stderr, root)
        except ValueError:
            raise _did_not_compile(file, root, f"{done.stderr} {done.stdout}") from None
        if not found and (done.returncode or not out.is_file()):
            raise _did_not_compile(file, root, f"exit code {done.returncode}, and no reason")
    return found


def _did_not_compile(file: Path, root: Path, said: str) -> PlatformError:
    name = file.relative_to(root).as_posix()
    return PlatformError(
        f"the compiler did not compile {name}: {' '.join(said.split())[-500:]}",
        f"is it older than {VERSION}? {HOW_TO_HAVE_ONE}",
    )


def _run(
    compiler: str, arguments: list[str], variables: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    # ICU is not on every machine, and nothing here depends on a language.
    environment = {**variables, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    try:
        # a list of arguments, no shell
        return subprocess.run(  # nosec B603
            [compiler, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PlatformError(f"the compiler {compiler} does not run: {error}") from None


def _finding(result: Mapping[str, Any], root: Path) -> Finding:
    place = result["locations"][0]["physicalLocation"]
    path = unquote(urlsplit(place["artifactLocation"]["uri"]).path)
    _, inside, rest = path.partition(f"{root.as_posix()}/")
    return Finding(
        file=rest if inside else path,
        line=int(place["region"]["startLine"]),
        code=str(result["ruleId"]),
        level=str(result.get("level", "warning")),
        text=str(result["message"]["text"]),
    )
