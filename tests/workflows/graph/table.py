"""Writes what runs when into template/docs/pipeline.md, as the model of GitHub plays it.

`make pipeline` runs it; a test compares. The file's parts between two marks are replaced.
"""

import re
from collections.abc import Mapping

from tests.workflows.graph.language import Language, language
from tests.workflows.graph.pipeline import AZURE, LOCAL, PIPELINE, Workflows, results
from tests.workflows.graph.play import (
    WEEKLY,
    WELL,
    Fate,
    Project,
    approve_all,
    by_hand,
    proposed,
    pushed,
    server_of,
    workflows_of,
)
from tests.workflows.graph.repository import Event
from tests.workflows.graph.server import Job, Run
from tools.worktree import ROOT

PAGE = ROOT / "template" / "docs" / "pipeline.md"
INFRA_FILES = ("infra/main.bicep",)
INFRA = {
    "Pull request": (proposed(files=INFRA_FILES), AZURE),
    "From a fork": (proposed("else/model", files=INFRA_FILES), AZURE),
    "main": (pushed(files=INFRA_FILES), AZURE),
    "main, by hand": (by_hand(), AZURE),
    "another branch, by hand": (by_hand("idea"), AZURE),
    "main, without Azure": (pushed(files=INFRA_FILES), LOCAL),
}
OTHERS = {
    "main, by hand": (by_hand(), AZURE),
    "another branch, by hand": (by_hand("idea"), AZURE),
    "once a week": (WEEKLY, AZURE),
}
WATCHED = {
    "each hour": (WEEKLY, AZURE),
    "each hour, with drift": (WEEKLY, Project(drifts=True)),
    "main, by hand": (by_hand(), AZURE),
    "another branch, by hand": (by_hand("idea"), AZURE),
    "without Azure": (WEEKLY, LOCAL),
}
UPDATED = {
    "once a week": (WEEKLY, AZURE),
    "where workflows change": (WEEKLY, Project(proposes="issue")),
    "without news": (WEEKLY, Project(proposes="none")),
    "main, by hand": (by_hand(), AZURE),
    "another branch, by hand": (by_hand("idea"), AZURE),
}
Columns = Mapping[str, tuple[Event, Project]]


def play(
    language: Language, workflows: Workflows, file: str, case: tuple[Event, Project], fate: Fate
) -> Run | None:
    """Return the run of a workflow that an event starts, if it does, with every approval given."""
    event, project = case
    server = server_of(language, workflows, project)
    runs = [run for run in server.happen(event) if run.workflow.file == file]
    for run in runs:
        approve_all(server, run, project, fate)
    return runs[0] if runs else None


def cell(job: Job | None) -> str:
    """Say in one or two words what a job did."""
    if job is None or not job.ran_in_attempts:
        return ""
    if job.asked_in_attempts:
        return f"asks, `{job.environment}`"
    return f"`{job.environment}`" if job.environment else "yes"


def what_runs(language: Language, workflows: Workflows, file: str, columns: Columns) -> list[str]:
    """Return a table of the jobs of a workflow, by what starts it."""
    runs = {name: play(language, workflows, file, case, WELL) for name, case in columns.items()}
    started = [run for run in runs.values() if run]
    paths = {path: None for run in started for path in run.jobs}
    leaves = [path for path in paths if not any(other[:-1] == path for other in paths)]
    order = list(workflows[file].content["jobs"])
    rows = [
        ["/".join(path), *(cell(run.jobs.get(path)) if run else "" for run in runs.values())]
        for path in sorted(leaves, key=lambda path: order.index(path[0]))
    ]
    return table(["Job", *columns], [[f"`{row[0]}`", *row[1:]] for row in rows if any(row[1:])])


def what_follows(language: Language, workflows: Workflows) -> list[str]:
    """Return a table of what still runs behind a job of main that fails, on Azure."""
    case = PIPELINE["main, Azure"]
    whole = play(language, workflows, "ml-cicd.yml", case, WELL)
    assert whole
    rows = []
    for path, job in whole.jobs.items():
        if not job.ran_in_attempts:
            continue
        name = "/".join(path)
        run = play(language, workflows, "ml-cicd.yml", case, Fate(name, "failure"))
        assert run
        found = results(run)
        lost = [other for other, result in results(whole).items() if result == "success"]
        lost = [other for other in lost if found.get(other, "skipped") == "skipped"]
        tops = [each for each in lost if not any(each.startswith(f"{top}/") for top in lost)]
        rows.append([f"`{name}`", ", ".join(f"`{each}`" for each in tops) or "nothing"])
    return table(["If this fails", "these do not run"], rows)


def table(columns: list[str], rows: list[list[str]]) -> list[str]:
    """Return a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return [
        f"| {' | '.join(line)} |".replace("|  |", "| |").replace("|  |", "| |") for line in lines
    ]


def parts(language: Language, workflows: Workflows) -> dict[str, list[str]]:
    """Return each part of the page by the name of its marks."""
    return {
        "what runs": what_runs(language, workflows, "ml-cicd.yml", PIPELINE),
        "what follows": what_follows(language, workflows),
        "infra": what_runs(language, workflows, "infra.yml", INFRA),
        "rollback": what_runs(language, workflows, "rollback.yml", OTHERS),
        "weekly": what_runs(language, workflows, "weekly.yml", OTHERS),
        "template-update": what_runs(language, workflows, "template-update.yml", UPDATED),
        "monitor": what_runs(language, workflows, "monitor.yml", WATCHED),
    }


def page_with(text: str, tables: Mapping[str, list[str]]) -> str:
    """Return the page with its tables as they are now."""
    for name, lines in tables.items():
        marked = re.compile(rf"(<!-- {name}: [^\n]* -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        found = marked.search(text)
        assert found, f"{PAGE} has no marks for {name}"
        text = "".join(
            [text[: found.end(1)], *(f"{line}\n" for line in lines), text[found.start(2) :]]
        )
    return text


def main() -> None:
    """Write the page."""
    with language() as found:
        tables = parts(found, workflows_of(found, ROOT / "template"))
    text = page_with(PAGE.read_text(encoding="utf-8"), tables)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
