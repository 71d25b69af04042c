"""Jobs of the emulator, driven by Microsoft's own client."""

from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, load_job
from azure.ai.ml.entities import (
    BuildContext,
    CronTrigger,
    Data,
    Environment,
    JobSchedule,
    Model,
)
from azure.core.exceptions import (
    HttpResponseError,
)
from mlops.platforms.azure.outputs import download_output

from .clients import EXAMPLE, example, run_job
from .emulator import AzureEmulator

pytestmark = pytest.mark.azure


@pytest.mark.usefixtures("environments")
class TestJobs:
    def test_steps_run_and_their_output_comes_back(self, dev: MLClient, tmp_path: Path) -> None:
        job = run_job(dev, example())
        assert job.status == "Completed"
        download_output(dev.jobs, job.name, "result", tmp_path)
        result = tmp_path / "named-outputs" / "result" / "count" / "count.txt"
        assert result.read_text() == "5"
        children = list(dev.jobs.list(parent_job_name=job.name))
        assert [(each.display_name, each.status) for each in children] == [
            ("make", "Completed"),
            ("count", "Completed"),
        ]
        dev.jobs.download(children[0].name, all=True, download_path=tmp_path / "make")
        log = tmp_path / "make" / "artifacts" / "user_logs" / "std_log.txt"
        assert log.read_text() == "make begins\n"

    def test_the_history_words_the_kind_of_an_output_otherwise(self, dev: MLClient) -> None:
        """As the service does; the SDK's newest releases look for another word."""
        job = run_job(dev, example())
        runs: Any = dev.jobs._runs_operations
        kinds = {each.type for each in runs.get_run_data(job.name).run_metadata.outputs.values()}
        assert kinds == {"UriFolder"}

    def test_inputs_of_data_and_optional_ones(self, dev: MLClient, tmp_path: Path) -> None:
        (tmp_path / "rows.txt").write_text("a b c")
        dev.data.create_or_update(Data(name="rows", version="7", path=str(tmp_path)))
        job = example()
        job.jobs["count"].inputs.source = Input(type="uri_folder", path="azureml:rows:7")
        job.jobs["count"].inputs.word = "word"
        job = run_job(dev, job)
        download_output(dev.jobs, job.name, "result", tmp_path / "out")
        assert next((tmp_path / "out").rglob("count.txt")).read_text() == "3 word"
        made = Model(name="made", version="1", path=f"azureml://jobs/{job.name}/outputs/result")
        dev.models.create_or_update(made)
        dev.models.download("made", "1", str(tmp_path / "model"))
        assert next((tmp_path / "model").rglob("count.txt")).read_text() == "3 word"

    def test_a_failing_step_fails_the_job_with_its_log(self, dev: MLClient) -> None:
        job = example()
        job.inputs.rows = -1
        job = run_job(dev, job)
        assert job.status == "Failed"
        (child,) = dev.jobs.list(parent_job_name=job.name)
        assert (child.display_name, child.status) == ("make", "Failed")
        with pytest.raises(Exception, match="no fewer rows than none"):
            dev.jobs.stream(job.name)

    def test_what_a_failed_step_wrote(self, dev: MLClient, tmp_path: Path) -> None:
        job = example()
        job.inputs.rows = 1_000_000
        job = run_job(dev, job)
        assert job.status == "Failed"
        (child,) = dev.jobs.list(parent_job_name=job.name)
        download_output(dev.jobs, child.name, "made", tmp_path)
        assert next(tmp_path.rglob("rows.txt")).read_text() == "too many"
        download_output(dev.jobs, job.name, "result", tmp_path / "none")
        assert not (tmp_path / "none").exists()

    def test_a_failed_job_asked_for(self, azure: AzureEmulator, dev: MLClient) -> None:
        azure.fail_step("/count$", "The node was preempted.")
        job = run_job(dev, example())
        assert job.status == "Failed"
        with pytest.raises(Exception, match="preempted"):
            dev.jobs.stream(job.name)
        assert run_job(dev, example()).status == "Completed"

    def test_a_stuck_job_can_be_cancelled(self, azure: AzureEmulator, dev: MLClient) -> None:
        azure.stick_step("/make$")
        job = dev.jobs.create_or_update(example())
        assert dev.jobs.get(job.name).status in ("NotStarted", "Running")
        dev.jobs.begin_cancel(job.name).result()
        assert dev.jobs.get(job.name).status == "Canceled"

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("${{parent.inputs.rows}}", "${{parent.inputs.lines}}", "has no input 'lines'"),
            ("jobs.make.outputs.made", "jobs.make.outputs.done", "no step 'make' has 'done'"),
            ("jobs.make.outputs.made", "jobs.build.outputs.made", "no step 'build'"),
            ("jobs.make.outputs.made", "jobs.count.outputs.counted", "cycle"),
            ("${{parent.outputs.result}}", "${{parent.outputs.other}}", "has no output 'other'"),
            ("azureml:cpu-dev", "azureml:gpu", "gpu"),
        ],
    )
    def test_what_leads_nowhere_is_refused(
        self, dev: MLClient, tmp_path: Path, old: str, new: str, said: str
    ) -> None:
        for path in EXAMPLE.glob("*.yml"):
            text = path.read_text().replace("code: .", f"code: {EXAMPLE / 'packages'}")
            (tmp_path / path.name).write_text(text.replace(old, new))
        with pytest.raises(Exception, match=said):
            dev.jobs.create_or_update(load_job(tmp_path / "pipeline.yml"))

    def test_an_image_needs_its_build_context(self, dev: MLClient, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text("FROM scratch\n")
        (tmp_path / "mlops").write_text('#!/bin/sh\necho "launched" > "$3/count.txt"\n')
        build = BuildContext(path=tmp_path, dockerfile_path="Dockerfile")
        dev.environments.create_or_update(Environment(name="built", version="1", build=build))
        job = example()
        job.jobs["count"].component.environment = "azureml:built:1"
        job = run_job(dev, job)
        download_output(dev.jobs, job.name, "result", tmp_path / "out")
        assert next((tmp_path / "out").rglob("count.txt")).read_text() == "launched\n"
        absent = BuildContext(path=tmp_path, dockerfile_path="Absent")
        with pytest.raises(HttpResponseError, match="No files were found"):
            dev.environments.create_or_update(Environment(name="built", version="2", build=absent))

    def test_a_schedule(self, dev: MLClient) -> None:
        job = example()
        cron = CronTrigger(expression="0 3 * * *")
        schedule = JobSchedule(name="nightly", trigger=cron, create_job=job)
        assert dev.schedules.begin_create_or_update(schedule).result().is_enabled
        assert [each.name for each in dev.schedules.list()] == ["nightly"]
        assert not dev.schedules.begin_disable("nightly").result().is_enabled
        dev.schedules.begin_delete("nightly").result()
        assert list(dev.schedules.list()) == []
