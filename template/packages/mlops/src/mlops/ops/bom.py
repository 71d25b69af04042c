"""Making the bill of materials of a version: its folder, and the environment that serves it."""

import json
import subprocess  # nosec B404
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from mlops.artifacts.version_folder import VersionFolder
from mlops.errors import ConfigError, PlatformError
from mlops.files import file_sha256
from mlops.governance.bom import SPEC_VERSION, build_bom
from mlops.governance.bom_check import no_packages, problems, schema_problem
from mlops.platforms import open_platform
from mlops.platforms.serving_env import REQUIREMENTS, serving_python
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings
from mlops.settings.plain_yaml import load_yaml
from mlops.signing.folder import require_untampered
from mlops.signing.policy import trust_of

HUMAN = Path("compliance") / "model_card.yaml"
_TOOL = "cyclonedx_py"


def bom_of_version(settings: LoadedSettings, number: int, report: Report) -> str:
    """Return the bill of materials of a version as JSON, checked by schema and by what that lacks.

    Args:
        settings: what is in force.
        number: the registered version.
        report: receives lines about the progress.

    Raises:
        ConfigError: there is no such version, or packages for this are not installed.
        Refused: its files were altered.
        PlatformError: the serving environment cannot be made or read, or what was made is no bill.
    """
    if find_spec(_TOOL) is None:
        raise no_packages(ModuleNotFoundError(name=_TOOL))
    project = settings.project
    folder = open_platform(settings).version(number).folder
    report(f"version {number} is {require_untampered(folder, trust_of(settings))}")
    requirements = project.serving / REQUIREMENTS
    python = serving_python(project.root, requirements, project.state_dir / "serving-env", report)
    report("reading the serving environment")
    version = VersionFolder(folder)
    content = build_bom(
        card=version.card(),
        lineage=version.lineage(),
        signature=version.signature(),
        packages=packages_of(python, project.root),
        human=human_part(project.root / HUMAN),
        requirements_sha256=file_sha256(requirements),
    )
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    if wrong := [each for each in (schema_problem(text), *problems(content)) if each]:
        raise PlatformError(f"what was made is no bill of materials: {', '.join(wrong[:5])}")
    return text


def packages_of(python: Path, root: Path) -> dict[str, Any]:
    """Return the bill of an environment's packages, as `cyclonedx-py environment` writes it.

    Args:
        python: the environment's Python.
        root: the folder to run in.

    Raises:
        PlatformError: the tool fails.
    """
    command = [sys.executable, "-m", _TOOL, "environment", "--spec-version", SPEC_VERSION]
    command += ["--output-reproducible", "--no-validate", "--output-format", "JSON", str(python)]
    # a fixed argument list, no shell
    done = subprocess.run(  # nosec B603
        command, cwd=root, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise PlatformError(f"cyclonedx-py cannot read the serving environment:\n{said}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def human_part(path: Path) -> Mapping[str, Any]:
    """Return what people wrote of the model; nothing where the project has no such file.

    Raises:
        ConfigError: it is not YAML with keys.
    """
    if not path.is_file():
        return {}
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path} must hold keys and values")
    return content
