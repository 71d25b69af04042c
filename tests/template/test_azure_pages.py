"""The blocks of the pages on Azure run in bash, with stand-ins for what they call.

What Azure and GitHub answer is played: what is tested is which commands a block runs, that it
stops at its first failure, and that the files, workflows and inputs that it names exist.
"""

import re
import sys
from pathlib import Path

import pytest
import yaml

from tests.support import Template, run

SHELLCHECK = Path(sys.executable).parent / "shellcheck"
PAGES = ("going-live.md", "cost-and-teardown.md")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CALLED = ("az", "curl", "gh", "git", "uv")
# az ends its lines like Windows does, where Git Bash is in use. What names a group that was deleted
# is refused.
STAND_IN = """#!/usr/bin/env bash
echo "$(basename "$0") $*" >> "$CALLS"
[ "$(wc -l < "$CALLS")" != "${FAIL_AT:-}" ] || exit 1
answer=answer
[ "$1 $2" != "group exists" ] || answer=true
while read -r group; do
  case " $* " in
    " group exists --name $group ") answer=false ;;
    *[\\ /]"$group"[\\ /]*) exit 3 ;;
  esac
done < "$GONE"
[ "$1 $2" != "group delete" ] || echo "$4" >> "$GONE"
printf '%s\\r\\n' "$answer"
"""
# Azure makes resources of these without being asked for each.
ALWAYS_REGISTERED = {"Authorization", "Resources"}
# The service itself makes resources of these for an endpoint; infra/ has none.
OF_ENDPOINTS = {"AlertsManagement", "Cdn", "PolicyInsights"}
INTERNAL = re.compile(r"'Microsoft\.(\w+)/[\w/]+@")


@pytest.fixture(scope="module", params=[(3, "bicep"), (1, "bicep"), (3, "none")], ids=str)
def project(
    request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    level, infrastructure = request.param
    folder = tmp_path_factory.mktemp("azure-pages") / "project"
    return template.render(folder, maturity_level=level, infrastructure=infrastructure)


@pytest.fixture(autouse=True)
def images(project: Path, tmp_path: Path) -> None:
    """Let blocks find the files of the project that they read."""
    (tmp_path / "aml").symlink_to(project / "aml")


def blocks(project: Path) -> list[str]:
    paths = [project / "docs" / name for name in PAGES]
    texts = [path.read_text(encoding="utf-8") for path in paths if path.exists()]
    return [block for text in texts for kind, block in FENCED.findall(text) if not kind]


def calls_of(
    block: str, folder: Path, *, fail_at: int | None = None, again: bool = False
) -> tuple[list[str], bool]:
    """Run a block; return what it called, and whether it ended well.

    With `again` the resource groups that an earlier block deleted stay away.
    """
    bin_ = folder / "bin"
    bin_.mkdir(exist_ok=True)
    for name in CALLED:
        (bin_ / name).write_text(STAND_IN, encoding="utf-8")
        (bin_ / name).chmod(0o755)
    calls = folder / "calls"
    calls.write_text("", encoding="utf-8")
    gone = folder / "gone"
    if not again:
        gone.write_text("", encoding="utf-8")
    said = run(
        *("bash", "-c", f'PATH="{bin_}:$PATH"\nexec < <(yes "")\n{block}\necho "ended with $?"'),
        folder=folder,
        env={"CALLS": str(calls), "GONE": str(gone), "FAIL_AT": str(fail_at or "")},
    )
    return calls.read_bytes().decode().split("\n")[:-1], "ended with 0" in said


def test_there_are_blocks(project: Path) -> None:
    assert len(blocks(project)) >= 6


def test_shellcheck_finds_nothing(project: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(project)):
        path = tmp_path / f"{number}.sh"
        path.write_text(block, encoding="utf-8")
        # 2043: a loop over one environment. 2155: nothing goes on after a failure by hand.
        allowed = "SC2043" if block.startswith("(") else "SC2043,SC2155"
        run(SHELLCHECK, "--shell", "bash", "--exclude", allowed, path, folder=tmp_path)


def test_a_block_runs_to_its_end(project: Path, tmp_path: Path) -> None:
    for block in blocks(project):
        calls, well = calls_of(block, tmp_path)
        assert well, block
        assert [call for call in calls if "\r" in call] == []


def test_a_block_in_parentheses_stops_at_its_first_failure(project: Path, tmp_path: Path) -> None:
    for block in blocks(project):
        if not block.startswith("("):
            continue
        whole, _ = calls_of(block, tmp_path)
        for number in range(1, len(whole) + 1):
            calls, well = calls_of(block, tmp_path, fail_at=number)
            assert (calls, well) == (whole[:number], False), block


def test_removing_goes_on_where_it_stopped(project: Path, tmp_path: Path) -> None:
    found = [each for each in blocks(project) if re.search("--method delete|group delete", each)]
    assert len(found) == (2 if (project / "infra").exists() else 0)
    for block in found:
        whole, _ = calls_of(block, tmp_path)
        for number in range(1, len(whole) + 1):
            calls_of(block, tmp_path, fail_at=number)
            assert calls_of(block, tmp_path, again=True)[1], block
    for block in found:
        assert calls_of(block, tmp_path, again=True)[1], "where nothing is left"


def test_what_changes_azure_more_than_once_is_in_parentheses(project: Path, tmp_path: Path) -> None:
    changing = re.compile(r"^az (deployment|group|provider|rest|role|storage) .*")
    for block in blocks(project):
        calls, _ = calls_of(block, tmp_path)
        if sum(bool(changing.match(call)) for call in calls) > 1:
            assert block.startswith("(\nset -euo pipefail\n"), block


def test_git_bash_leaves_the_ids_of_azure_alone(project: Path, tmp_path: Path) -> None:
    for block in blocks(project):
        calls, _ = calls_of(block, tmp_path)
        if any(re.search(r"[ =]/subscriptions/| --ids ", call) for call in calls):
            assert "export MSYS_NO_PATHCONV=1" in block, block


def test_files_workflows_and_inputs_that_are_named_exist(project: Path, tmp_path: Path) -> None:
    calls = [call for block in blocks(project) for call in calls_of(block, tmp_path)[0]]
    for call in calls:
        for path in re.findall(r"\b(?:infra|conf|aml)/[\w./-]+", call):
            assert (project / path).exists(), call
        if started := re.match(r"gh workflow run ([\w.-]+)", call):
            workflow = project / ".github" / "workflows" / started[1]
            events = yaml.safe_load(workflow.read_text(encoding="utf-8"))[True]  # the key `on`
            dispatch = events["workflow_dispatch"]
            for name, value in re.findall(r"--field ([\w-]+)=(\S+)", call):
                assert value in dispatch["inputs"][name]["options"], call
    assert any(call.startswith("gh workflow run ml-cicd.yml") for call in calls)


def test_every_resource_provider_is_registered(project: Path, tmp_path: Path) -> None:
    files = (project / "infra").rglob("*.bicep")
    used = {name for path in files for name in INTERNAL.findall(path.read_text(encoding="utf-8"))}
    calls = [call for block in blocks(project) for call in calls_of(block, tmp_path)[0]]
    found = re.findall(r"az provider register --namespace Microsoft\.(\w+)", "\n".join(calls))
    assert set(found) == ((used - ALWAYS_REGISTERED) | OF_ENDPOINTS if used else set())


def test_the_pages_name_each_step_that_they_refer_to(project: Path) -> None:
    for name in PAGES:
        path = project / "docs" / name
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        steps = {int(number) for number in re.findall(r"^\*\*(\d+)\. ", text, re.MULTILINE)}
        assert steps == set(range(1, max(steps) + 1))
        for said in re.findall(r"\bsteps? (\d+(?:(?:, | and | to )\d+)*)", text):
            assert {int(number) for number in re.findall(r"\d+", said)} <= steps, said


def test_the_base_images_of_both_environments_are_looked_for(project: Path, tmp_path: Path) -> None:
    calls = [call for block in blocks(project) for call in calls_of(block, tmp_path)[0]]
    asked = {call.rpartition("/v2/")[2] for call in calls if call.startswith("curl ")}
    wanted = set()
    for dockerfile in (project / "aml" / "environments").glob("*/Dockerfile"):
        text = dockerfile.read_text(encoding="utf-8")
        (image,) = re.findall(r"^FROM mcr\.microsoft\.com/(\S+)", text, re.MULTILINE)
        name, reference = re.split("[:@]", image, maxsplit=1)
        wanted.add(f"{name}/manifests/{reference}")
    assert asked == wanted
    assert len(wanted) == 2


def test_the_first_hour_is_in_order(project: Path) -> None:
    text = (project / "docs/going-live.md").read_text(encoding="utf-8")
    hour = text.partition("## The first hour on Azure\n")[2].partition("\n## ")[0]
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", hour, re.MULTILINE)]
    assert len(numbers) > 10
    assert numbers == sorted(set(numbers))
