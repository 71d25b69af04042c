"""What Cookiecutter's door makes of what was typed: questions, folder, source, version."""

import json
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.utils import create_env_with_context
from copier._vcs import get_repo
from jinja2 import Template

from hooks import pre_gen_project as hook
from tests.support import QUESTIONS, run
from tools.cookiecutter_json import FOLDER, RECORDED, content
from tools.worktree import ROOT

pytestmark = pytest.mark.fast

JSON: dict[str, Any] = json.loads(content())
ASKED = [name for name in JSON if not name.startswith("_")]


def rendered(text: str, **answers: Any) -> str:
    """Render a text as Cookiecutter does."""
    context = {"cookiecutter": answers}
    return str(create_env_with_context(context).from_string(text).render(**context))


def context(**changed: Any) -> dict[str, Any]:
    """What Cookiecutter tells the hook if all defaults are taken but for some."""
    kept = {name: value[0] if isinstance(value, list) else value for name, value in JSON.items()}
    return {**kept, **kept["__defaults"], "_template": "gh:acme/tpl", **changed}


class TestQuestions:
    def test_those_of_copier_and_one_for_the_directory_are_asked(self) -> None:
        always = [name for name, question in QUESTIONS.items() if "ask" not in question]
        assert {*ASKED} == {*always, "task", "directory"}
        assert len(ASKED) == 9
        assert {*JSON["__prompts__"]} == {*ASKED}

    def test_who_needs_one_that_is_not_asked_hears_of_it_at_the_first(self) -> None:
        assert ASKED[0] == "project_name"
        assert "`_project_slug=churn`" in JSON["__prompts__"]["project_name"]
        assert JSON["_project_slug"] == ""

    def test_the_others_can_be_set_and_none_is_forgotten(self) -> None:
        hidden = {name[1:] for name, value in JSON.items() if value == ""}
        assert {*ASKED, *hidden} - {"directory"} == QUESTIONS.keys() - {*RECORDED}
        assert JSON["__defaults"].keys() == QUESTIONS.keys() - {*RECORDED}

    @pytest.mark.parametrize("name", ["example", "task", "maturity_level"])
    def test_a_choice_begins_with_its_default(self, name: str) -> None:
        choices = [str(value) for value in QUESTIONS[name]["choices"].values()]
        first, *others = JSON[name]
        assert sorted({first, *others} - {"default"}) == sorted(choices)
        default = Template(str(QUESTIONS[name]["default"])).render(adopted=False)
        assert first == ("default" if name == "task" else default)
        assert JSON["__prompts__"][name].keys() == {"__prompt__", *JSON[name]}

    @pytest.mark.parametrize(
        ("example", "words"), [("rfm", "Predicts whether"), ("blank", "What it predicts is not")]
    )
    def test_a_default_follows_earlier_answers_as_in_copier(self, example: str, words: str) -> None:
        text = rendered(JSON["description"], example=example)
        assert text.startswith(words)
        assert text == text.strip()

    @pytest.mark.parametrize(
        ("name", "directory"), [("Größe & Co.", "grosse-co"), ("予測", "yu-ce"), ("!!", "my-model")]
    )
    def test_the_directory_is_proposed_after_the_name(self, name: str, directory: str) -> None:
        assert rendered(JSON["directory"], project_name=name) == directory


class TestFolder:
    @pytest.mark.parametrize("name", ["my-model", "Modèle 2", "{{ x }}"])
    def test_a_name_is_taken_as_it_is(self, tmp_path: Path, name: str) -> None:
        assert rendered(FOLDER, directory=name) == name
        hook.refuse_folder(tmp_path, {"directory": name, "__folder": name})

    @pytest.mark.parametrize(
        "name",
        [
            *("", " ", ".", "..", "../x", "x/..", "a/b", "/tmp/x", "a\\b", "C:\\x", "c:x"),
            *("end.", " x", 'a"b', "a|b", "a*", "a?", "a<b", "a>b"),
        ],
    )
    def test_a_path_is_made_nowhere(self, tmp_path: Path, name: str) -> None:
        folder = rendered(FOLDER, directory=name)
        assert folder == "no-such-folder"
        with pytest.raises(hook.RefusedError, match="is not the name of one folder"):
            hook.refuse_folder(tmp_path, {"directory": name, "__folder": folder})

    def test_one_with_files_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        with pytest.raises(hook.RefusedError, match="holds files, and none is overwritten"):
            hook.refuse_folder(tmp_path, {"directory": "x", "__folder": "x"})


class TestAnswers:
    def test_what_is_left_alone_is_left_to_copier(self) -> None:
        order = hook.order(context())
        assert order.changed == ()
        assert order.answers.keys() == {*ASKED} - {"directory", "task"}

    def test_what_is_set_is_handed_on(self) -> None:
        order = hook.order(context(task="binary", project_slug="churn", team=""))
        assert order.changed == ("task", "team", "project_slug")
        assert (order.answers["task"], order.answers["project_slug"]) == ("binary", "churn")
        assert order.answers["team"] == "", "Copier has to refuse it"

    def test_one_that_the_version_does_not_ask_is_refused_unless_it_is_the_default(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / ".copier-answers.yml").write_text("_commit: 1.0.0\nteam: x\n", encoding="utf-8")
        given = {"team": "x", "novelty": "yes"}
        hook.refuse_lost_answers(hook.Order("s", None, given, ("team",)), tmp_path)
        with pytest.raises(hook.RefusedError, match=r"1\.0\.0 of the template .* for novelty:"):
            hook.refuse_lost_answers(hook.Order("s", None, given, ("team", "novelty")), tmp_path)


GITHUB, GITLAB = "https://github.com/acme/tpl", "https://gitlab.com/acme/tpl"


class TestSource:
    @pytest.fixture
    def clone(self, tmp_path: Path) -> Path:
        """The folder into which Cookiecutter clones."""
        run("git", "init", "--quiet", "clone", folder=tmp_path)
        return tmp_path / "clone"

    def source(self, typed: str, cloned: str, clone: Path) -> str:
        run("git", "config", "remote.origin.url", cloned, folder=clone)
        return hook.source({"_template": typed, "_repo_dir": str(clone)})

    @pytest.mark.parametrize(
        ("typed", "cloned", "recorded"),
        [
            ("gh:acme/tpl", f"{GITHUB}.git", "gh:acme/tpl"),
            ("gl:acme/tpl", f"{GITLAB}.git", "gl:acme/tpl"),
            ("gh:acme/tpl", "https://git.acme.com/tpl.git", "https://git.acme.com/tpl.git"),
            ("bb:acme/tpl", "https://bitbucket.org/acme/tpl", "git+https://bitbucket.org/acme/tpl"),
            ("ours:tpl", "git@git.acme.com:tpl", "git@git.acme.com:tpl"),
            ("tpl", f"{GITHUB}.git", f"{GITHUB}.git"),
            (GITHUB, GITHUB, GITHUB),
            ("git+https://acme.com/tpl", "https://acme.com/tpl", "git+https://acme.com/tpl"),
            (
                "https://acme.com/git/tpl",
                "https://acme.com/git/tpl",
                "git+https://acme.com/git/tpl",
            ),
            ("ssh://git@acme.com/tpl", "ssh://git@acme.com/tpl", "git+ssh://git@acme.com/tpl"),
            ("file:///srv/git/tpl", "file:///srv/git/tpl", "git+file:///srv/git/tpl"),
        ],
    )
    def test_copier_finds_what_cookiecutter_cloned(
        self, clone: Path, typed: str, cloned: str, recorded: str
    ) -> None:
        source = self.source(typed, cloned, clone)
        assert source == recorded
        found = get_repo(source)
        assert found
        assert found.removesuffix(".git") == cloned.removesuffix(".git")

    @pytest.mark.parametrize(
        "url", ["https://me:secret@acme.com/tpl.git", "https://token@github.com/acme/tpl"]
    )
    def test_no_password_is_recorded_or_shown(self, clone: Path, url: str) -> None:
        for arguments in ({"_repo_dir": str(clone)}, {}):
            run("git", "config", "remote.origin.url", url, folder=clone)
            with pytest.raises(hook.RefusedError, match="password or token") as caught:
                hook.source({"_template": url, **arguments})
            assert "secret" not in str(caught.value)

    def test_an_archive_has_no_updates(self, tmp_path: Path) -> None:
        with pytest.raises(hook.RefusedError, match="no archive"):
            hook.source({"_template": "tpl.zip", "_repo_dir": str(tmp_path)})

    def test_a_whole_path_is_recorded_as_it_is(self, tmp_path: Path) -> None:
        typed = f"{tmp_path}/"
        assert hook.source({"_template": typed, "_repo_dir": typed}) == typed
        assert hook.source({"_template": typed}) == typed, "cruft names no clone"

    def test_cruft_s_way_back_and_forth_is_made_straight(self, tmp_path: Path) -> None:
        (tmp_path / "desk").mkdir()
        (tmp_path / "cookiecutter.json").touch()
        assert hook.source({"_template": f"{tmp_path}/desk/.."}) == str(tmp_path)

    @pytest.mark.parametrize("known", ["_output_dir", "PWD"])
    def test_a_relative_path_is_made_whole(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str
    ) -> None:
        (tmp_path / "desk").mkdir()
        (tmp_path / "tpl").mkdir()
        (tmp_path / "tpl" / "cookiecutter.json").touch()
        starts = {"_output_dir": "/elsewhere", "PWD": "/elsewhere", known: str(tmp_path / "desk")}
        monkeypatch.setenv("PWD", starts["PWD"])
        typed = str(Path("..", "tpl"))
        where = {"_output_dir": starts["_output_dir"], "_template": typed, "_repo_dir": typed}
        assert hook.source(where) == str(tmp_path / "tpl")

    @pytest.mark.parametrize("places", [[], ["here", "there"]])
    def test_one_that_may_be_nowhere_or_in_two_places_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: list[str]
    ) -> None:
        for place in places:
            (tmp_path / place / "tpl").mkdir(parents=True)
            (tmp_path / place / "tpl" / "cookiecutter.json").touch()
        monkeypatch.setenv("PWD", str(tmp_path / "here"))
        where = {"_output_dir": str(tmp_path / "there"), "_template": "tpl", "_repo_dir": "tpl"}
        with pytest.raises(hook.RefusedError, match="relative path: give the whole one"):
            hook.source(where)


class TestVersion:
    def test_cookiecutter_s_is_what_was_asked_for_or_the_newest(self) -> None:
        assert hook.ref({"_checkout": "v2"}) == "v2"
        assert hook.ref({"_checkout": None}) is None

    @pytest.mark.parametrize(
        ("tags", "release"),
        [
            (["1.9.0", "1.10.0", "1.2.0"], "1.10.0"),
            (["v1.0.0", "2.0.0rc1", "nightly"], "v1.0.0"),
            (["2.0.0b1", "latest"], None),
            ([], None),
        ],
    )
    def test_releases_are_ordered_as_by_copier(self, tags: list[str], release: str | None) -> None:
        assert hook.newest_release(tags) == release


def test_a_failure_leaves_an_empty_folder(tmp_path: Path) -> None:
    def fail() -> None:
        with hook.all_or_nothing(tmp_path):
            (tmp_path / "made" / "deep").mkdir(parents=True)
            (tmp_path / "file").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_jinja_changes_nothing_in_the_hook_but_its_context() -> None:
    text = (ROOT / "hooks/pre_gen_project.py").read_text(encoding="utf-8")
    hostile = {"team": """\"\"\" ''' \\ \\" {% x %} ü \u2028 </script>"""}
    made = rendered(text, **hostile)
    names: dict[str, Any] = {"__name__": "made", "__builtins__": __builtins__}
    exec(next(line for line in made.splitlines() if line.startswith("CONTEXT = ")), names)
    assert json.loads(names["CONTEXT"]) == hostile
    differ = [
        old for old, new in zip(text.splitlines(), made.splitlines(), strict=True) if old != new
    ]
    assert len(differ) == 1
