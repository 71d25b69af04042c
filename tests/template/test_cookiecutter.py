"""Cookiecutter's door: it gives what Copier's gives, or says in one line why it does not."""

import os
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support import SETTINGS, append, commit_all, contents, uv
from tests.template.doors import SETS, Desk, few_files
from tools.worktree import ROOT

REFUSED_HOOKS = "Nothing was made, since hooks make the project: leave out `--accept-hooks no`."


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template that no test changes."""
    return few_files(tmp_path_factory.mktemp("source") / "template").path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk")


def reason(said: str) -> str:
    """Return the last line before what Cookiecutter says itself."""
    lines = [line for line in said.splitlines() if line.strip()]
    stop = next(i for i, line in enumerate(lines) if "Stopping generation because" in line)
    return lines[stop - 1]


def test_hostile_answers_typed_give_copier_s_project_which_copier_updates(
    tmp_path: Path, desk: Desk
) -> None:
    template = few_files(tmp_path / "template")
    answers = SETS["hostile"]
    theirs = desk.copier(template.path, "theirs", answers)
    ours = desk.typed_at_cookiecutter(template.path, "ours", answers)
    assert contents(ours) == contents(theirs)
    assert f"_src_path: {template.path}\n" in (ours / ".copier-answers.yml").read_text("utf-8")
    commit_all(ours)
    append(template.path / "template/pyproject.toml.jinja", "# news for {{ project_name }}")
    commit_all(template.path, tag="2.0.0")
    template.update(ours)
    assert contents(ours) == contents(desk.copier(template.path, "fresh", answers))


class TestRefusals:
    """Each leaves the desk as it was, and ends in 1."""

    def test_without_copier_it_says_how_to_have_both(self, source: Path, desk: Desk) -> None:
        tool = f"cookiecutter=={version('cookiecutter')}"
        alone = ("run", "--quiet", "--isolated", "--no-project", "--with", tool)
        paths = {name: os.environ[name] for name in ("HOME", "USERPROFILE") if name in os.environ}
        paths["COOKIECUTTER_CONFIG"] = str(desk.home / "settings.yaml")
        settings = f"cookiecutters_dir: {desk.home}\nreplay_dir: {desk.home}\n"
        (desk.home / "settings.yaml").write_text(settings, encoding="utf-8")
        command = (uv(), *alone, "cookiecutter", source, "--no-input")
        said = desk.run(*command, env=paths, expect=1)
        assert reason(said) == (
            "Copier makes the project and is not installed here: "
            f"uvx --with copier cookiecutter {source}"
        )
        assert desk.left() == []

    @pytest.mark.parametrize("force", [(), ("--overwrite-if-exists",)])
    def test_without_hooks_nothing_is_made(
        self, source: Path, desk: Desk, force: tuple[str, ...]
    ) -> None:
        refused = ("--no-input", "--accept-hooks", "no", *force)
        said = desk.run("cookiecutter", source, *refused, expect=1)
        assert f" '{REFUSED_HOOKS}'\n" in said
        assert desk.left() == []

    @pytest.mark.parametrize(
        ("answer", "sentence"),
        [
            ("contact_email=nobody", "'contact_email': Write one address such as data-science@"),
            ("project_name=予測", 'Question "project_slug" is required'),
            ("task=regression", "'task': Leave task out: rfm predicts whether it happens"),
            ("_license=GPL", "'GPL' is not in ['proprietary', 'MIT', 'Apache-2.0']"),
        ],
    )
    def test_a_bad_answer_is_refused_with_copier_s_sentence(
        self, source: Path, desk: Desk, answer: str, sentence: str
    ) -> None:
        said = desk.run("cookiecutter", source, "--no-input", answer, expect=1)
        assert sentence in reason(said)
        assert desk.left() == []

    def test_an_unknown_choice_is_refused_by_cookiecutter(self, source: Path, desk: Desk) -> None:
        said = desk.run("cookiecutter", source, "--no-input", "maturity_level=4", expect=1)
        assert "4 provided for choice variable maturity_level" in said.splitlines()[-1]
        assert desk.left() == []

    @pytest.mark.parametrize("name", ["../outside", "a/b"])
    def test_the_directory_is_one_folder(self, source: Path, desk: Desk, name: str) -> None:
        before = sorted(desk.folder.parent.iterdir())
        said = desk.run("cookiecutter", source, "--no-input", f"directory={name}", expect=1)
        assert reason(said).startswith(f"directory: {name!r} is not the name of one folder.")
        assert desk.left() == []
        assert sorted(desk.folder.parent.iterdir()) == before

    @pytest.mark.parametrize("hooks", ["yes", "no"])
    @pytest.mark.parametrize("file", ["README.md", "packages"])
    def test_files_of_an_existing_folder_are_never_touched(
        self, source: Path, desk: Desk, file: str, hooks: str
    ) -> None:
        mine = desk.folder / "mine" / file
        mine.parent.mkdir()
        mine.write_text("mine\n", encoding="utf-8")
        command = ("cookiecutter", source, "--no-input", "directory=mine", "--accept-hooks", hooks)
        said = desk.run(*command, expect=1)
        assert said.startswith("Error: ")
        said = desk.run(*command, "--overwrite-if-exists", expect=1)
        if hooks == "yes":
            assert reason(said) == (
                f"directory: {mine.parent} holds files, and none is overwritten. Take a new one."
            )
        else:
            assert REFUSED_HOOKS in said
        assert desk.left() == ["mine", f"mine/{file}"]
        assert mine.read_text(encoding="utf-8") == "mine\n"


def test_the_placeholder_stands_where_every_project_has_a_folder() -> None:
    """Else Cookiecutter would write it into the project."""
    (placeholder,) = (ROOT / "{{ cookiecutter.__folder }}").iterdir()
    assert (ROOT / "template" / placeholder.name).is_dir()
    assert not [each for each in SETTINGS["_exclude"] if f"/{placeholder.name}" in each]
