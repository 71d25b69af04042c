"""Has Copier make the project, before Cookiecutter or cruft writes anything.

Cookiecutter renders this file, which is why it stands alone and CONTEXT is all the Jinja in it, and
runs it in the folder that it has made. If it fails, Cookiecutter removes that folder.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CONTEXT = r"""{{ cookiecutter | tojson }}"""
BY_COPIER = ("", "default")
"""Answers that leave a question to Copier, where they are its default in cookiecutter.json."""
ALIASES = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
GIT_PREFIXES = ("git@", "git://", "git+", "https://github.com/", "https://gitlab.com/")


class RefusedError(Exception):
    """Why no project can be made, in one line."""


@dataclass(frozen=True)
class Order:
    """What Copier is asked for.

    Attributes:
        source: the template, as the project records it: an update looks for it there.
        ref: a tag, branch or commit of it, None for the newest release.
        answers: by question.
        changed: the questions of which the answer is not the default.
    """

    source: str
    ref: str | None
    answers: dict[str, str]
    changed: tuple[str, ...]


def main() -> None:
    """Make the project in the current folder, or say in one line why there is none."""
    context = json.loads(CONTEXT)
    folder = Path.cwd()
    try:
        refuse_folder(folder, context)
        refuse_no_copier(context)
        make(order(context), folder)
    except (RefusedError, OSError) as error:
        sys.exit(f"\n{one_line(error)}")
    except KeyboardInterrupt:
        # Cookiecutter is interrupted as well, and then leaves its folder.
        os.chdir(folder.parent)
        with contextlib.suppress(OSError):
            folder.rmdir()
        sys.exit(130)


def refuse_folder(folder: Path, context: dict[str, Any]) -> None:
    """Refuse a folder outside the one that Cookiecutter was given, or one with files in it."""
    directory = context["directory"]
    if directory != context["__folder"]:
        raise RefusedError(
            f"directory: {directory!r} is not the name of one folder. Write a name that Windows "
            "takes, too. What it is in is said by --output-dir."
        )
    if any(folder.iterdir()):
        raise RefusedError(
            f"directory: {folder} holds files, and none is overwritten. Take a new one."
        )


def refuse_no_copier(context: dict[str, Any]) -> None:
    """Refuse an environment in which Cookiecutter is alone."""
    try:
        import copier  # noqa: F401
    except ImportError as error:
        tool = "cruft create" if "_commit" in context else "cookiecutter"
        command = f"uvx --with copier {tool} {context['_template']}"
        raise RefusedError(
            f"Copier makes the project and is not installed here: {command}"
        ) from error


def order(context: dict[str, Any]) -> Order:
    """Return what Copier is asked for by what was typed and answered."""
    defaults = context["__defaults"]
    given: dict[str, str] = {
        name: context[name if name in context else f"_{name}"] for name in defaults
    }
    changed = tuple(name for name, answer in given.items() if answer != defaults[name])
    answers = {
        name: answer for name, answer in given.items() if name in changed or answer not in BY_COPIER
    }
    return Order(source(context), ref(context), answers, changed)


# --- The source, as Copier reads and records it ---------------------------------------------------


def source(context: dict[str, Any]) -> str:
    """Return the template's URL or whole path: as it was typed, where Copier reads it so.

    Cookiecutter says in `_repo_dir` what it renders: the path that was typed, or its own clone.
    cruft says nothing; it clones what was typed, of which it has completed a path.
    """
    typed: str = context["_template"]
    rendered: str | None = context.get("_repo_dir")
    if rendered == typed or (rendered is None and Path(typed).is_dir()):
        return whole_path(typed, context)
    url = typed if rendered is None else origin(rendered)
    parts = urlsplit(url)
    if parts.password or (parts.username and parts.scheme in ("http", "https")):
        raise RefusedError(
            "The template's URL holds a password or token, which the project would record: leave "
            "it out, and let git ask for it (git help gitcredentials)."
        )
    read = read_by_copier(typed)
    if read and read.removesuffix(".git") == url.removesuffix(".git"):
        return typed
    return url if read_by_copier(url) else f"git+{url}"


def whole_path(typed: str, context: dict[str, Any]) -> str:
    """Return the path of a local template, from the root: no update finds a relative one."""
    if Path(typed).is_absolute() and ".." not in Path(typed).parts:
        return typed
    starts = {Path(context.get("_output_dir", ".")), Path(os.environ.get("PWD", "."))}
    paths = {(start / typed).resolve() for start in starts}
    found = [str(path) for path in paths if (path / "cookiecutter.json").is_file()]
    if len(found) != 1:
        raise RefusedError(
            f"No update would find {typed}, which is a relative path: give the whole one."
        )
    return found[0]


def origin(clone: str) -> str:
    """Return the URL that Cookiecutter cloned."""
    command = ("git", f"--git-dir={Path(clone) / '.git'}", "config", "--get", "remote.origin.url")
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise RefusedError(
            "No update would find the template: give its git repository, by URL or whole path, "
            "no archive."
        )
    return done.stdout.strip()


def read_by_copier(name: str) -> str | None:
    """Return the URL that Copier makes of a name, None where it takes it for a folder's."""
    for alias, host in ALIASES.items():
        if name.startswith(alias):
            return host + name.removeprefix(alias).lstrip("/")
    return (
        name.removeprefix("git+")
        if name.startswith(GIT_PREFIXES) or name.endswith(".git")
        else None
    )


# --- The version ----------------------------------------------------------------------------------


def ref(context: dict[str, Any]) -> str | None:
    """Return which version is made, None for the newest release, as Copier makes it.

    cruft keeps a commit, with which its own update renders again: by it, a version is found that
    goes with the commit.
    """
    if "_commit" not in context:
        return context.get("_checkout") or None
    commit = str(context["_commit"])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as clone:
        run_git("clone", "--quiet", "--bare", "--filter=tree:0", "--", context["_template"], clone)
        tags = run_git("--git-dir", clone, "tag", "--merged", commit).split()
    return newest_release(tags) or commit


def run_git(*arguments: str) -> str:
    """Return what git prints."""
    done = subprocess.run(["git", *arguments], capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise RefusedError(f"git {arguments[0]}: {done.stderr}")
    return done.stdout


def newest_release(tags: list[str]) -> str | None:
    """Return the tag of the newest version, as Copier orders them; no beta is one."""
    from packaging.version import InvalidVersion, Version

    releases: dict[Version, str] = {}
    for tag in tags:
        with contextlib.suppress(InvalidVersion):
            releases[Version(tag)] = tag
    finals = [version for version in releases if not version.is_prerelease]
    return releases[max(finals)] if finals else None


# --- The project ----------------------------------------------------------------------------------


def make(order: Order, folder: Path) -> None:
    """Have Copier make the project in an empty folder, whole or not at all."""
    from copier import run_copy
    from copier.errors import CopierError

    with all_or_nothing(folder):
        try:
            run_copy(order.source, folder, data=order.answers, vcs_ref=order.ref, defaults=True)
        except (CopierError, ValueError) as error:
            raise RefusedError(str(error)) from error
        refuse_lost_answers(order, folder)


@contextlib.contextmanager
def all_or_nothing(folder: Path) -> Iterator[None]:
    """Empty a folder again if what is done in it fails or is interrupted."""
    try:
        yield
    except BaseException:
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        raise


def refuse_lost_answers(order: Order, folder: Path) -> None:
    """Refuse answers that the project has not: its version may be older than the questions."""
    import yaml

    recorded = yaml.safe_load((folder / ".copier-answers.yml").read_text(encoding="utf-8"))
    lost = [name for name in order.changed if name not in recorded]
    if lost:
        raise RefusedError(
            f"{recorded.get('_commit', 'This version')} of the template does not ask for "
            f"{', '.join(lost)}: keep the default, or name a newer version by --checkout."
        )


def one_line(error: Exception) -> str:
    """Return what an error says, on one line."""
    return " ".join(str(error).split())


if __name__ == "__main__":
    main()
