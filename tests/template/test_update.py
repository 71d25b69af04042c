"""`copier update`: news arrives, what is the team's stays as the team left it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import HOSTILE, Template, append, commit_all, contents, run
from tools.expected_files import EXAMPLES, EXPECTED, files_in

PACKAGE = "purchase_prediction"
MACHINERY = "packages/mlops/src/mlops"
SOURCES = f"template/{MACHINERY}"
KEPT = ("pyproject.toml", "src/mlops/errors.py", "src/mlops/platforms/base.py")
"""What stays of the machinery where an update is tested, but for the tests that need all."""
TEAM = "template/src/{% if example == 'rfm' %}{{package_name}}{% endif %}"


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """A template of the test's own, which it may change."""
    return Template.make_small(tmp_path / "template", KEPT)


@pytest.fixture
def project(template: Template, tmp_path: Path) -> Path:
    """A committed project of version 1.0.0."""
    project = template.render(tmp_path / "project")
    commit_all(project)
    return project


def prepend(path: Path, text: str) -> None:
    path.write_text(f"{text}\n{path.read_text(encoding='utf-8')}", encoding="utf-8", newline="\n")


def status(project: Path) -> str:
    return run("git", "status", "--porcelain", "--untracked-files=all", folder=project)


def assert_no_conflict(project: Path) -> None:
    assert run("git", "ls-files", "--unmerged", folder=project) == ""
    # neither an environment of the project nor texts about conflicts that were there before
    options = ("--modified", "--others", "--exclude-standard", "-z")
    listed = run("git", "ls-files", *options, folder=project).split("\0")
    names = {name for name in listed if name and (project / name).is_file()}
    assert not [name for name in names if name.endswith(".rej")]
    assert not [name for name in names if b"<<<<<<< " in (project / name).read_bytes()]


@pytest.mark.slow  # hostile answers show it as well
def test_no_news_changes_nothing(template: Template, project: Path) -> None:
    template.update(project)
    assert status(project) == ""


def test_no_news_changes_nothing_after_hostile_answers(template: Template, tmp_path: Path) -> None:
    project = template.render(tmp_path / "project", **HOSTILE)
    commit_all(project)
    template.update(project)
    assert status(project) == ""


def test_an_untouched_project_becomes_what_a_fresh_copy_is(
    template: Template, project: Path, tmp_path: Path
) -> None:
    append(template.path / SOURCES / "errors.py", "# news")
    append(template.path / "template/pyproject.toml.jinja", "# news for {{ project_name }}")
    (template.path / SOURCES / "platforms/new.py").write_text("# new\n", encoding="utf-8")
    (template.path / "template/conf/new.yaml").write_text("# new\n", encoding="utf-8")
    (template.path / "template/LICENSE.jinja").unlink()
    commit_all(template.path, tag="2.0.0")
    template.update(project)
    fresh = contents(template.render(tmp_path / "fresh"))
    assert b"_commit: 2.0.0" in fresh[".copier-answers.yml"]
    assert f"{MACHINERY}/platforms/new.py" in fresh
    assert "LICENSE" not in fresh
    assert contents(project) == fresh


@dataclass(frozen=True)
class Updated:
    """A project in which the team edited, deleted and added files, before and after an update."""

    project: Path
    before: dict[str, bytes]

    def text(self, name: str) -> str:
        return (self.project / name).read_text(encoding="utf-8")


EDITED = {
    f"src/{PACKAGE}/__init__.py": f"{TEAM}/__init__.py",
    f"src/{PACKAGE}/features.py": f"{TEAM}/features.py",
    "tests/test_use_case.py": "template/tests/test_use_case.py",
    "conf/dev.yaml": "template/conf/dev.yaml",
    "compliance/model_card.yaml": "template/compliance/model_card.yaml.jinja",
}
DELETED = {
    f"src/{PACKAGE}/slices.py": f"{TEAM}/slices.py",
    "tests/test_rfm.py": "template/{% if example == 'rfm' %}tests{% endif %}/test_rfm.py.jinja",
    "conf/base.yaml": "template/conf/base.yaml.jinja",
    "docs/gate.md": None,
}
OWN = (
    *(f"src/{PACKAGE}/own.py", "tests/test_own.py", "conf/own.yaml"),
    "docs/own.md",
)


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Updated:
    folder = tmp_path_factory.mktemp("team")
    template = Template.make_small(folder / "template", KEPT)
    project = template.render(folder / "project")
    commit_all(project)

    for path in EDITED:
        append(project / path, "# mine")
    for path in OWN:
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        append(project / path, "# mine")
    run("git", "rm", "--quiet", *DELETED, folder=project)
    commit_all(project)

    for source in filter(None, [*EDITED.values(), *DELETED.values()]):
        append(template.path / source, "# theirs")
    append(template.path / SOURCES / "errors.py", "# theirs")
    append(template.path / "template/conf/new.yaml", "# theirs")
    commit_all(template.path, tag="2.0.0")

    before = contents(project)
    template.update(project)
    return Updated(project, before)


class TestWhatIsTheTeams:
    """The template changes, deletes and adds files in the same places as the team."""

    def test_there_is_no_conflict(self, updated: Updated) -> None:
        assert_no_conflict(updated.project)

    @pytest.mark.parametrize("path", EDITED)
    def test_an_edit_survives(self, updated: Updated, path: str) -> None:
        assert updated.text(path) == updated.before[path].decode()

    @pytest.mark.parametrize("path", OWN)
    def test_an_own_file_stays(self, updated: Updated, path: str) -> None:
        assert updated.text(path) == "# mine\n"

    @pytest.mark.parametrize("path", DELETED)
    def test_what_was_deleted_stays_deleted(self, updated: Updated, path: str) -> None:
        assert not (updated.project / path).exists()

    def test_the_machinery_is_renewed(self, updated: Updated) -> None:
        assert updated.text(f"{MACHINERY}/errors.py").endswith("# theirs\n")

    def test_a_new_conf_file_arrives(self, updated: Updated) -> None:
        assert updated.text("conf/new.yaml") == "# theirs\n"


class TestWhatIsMerged:
    @pytest.mark.parametrize(
        "name", [pytest.param("README.md", marks=pytest.mark.slow), "pyproject.toml"]
    )
    def test_edits_of_both_sides_meet(self, template: Template, project: Path, name: str) -> None:
        prepend(project / name, "# mine")
        commit_all(project)
        append(template.path / f"template/{name}.jinja", "# theirs")
        commit_all(template.path, tag="2.0.0")
        template.update(project)
        lines = (project / name).read_text(encoding="utf-8").splitlines()
        assert (lines[0], lines[-1]) == ("# mine", "# theirs")
        assert_no_conflict(project)

    def test_a_true_conflict_is_marked_unmerged(self, template: Template, project: Path) -> None:
        append(project / f"{MACHINERY}/errors.py", "# mine")
        commit_all(project)
        append(template.path / SOURCES / "errors.py", "# theirs")
        commit_all(template.path, tag="2.0.0")
        template.update(project)
        unmerged = run("git", "ls-files", "--unmerged", folder=project)
        assert f"{MACHINERY}/errors.py" in unmerged
        text = (project / f"{MACHINERY}/errors.py").read_text(encoding="utf-8")
        assert "# mine" in text
        assert "# theirs" in text


@pytest.mark.parametrize(
    "example",
    [pytest.param(each, marks=pytest.mark.slow) if each != "blank" else each for each in EXAMPLES],
)
def test_every_file_of_the_team_is_named_as_such(
    template: Template, tmp_path: Path, example: str
) -> None:
    """A new one in src/ or tests/ has to be added to the list in copier.yml."""
    project = template.render(tmp_path / "project", example=example)
    commit_all(project)
    own = [name for name in files_in(project) if name.startswith(("src/", "tests/"))]
    assert f"src/{PACKAGE}/features.py" in own
    run("git", "rm", "--quiet", *own, folder=project)
    commit_all(project)
    for path in (template.path / "template").rglob("*.py*"):
        if "packages" not in path.parts:
            append(path, "# theirs")
    commit_all(template.path, tag="2.0.0")
    template.update(project)
    arrived = [name for name in files_in(project) if name.startswith(("src/", "tests/"))]
    assert arrived == []


def test_an_answer_can_be_changed(template: Template, project: Path) -> None:
    template.update(project, team="Growth")
    assert 'team = "Growth"' in (project / "pyproject.toml").read_text(encoding="utf-8")
    assert "team: Growth" in (project / ".copier-answers.yml").read_text(encoding="utf-8")


class TestTheLevel:
    """Raising it adds files and keeps the team's edits; lowering it is refused."""

    @pytest.fixture
    def pipelines(self, template: Template, tmp_path: Path) -> Path:
        """A committed project of level 1."""
        project = template.render(tmp_path / "pipelines", maturity_level=1)
        commit_all(project)
        return project

    @pytest.fixture
    def edits(self, pipelines: Path) -> dict[str, bytes]:
        """What the team edited or added in that project, by path."""
        names = (
            *(f"src/{PACKAGE}/features.py", f"src/{PACKAGE}/own.py"),
            *("tests/test_use_case.py", "conf/base.yaml", "conf/dev.yaml"),
            *("conf/prod.yaml", "docs/gate.md"),
        )
        for name in names:
            append(pipelines / name, "# mine")
        prepend(pipelines / "README.md", "<!-- mine -->")
        (pipelines / f"src/{PACKAGE}/slices.py").unlink()
        commit_all(pipelines)
        return {name: (pipelines / name).read_bytes() for name in names}

    @staticmethod
    def level(project: Path) -> int:
        text = (project / "pyproject.toml").read_text(encoding="utf-8")
        return int(tomllib.loads(text)["tool"]["mlops"]["maturity_level"])

    def test_it_is_raised_step_by_step_around_the_team_s_edits(
        self, template: Template, pipelines: Path, edits: dict[str, bytes]
    ) -> None:
        files = set(files_in(pipelines))
        for level in (2, 3):
            template.update(pipelines, maturity_level=level)
            assert_no_conflict(pipelines)
            assert self.level(pipelines) == level
            assert {name: (pipelines / name).read_bytes() for name in edits} == edits
            assert (pipelines / "README.md").read_text(encoding="utf-8").startswith("<!-- mine")
            new = set(files_in(pipelines)) - files
            listed = (EXPECTED / f"level-{level}.txt").read_text(encoding="utf-8").split()
            assert new == {*listed} - edits.keys()
            assert files <= set(files_in(pipelines))
            files |= new
            commit_all(pipelines)
        assert not (pipelines / f"src/{PACKAGE}/slices.py").exists()

    @pytest.mark.slow
    def test_an_untouched_project_that_is_raised_is_what_a_fresh_copy_is(
        self, template: Template, pipelines: Path, tmp_path: Path
    ) -> None:
        template.update(pipelines, maturity_level=3)
        assert contents(pipelines) == contents(template.render(tmp_path / "fresh"))

    @pytest.mark.slow
    def test_a_raised_project_stays_raised(self, template: Template, pipelines: Path) -> None:
        template.update(pipelines, maturity_level=2)
        commit_all(pipelines)
        template.update(pipelines)
        assert status(pipelines) == ""
        assert self.level(pipelines) == 2

    @pytest.mark.parametrize("level", [pytest.param(1, marks=pytest.mark.slow), 2])
    def test_lowering_is_refused_and_changes_nothing(
        self, template: Template, project: Path, level: int
    ) -> None:
        with pytest.raises(ValueError, match="at level 3, and a level is not lowered"):
            template.update(project, maturity_level=level)
        assert status(project) == ""

    @pytest.mark.slow
    def test_lowering_is_refused_in_a_project_that_was_raised(
        self, template: Template, pipelines: Path
    ) -> None:
        template.update(pipelines, maturity_level=2)
        commit_all(pipelines)
        with pytest.raises(ValueError, match="at level 2, and a level is not lowered"):
            template.update(pipelines, maturity_level=1)
        assert status(pipelines) == ""

    def test_copying_again_does_not_lower_it_either(
        self, template: Template, project: Path
    ) -> None:
        with pytest.raises(ValueError, match="a level is not lowered"):
            template.render(project, maturity_level=1)
        assert status(project) == ""


def test_the_message_names_the_next_commands(
    template: Template, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from copier import run_update

    commit_all(template.path, tag="2.0.0")
    run_update(project, defaults=True, overwrite=True)
    said = capsys.readouterr().err
    for command in ("git status", "uv lock", "uv sync", "uv run pytest"):
        assert f"\n    {command}\n" in said
