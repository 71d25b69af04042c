"""Copier, Cookiecutter and cruft give one project of one version, which Copier then updates."""

import json
import os
import re
import signal
import subprocess
import time
import tomllib
from pathlib import Path

import pytest

from tests.support import GIT, Template, append, commit_all, contents, run, uv, variables
from tests.template.doors import SETS, Desk, few_files, without_cruft
from tools.worktree import ROOT

pytestmark = pytest.mark.slow

LATER = "A sentence of a later commit."


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """A template of the test's own, with few files."""
    return few_files(tmp_path / "template")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk")


def news(template: Template, text: str, tag: str | None = None) -> None:
    """Change a file of which answers are part, and add one."""
    append(template.path / "template/pyproject.toml.jinja", f"# {text} {{{{ project_name }}}}")
    append(template.path / "template/packages/mlops/src/mlops/new.py", f"# {text}")
    commit_all(template.path, tag=tag)


def commit(project: Path) -> str:
    """Return the version that a project records."""
    answers = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    found = re.search(r"^_commit: (.+)$", answers, re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("name", SETS)
def test_all_doors_give_the_same_project_which_copier_updates(
    template: Template, desk: Desk, name: str
) -> None:
    answers = SETS[name]
    theirs = contents(desk.copier(template.path, "copier", answers))
    typed = desk.typed_at_cookiecutter(template.path, "typed", answers)
    escaped = desk.cookiecutter(template.path, "escaped", answers)
    cruft = desk.cruft(template.path, "cruft", answers)
    assert contents(typed) == theirs
    assert contents(escaped) == theirs
    assert without_cruft(cruft) == theirs

    for project in (typed, escaped, cruft):
        commit_all(project)
    news(template, "News for", tag="2.0.0")
    fresh = contents(desk.copier(template.path, "fresh", answers))
    assert fresh != theirs
    for project in (typed, escaped, cruft):
        template.update(project)
        assert contents(project) | {".cruft.json": b""} == fresh | {".cruft.json": b""}


def test_a_whole_project_is_the_same_by_all_doors(tmp_path: Path, desk: Desk) -> None:
    whole = Template.make(tmp_path / "template").path
    theirs = contents(desk.copier(whole, "copier", {}))
    assert len(theirs) > 400
    assert contents(desk.cookiecutter(whole, "cookiecutter", {})) == theirs
    assert without_cruft(desk.cruft(whole, "cruft", {})) == theirs


class TestVersion:
    """The default branch is ahead of the newest release."""

    @pytest.fixture
    def ahead(self, template: Template) -> Template:
        run(*GIT, "tag", "2.0.0rc1", folder=template.path)
        news(template, LATER)
        return template

    def test_all_doors_give_the_newest_release(self, ahead: Template, desk: Desk) -> None:
        theirs = desk.copier(ahead.path, "copier", {})
        assert commit(theirs) == "1.0.0"
        assert contents(desk.cookiecutter(ahead.path, "cookiecutter", {})) == contents(theirs)
        assert without_cruft(desk.cruft(ahead.path, "cruft", {})) == contents(theirs)

    def test_a_version_can_be_named(self, ahead: Template, desk: Desk) -> None:
        url = f"git+file://{ahead.path}"
        theirs = desk.copier(url, "copier", {}, "--vcs-ref", "main")
        desk.run("cookiecutter", url, "--no-input", "--checkout", "main", "directory=named")
        assert commit(theirs).startswith("1.0.0-1-g")
        assert contents(desk.folder / "named") == contents(theirs)

    def test_cruft_updates_from_release_to_release_as_well(
        self, ahead: Template, desk: Desk
    ) -> None:
        project = desk.cruft(ahead.path, "cruft", {})
        commit_all(project)
        news(ahead, "News for", tag="2.0.0")
        run("cruft", "update", "--skip-apply-ask", folder=project, env=desk.env)
        fresh = desk.copier(ahead.path, "fresh", {})
        assert commit(fresh) == "2.0.0"
        assert without_cruft(project) == contents(fresh)

    def test_an_answer_that_the_release_does_not_know_is_refused(
        self, template: Template, desk: Desk
    ) -> None:
        questions = json.loads((template.path / "cookiecutter.json").read_text(encoding="utf-8"))
        questions |= {"_novelty": "", "__defaults": {**questions["__defaults"], "novelty": ""}}
        (template.path / "cookiecutter.json").write_text(json.dumps(questions), encoding="utf-8")
        commit_all(template.path)
        command = ("cookiecutter", template.path, "--no-input")
        said = desk.run(*command, "_novelty=yes", expect=1)
        assert "\n1.0.0 of the template does not ask for novelty: keep the default, or" in said
        assert desk.left() == []
        desk.run(*command)
        assert desk.left()


def test_the_short_name_of_a_repository_is_recorded_by_both(template: Template, desk: Desk) -> None:
    """git finds github.com in a folder: nothing is asked of it."""
    url = "https://github.com/acme/tpl.git"
    settings = f'[url "file://{template.path}"]\n\tinsteadOf = {url}\n'
    (desk.home / ".gitconfig").write_text(settings, encoding="utf-8")
    theirs = desk.copier("gh:acme/tpl", "copier", {})
    ours = desk.cookiecutter("gh:acme/tpl", "cookiecutter", {})
    assert b"\n_src_path: gh:acme/tpl\n" in contents(ours)[".copier-answers.yml"]
    assert contents(ours) == contents(theirs)


def test_a_relative_path_becomes_one_that_updates_find(template: Template, desk: Desk) -> None:
    ours = desk.cookiecutter("../template", "ours", {})
    assert contents(ours) == contents(desk.copier(template.path, "theirs", {}))


def test_an_interruption_leaves_nothing(tmp_path: Path, desk: Desk) -> None:
    whole = Template.make(tmp_path / "template").path
    running = subprocess.Popen(
        ["cookiecutter", str(whole), "--no-input", "directory=ours"],
        cwd=desk.folder,
        env=variables(desk.env),
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job may ignore it
    )
    end = time.monotonic() + 120
    while not (desk.folder / "ours" / ".gitattributes").exists():
        assert running.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(timeout=60) == 1
    while (desk.folder / "ours").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert desk.left() == []


def test_the_commands_of_readme_and_page_give_the_same_project(
    template: Template, tmp_path: Path
) -> None:
    """By uvx, with the versions of the day on which this repository is frozen."""
    pages = [ROOT / "README.md", ROOT / "docs" / "how-to" / "cookiecutter.md"]
    texts = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    commands = [*dict.fromkeys(re.findall(r"^uvx .*SOURCE.*$", texts, re.MULTILINE))]
    tools = [command.removeprefix("uvx --with copier").split()[0] for command in commands]
    assert tools == ["uvx", "cookiecutter", "cruft"]
    frozen = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["uv"]
    settings = f"cookiecutters_dir: {tmp_path}\nreplay_dir: {tmp_path}\n"
    (tmp_path / "settings.yaml").write_text(settings, encoding="utf-8")
    env = {
        "UV_EXCLUDE_NEWER": frozen["exclude-newer"],
        "COOKIECUTTER_CONFIG": str(tmp_path / "settings.yaml"),
        "PATH": os.pathsep.join([str(Path(uv()).parent), os.environ["PATH"]]),
    }
    made = []
    for tool, command in zip(tools, commands, strict=True):
        folder = tmp_path / f"by-{tool}"
        folder.mkdir()
        words = command.replace("SOURCE", str(template.path)).split()
        defaults = "--defaults" if tool == "uvx" else "--no-input"
        run(*words, defaults, folder=folder, env=env)
        (project,) = folder.iterdir()
        made.append(contents(project) if tool != "cruft" else without_cruft(project))
    assert made[0] == made[1] == made[2]
