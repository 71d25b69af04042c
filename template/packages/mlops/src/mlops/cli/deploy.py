"""Serve a version, test what serves, and stop it."""

import click

from mlops.checks import failures
from mlops.cli.interrupts import tells_what_serves
from mlops.cli.options import environment_option, json_option, settings_for, version_option
from mlops.cli.tables import show_checks
from mlops.console import emit, progress, show
from mlops.errors import Refused
from mlops.platforms import open_platform
from mlops.release.deploy import deploy as deploy_version
from mlops.release.deploy import remove_all
from mlops.release.readiness import check_ready
from mlops.release.recorded import recorded_deployment, recorded_removal
from mlops.release.smoke import smoke_test_endpoint


@click.command()
@version_option
@click.option("--deployment", default="blue", show_default=True, help="Name of the deployment.")
@click.option("--traffic", type=click.IntRange(0, 100), help="Share of traffic in percent.")
@click.option("--force", is_flag=True, help="Also where it would reach callers without a release.")
@environment_option
@json_option
@tells_what_serves
def deploy(
    model_version: int,
    deployment: str,
    traffic: int | None,
    force: bool,
    environment: str | None,
    as_json: bool,
) -> None:
    """Serve a registered version at an endpoint."""
    settings = settings_for(environment)
    platform = open_platform(settings)
    with (
        progress("deploying") as report,
        recorded_deployment(platform, settings, model_version, deployment, report),
    ):
        endpoint = deploy_version(
            platform,
            settings.endpoint_name,
            model_version,
            deployment=deployment,
            traffic=traffic,
            report=report,
            force=force or not settings.values.approvals.required,
            ready=lambda version: check_ready(platform, settings, version, report, rehearsal=False),
        )
    result = {"endpoint": endpoint.name, "url": endpoint.url(), "traffic": endpoint.traffic()}
    if as_json:
        emit(result)
        return
    share = endpoint.traffic().get(deployment, 0)
    how = "" if share else "; requests with the header azureml-model-deployment reach it"
    show(
        f"{endpoint.name} serves version {model_version} as {deployment}, with {share} % of the "
        f"traffic of {endpoint.url()}{how}"
    )


@click.command("smoke-test")
@click.option("--deployment", help="Only this deployment; default: every one.")
@environment_option
@json_option
@tells_what_serves
def smoke_test(deployment: str | None, environment: str | None, as_json: bool) -> None:
    """Check contract, errors and latency of an endpoint.

    Exit 1 if something is wrong.
    """
    settings = settings_for(environment)
    with progress("smoke test") as report:
        result = smoke_test_endpoint(open_platform(settings), settings, deployment, report)
    if as_json:
        emit(result.to_dict())
    show_checks(f"Smoke test of {settings.endpoint_name}", result.checks)
    if not result.passed:
        raise Refused(f"{settings.endpoint_name} failed the smoke test: {failures(result.checks)}")


@click.command()
@click.option("--all", "everything", is_flag=True, help="The endpoints of all environments.")
@click.option(
    "--remove", is_flag=True, help="Remove the deployments: in the cloud only that ends the costs."
)
@environment_option
@tells_what_serves
def stop(everything: bool, remove: bool, environment: str | None) -> None:
    """Stop the servers of an endpoint.

    `deploy` or `smoke-test` start them again.
    """
    settings = settings_for(environment)
    names = settings.project.environments() if everything else [settings.values.environment]
    for name in names:
        there = settings_for(name)
        where = f"{name}, platform {there.values.platform}"
        platform = open_platform(there)
        endpoint = platform.endpoint(there.endpoint_name)
        if endpoint.exists() and remove:
            with (
                progress(f"{where}: removing") as report,
                recorded_removal(platform, there, endpoint, report),
            ):
                remove_all(endpoint, report)
            show(f"{where}: {endpoint.name} has no deployments any more")
        elif endpoint.exists():
            endpoint.stop()
            show(f"{where}: {endpoint.name} is stopped")
        else:
            show(f"{where}: {endpoint.name}: nothing is deployed")
