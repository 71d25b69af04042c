"""Where the files are that the machinery runs on, but does not hold."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[4]
"""The folder that holds packages/, serving/ and aml/: a project, or the template itself."""

IS_RENDERED = (PROJECT / "pyproject.toml").is_file()
"""Whether that is a project; the template's own pyproject.toml is not made yet."""

HOME = PROJECT if IS_RENDERED else PROJECT / "packages" / "mlops"
"""Where uv finds settings, and what takes long to make is kept."""

SERVING_VENVS = HOME / ".mlops" / "serving-env"
