"""The questions of copier.yml: defaults, names derived from answers, refusals, messages."""

import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier import run_copy
from copier.errors import CopierError

from tests.support import HOSTILE, LONG_PACKAGE, QUESTIONS, Template
from tools.reserved_names import names_of_python, reserved_names
from tools.worktree import ROOT

pytestmark = pytest.mark.fast

RESERVED = reserved_names()


@pytest.fixture(scope="module")
def questionnaire(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The questions alone, with a template that renders only the answers: fast."""
    folder = tmp_path_factory.mktemp("questionnaire")
    needed = [path.relative_to(ROOT).as_posix() for path in (ROOT / "questions").glob("*.jinja")]
    for name in ("copier.yml", *needed):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    answers_file = "{{_copier_conf.answers_file}}.jinja"
    (folder / "template").mkdir()
    source = ROOT / "template" / answers_file
    (folder / "template" / answers_file).write_bytes(source.read_bytes())
    return folder


@pytest.fixture
def ask(questionnaire: Path, tmp_path: Path) -> "Ask":
    return Ask(questionnaire, tmp_path / "project")


class Ask:
    """Answers some questions, leaves the others at their defaults, and returns what is recorded."""

    def __init__(self, template: Path, project: Path) -> None:
        self.template, self.project = template, project

    def __call__(self, **answers: Any) -> dict[str, Any]:
        assert answers.keys() <= QUESTIONS.keys()
        run_copy(str(self.template), self.project, data=answers, defaults=True, quiet=True)
        text = (self.project / ".copier-answers.yml").read_text(encoding="utf-8")
        return dict(yaml.safe_load(text))

    def refusal(self, **answers: Any) -> str:
        """The sentence that refuses the answers; nothing may have been written."""
        with pytest.raises((ValueError, CopierError)) as caught:
            self(**answers)
        assert not self.project.exists()
        sentence = str(caught.value)
        assert any(f"question '{q}'" in sentence or f"for '{q}'" in sentence for q in answers)
        return sentence.split(": ", maxsplit=1)[1]


class TestDefaults:
    def test_every_default_is_recorded(self, ask: Ask) -> None:
        answers = ask()
        assert {name: answers[name] for name in QUESTIONS} == {
            "adopted": False,
            "kept": [],
            "project_name": "Purchase Prediction",
            "description": "Predicts whether a customer buys again, from past transactions.",
            "team": "Data Science",
            "contact_email": "data-science@example.com",
            "maturity_level": 3,
            "ci": "github",
            "example": "rfm",
            "task": "binary",
            "azure_region": "westeurope",
            "project_slug": "purchase-prediction",
            "package_name": "purchase_prediction",
            "python_version": "3.11",
            "license": "proprietary",
            "infrastructure": "bicep",
        }

    @pytest.mark.parametrize("name", QUESTIONS)
    def test_every_question_says_its_consequence(self, name: str) -> None:
        question = QUESTIONS[name]
        assert len(question["help"]) > 40
        choices = [str(choice) for choice in question.get("choices", ())]
        shown = [*question["help"].splitlines(), *choices]
        assert max(map(len, shown)) <= 76, "Copier's prompt cuts a line at 80 columns"
        assert "default" in question
        assert "choices" in question or "validator" in question

    def test_the_template_needs_no_trust(self) -> None:
        text = (ROOT / "copier.yml").read_text(encoding="utf-8")
        for key in ("_tasks", "_jinja_extensions", "_migrations", "secret:"):
            assert not re.search(rf"^\s*{key}", text, re.MULTILINE)


class TestAtThePrompt:
    """The prompt itself is replaced; what it is given and does with answers is Copier's own."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
        """What to type, by question; afterwards it holds what was asked, with the answers."""
        typed: dict[str, str] = {}

        def prompt(questions: list[dict[str, Any]], answers: dict[str, Any]) -> dict[str, Any]:
            (question,) = questions
            name = question["name"]
            typed[name] = typed.get(name, answers[name])
            if "validate" in question:
                assert question["validate"](typed[name]) is True
            return {name: typed[name]}

        monkeypatch.setattr("copier._main.unsafe_prompt", prompt)
        return typed

    CORE = (
        *("project_name", "example", "description", "team", "contact_email"),
        *("maturity_level", "azure_region"),
    )

    def test_seven_questions_are_asked(
        self, questionnaire: Path, tmp_path: Path, asked: dict[str, str]
    ) -> None:
        run_copy(str(questionnaire), tmp_path / "project", quiet=True)
        assert tuple(asked) == self.CORE

    def test_a_message_comes_before_them(
        self,
        questionnaire: Path,
        tmp_path: Path,
        asked: dict[str, str],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        run_copy(str(questionnaire), tmp_path / "project")
        assert asked.keys() == {*self.CORE}
        said = capsys.readouterr().err.lstrip()
        assert said.startswith(
            "Some questions first. Each has a default that works without a cloud"
        )

    def test_blank_is_asked_for_its_task(
        self, questionnaire: Path, tmp_path: Path, asked: dict[str, str]
    ) -> None:
        asked |= {"example": "blank", "task": "multiclass"}
        run_copy(str(questionnaire), tmp_path / "project", quiet=True)
        assert asked.keys() == {*self.CORE, "task"}
        answers = (tmp_path / "project/.copier-answers.yml").read_text(encoding="utf-8")
        assert "task: multiclass" in answers

    def test_a_name_without_a_plain_form_brings_an_eighth(
        self, questionnaire: Path, tmp_path: Path, asked: dict[str, str]
    ) -> None:
        asked |= {"project_name": "予測", "project_slug": "demand"}
        run_copy(str(questionnaire), tmp_path / "project", quiet=True)
        assert asked.keys() == {*self.CORE, "project_slug"}
        answers = (tmp_path / "project/.copier-answers.yml").read_text(encoding="utf-8")
        assert "package_name: demand" in answers


class TestDerivedNames:
    @pytest.mark.parametrize(
        ("project_name", "slug"),
        [
            ("Churn", "churn"),
            ("  ".join(["Customer", "churn!"]), "customer-churn"),
            ("Überraschung Größe", "ueberraschung-groesse"),
            ("U\u0308berraschung", "uberraschung"),
            ("Prévision d'achat — été", "prevision-dachat-ete"),
            ("Łódź Şişli Ñandú Ærø", "lodz-sisli-nandu-aero"),
            ("R&D (2026) forecast", "r-d-2026-forecast"),
            ("🚀 Launch", "launch"),
            ("snake_case_name", "snake-case-name"),
            ("Customer Lifetime Value Prediction", "customer-lifetime-value"),
            ("Donaudampfschifffahrtsgesellschaft", "donaudampfschifffahrtsgesel"),
            ("class", "class-model"),
            ("Statistics", "statistics-model"),
            ("Polars", "polars-model"),
            ("Scikit Learn", "scikit-learn-model"),
            ("Tests", "tests-model"),
            ("Aux", "aux-model"),
            ("Azure Storage File Share", "azure-storage-file-model"),
            ("X" * 60, "x" * 27),
        ],
    )
    def test_a_name_gives_a_slug_and_a_package(
        self, ask: Ask, project_name: str, slug: str
    ) -> None:
        answers = ask(project_name=project_name)
        assert answers["project_slug"] == slug
        assert answers["package_name"] == slug.replace("-", "_")

    @pytest.mark.parametrize("name", ["予測", "Прогноз ABC", "3D Printing", "2026", "!!!", "{{ }}"])
    def test_a_name_without_a_plain_form_asks_for_a_slug(self, ask: Ask, name: str) -> None:
        with pytest.raises(ValueError, match='Question "project_slug" is required'):
            ask(project_name=name)
        assert ask(project_name=name, project_slug="demand")["package_name"] == "demand"

    def test_a_long_reserved_name_is_cut_for_its_suffix(self, ask: Ask) -> None:
        names = [name for name in RESERVED if len(name) > 27 - len("-model")]
        assert names
        for name in names:
            slug = ask(project_name=name)["project_slug"]
            assert slug.endswith("-model"), slug
            assert len(slug) <= 27, slug

    def test_names_of_python_are_reserved(self) -> None:
        assert names_of_python() <= RESERVED
        assert {"tests", "polars", "mlflow", "sklearn", "scikit_learn", "yaml"} <= RESERVED

    def test_direct_dependencies_are_reserved(self, template: Template, tmp_path: Path) -> None:
        project = template.render(tmp_path / "project")
        groups = []
        for folder in (project, project / "packages" / "mlops"):
            content = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
            groups += [
                content["project"]["dependencies"],
                *content["project"].get("optional-dependencies", {}).values(),
                *content["dependency-groups"].values(),
            ]
        requirements = [requirement for group in groups for requirement in group]
        names = {re.split(r"[^\w.-]", r)[0].lower().replace("-", "_") for r in requirements}
        assert len(names) > 30
        assert names - RESERVED == set()


class TestRefusals:
    @pytest.mark.parametrize(
        ("question", "answer", "sentence"),
        [
            ("project_name", "", "Write something: it cannot be empty."),
            ("project_name", " \t ", "Write something: it cannot be empty."),
            ("project_name", "two\nlines", "Write it on one line"),
            ("project_name", "trailing\n", "Write it on one line"),
            ("project_name", "a\u2028b", "Write it on one line"),
            ("project_name", "nul\x00", "Write it on one line"),
            ("project_name", " Churn", "Remove the blanks"),
            ("project_name", "x" * 61, "Use at most 60 characters (it has 61)."),
            ("description", "", "Write something"),
            ("description", "tab\there", "Write it on one line"),
            ("description", "x" * 201, "Use at most 200 characters (it has 201)."),
            ("team", "a\rb", "Write it on one line"),
            ("team", "x" * 61, "Use at most 60 characters (it has 61)."),
            ("contact_email", "", "Write one address"),
            ("contact_email", "team", "Write one address"),
            ("contact_email", "a@b", "Write one address"),
            ("contact_email", "a@example.com\n", "Write one address"),
            ("contact_email", "a@example.com, b@example.com", "Write one address"),
            ("contact_email", 'a"b@example.com', "Write one address"),
            ("contact_email", f"{'x' * 90}@example.com", "Write one address"),
            ("azure_region", "West Europe", "Write the short name of a region"),
            ("azure_region", "no", "Write the short name of a region"),
            ("azure_region", "westeurope\n", "Write the short name of a region"),
            ("project_slug", "Churn", "Use lower-case letters and digits"),
            ("project_slug", "1-churn", "Use lower-case letters and digits"),
            ("project_slug", "churn--model", "Use lower-case letters and digits"),
            ("project_slug", "churn-", "Use lower-case letters and digits"),
            ("project_slug", "churn_model", "Use lower-case letters and digits"),
            ("project_slug", "größe", "Use lower-case letters and digits"),
            ("project_slug", "churn\n", "Use lower-case letters and digits"),
            ("project_slug", "../churn", "Use lower-case letters and digits"),
            ("project_slug", "x" * 28, "Use at most 27 characters (it has 28)"),
            ("project_slug", "scikit-learn", "scikit-learn is the name of"),
            ("package_name", "Churn", "Use lower-case letters and digits"),
            ("package_name", "churn-model", "Use lower-case letters and digits"),
            ("package_name", "_churn", "Use lower-case letters and digits"),
            ("package_name", "a.b", "Use lower-case letters and digits"),
            ("package_name", "churn\n", "Use lower-case letters and digits"),
            ("package_name", LONG_PACKAGE + "x", "Use at most 30 characters (it has 31)."),
            ("package_name", "class", "class is a Python keyword or the name of"),
            ("package_name", "statistics", "statistics is a Python keyword or the name of"),
            ("package_name", "sklearn", "sklearn is a Python keyword or the name of"),
            ("package_name", "tests", "tests is a Python keyword or the name of"),
            ("maturity_level", 4, "4 is not in [1, 2, 3]"),
            ("kept", ["README.md"], "Leave kept out: only an adopted repository had files before"),
            ("kept", ["/*"], "/* is no file of the template outside packages/"),
            ("kept", "README.md", "Write a list of files"),
            ("ci", "azure-devops", "'azure-devops' is not in ['github']"),
            ("example", "RFM", "'RFM' is not in ['rfm', 'spend', 'blank']"),
            ("task", "ranking", "'ranking' is not in ['binary', 'multiclass', 'regression']"),
            ("task", "regression", "Leave task out: rfm predicts whether it happens"),
            ("python_version", "3.10", "'3.10' is not in ['3.11', '3.12', '3.13', '3.14']"),
            ("infrastructure", "terraform", "'terraform' is not in ['bicep', 'none']"),
            ("license", "GPL", "'GPL' is not in ['proprietary', 'MIT', 'Apache-2.0']"),
        ],
    )
    def test_a_bad_answer_is_refused_with_a_clear_sentence(
        self, ask: Ask, question: str, answer: object, sentence: str
    ) -> None:
        assert ask.refusal(**{question: answer}).startswith(sentence)

    def test_no_validator_is_left_without_a_refusal(self) -> None:
        """Every question has a case above; `adopted` is refused later alone (TestForGood)."""
        (mark,) = self.test_a_bad_answer_is_refused_with_a_clear_sentence.pytestmark  # type: ignore[attr-defined]
        assert {case[0] for case in mark.args[1]} == QUESTIONS.keys() - {"adopted"}

    @pytest.mark.parametrize(
        ("question", "answer"),
        [
            ("project_name", "x" * 60),
            ("description", "x" * 200),
            ("project_slug", "x" * 27),
            ("package_name", LONG_PACKAGE),
            ("azure_region", "eastus2"),
            ("python_version", "3.14"),
            ("license", "Apache-2.0"),
            ("infrastructure", "none"),
            ("example", "blank"),
            ("task", "binary"),
        ],
    )
    def test_the_largest_good_answer_is_taken(self, ask: Ask, question: str, answer: str) -> None:
        assert ask(**{question: answer})[question] == answer


class TestTask:
    @pytest.mark.parametrize(
        ("example", "task"), [("rfm", "binary"), ("spend", "regression"), ("blank", "binary")]
    )
    def test_it_follows_the_example(self, ask: Ask, example: str, task: str) -> None:
        assert ask(example=example)["task"] == task

    @pytest.mark.parametrize(
        ("example", "words"), [("rfm", "buys again"), ("spend", "spends"), ("blank", "not said")]
    )
    def test_so_does_the_description(self, ask: Ask, example: str, words: str) -> None:
        assert words in ask(example=example)["description"]

    @pytest.mark.parametrize("task", QUESTIONS["task"]["choices"].values())
    def test_blank_takes_each(self, ask: Ask, task: str) -> None:
        assert ask(example="blank", task=task)["task"] == task

    @pytest.mark.parametrize("task", ["binary", "multiclass"])
    def test_spend_takes_no_other(self, ask: Ask, task: str) -> None:
        assert ask.refusal(example="spend", task=task).startswith("Leave task out: spend predicts")


class TestForGood:
    """What the project recorded is compared with the new answer."""

    @pytest.mark.parametrize(
        ("first", "then", "sentence"),
        [
            ({}, {"example": "blank"}, "The project was made of rfm, and that is for good"),
            (
                {"example": "blank"},
                {"task": "regression"},
                "The files were written for binary, and no update touches them",
            ),
            ({}, {"maturity_level": 2}, "The project is at level 3, and a level is not lowered"),
            ({}, {"infrastructure": "none"}, "The project has infra/, and no update takes it away"),
            ({}, {"adopted": True}, "The project was made by the template, and that is for good"),
            ({"adopted": True}, {"adopted": False}, "The project was adopted, and that is for"),
        ],
    )
    def test_another_answer_is_refused_with_its_reason(
        self, ask: Ask, first: dict[str, Any], then: dict[str, Any], sentence: str
    ) -> None:
        recorded = ask(**first)
        with pytest.raises(ValueError, match=sentence):
            ask(**then)
        assert ask() == recorded

    def test_what_may_change_may_change(self, ask: Ask) -> None:
        ask(example="blank", maturity_level=1, infrastructure="none")
        answers = ask(maturity_level=3, infrastructure="bicep", team="Growth")
        assert (answers["maturity_level"], answers["infrastructure"]) == (3, "bicep")

    def test_a_project_from_before_these_answers_was_made_by_the_template(self, ask: Ask) -> None:
        ask()
        path = ask.project / ".copier-answers.yml"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(each for each in lines if "adopted" not in each), encoding="utf-8")
        with pytest.raises(ValueError, match="The project was made by the template"):
            ask(adopted=True)
        assert ask()["adopted"] is False


class TestAdopted:
    def test_what_is_there_is_recorded_and_blank_is_the_default(self, ask: Ask) -> None:
        ask.project = ask.project.with_name("an [odd] name*")
        names = ("README.md", "src/churn/model.py", ".github/workflows/weekly.yml", "own.txt")
        for name in names:
            (ask.project / name).parent.mkdir(parents=True, exist_ok=True)
            (ask.project / name).touch()
        answers = ask(adopted=True, package_name="churn")
        assert answers["example"] == "blank"
        assert answers["kept"] == sorted(names[:3])
        answers = ask(kept=["README.md"])
        assert answers["kept"] == ["README.md"]


class TestHostileAnswers:
    def test_they_are_recorded_as_they_are(self, ask: Ask) -> None:
        answers = ask(**HOSTILE)
        assert {name: answers[name] for name in HOSTILE} == HOSTILE

    def test_they_reach_the_project_as_they_are(self, template: Template, tmp_path: Path) -> None:
        project = template.render(tmp_path / "project", **HOSTILE)
        text = (project / "pyproject.toml").read_text(encoding="utf-8")
        content = tomllib.loads(text)
        assert content["project"]["description"] == HOSTILE["description"]
        assert content["tool"]["mlops"]["title"] == HOSTILE["project_name"]
        assert content["tool"]["mlops"]["team"] == HOSTILE["team"]
        assert content["tool"]["mlops"]["contact"] == HOSTILE["contact_email"]
        assert "Zürich" in text
        for path in project.rglob("*.y*ml"):
            yaml.safe_load(path.read_text(encoding="utf-8"))


class TestMessages:
    @pytest.fixture
    def said(self, questionnaire: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
        project = tmp_path / "a project"
        run_copy(str(questionnaire), project, data={"example": "blank"}, defaults=True)
        return capsys.readouterr().err

    def test_where_all_is_answered_none_speaks_of_questions(self, said: str) -> None:
        assert "questions" not in said

    def test_after_copy_names_the_next_commands(self, said: str, tmp_path: Path) -> None:
        commands = [line.strip() for line in said.splitlines() if line.startswith("    ")]
        assert [c for c in commands if c.split()[0] in {"cd", "git", "uv"}] == [
            f'cd "{tmp_path / "a project"}"',
            "git init --initial-branch main",
            "uv sync",
            "git add .",
            'git commit -m "Start from the template"',
            "uv run mlops stubs",
        ]
        assert "run` goes through the whole loop on this machine" in said
        assert "pip install uv" in said
        assert "WARNING" not in said

    def test_after_copy_warns_of_a_source_that_no_update_finds(
        self,
        questionnaire: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        source = os.path.relpath(questionnaire, tmp_path)
        run_copy(source, tmp_path / "project", defaults=True)
        said = " ".join(capsys.readouterr().err.split())
        assert f"no update will find the template, since {source} is a relative path" in said


def test_this_python_is_one_that_is_offered() -> None:
    assert f"3.{sys.version_info.minor}" in QUESTIONS["python_version"]["choices"]
