"""Endpoints, deployments and the environments that they and the steps run in."""

from mlops.aml.problems import Problem, known
from mlops.aml.reading import DefinitionFile, Definitions
from mlops.aml.shapes import Deployment, Endpoint, Environment


def check_environment(file: DefinitionFile, environment: Environment) -> list[Problem]:
    """Return what is wrong with an environment."""
    if (environment.build is None) == (environment.image is None):
        return [file.problem("", "names either an image or what to build, not both")]
    if environment.build is None:
        return []
    folder = file.resolve(environment.build.path)
    if not folder.is_dir():
        return [file.problem("build.path", f"there is no folder {environment.build.path!r}")]
    if not (folder / environment.build.dockerfile_path).is_file():
        message = f"there is no file {environment.build.dockerfile_path!r} in build.path"
        return [file.problem("build.dockerfile_path", message)]
    return []


def check_endpoint(file: DefinitionFile, endpoint: Endpoint) -> list[Problem]:
    """Return what is wrong with an endpoint."""
    problems = []
    total = sum(endpoint.traffic.values())
    if total not in (0, 100):
        problems.append(file.problem("traffic", f"sums to {total}: it must be 0 or 100"))
    if len(endpoint.mirror_traffic) > 1:
        message = f"only one deployment may get copies, not {len(endpoint.mirror_traffic)}"
        problems.append(file.problem("mirror_traffic", message))
    for name in endpoint.mirror_traffic:
        if endpoint.traffic.get(name):
            message = "it has traffic: only a deployment without may get copies"
            problems.append(file.problem(f"mirror_traffic.{name}", message))
    return problems


def check_deployment(
    file: DefinitionFile, deployment: Deployment, definitions: Definitions
) -> list[Problem]:
    """Return what is wrong with a deployment."""
    problems = definitions.check_environment(file, deployment.environment)
    code = deployment.code_configuration
    folder = file.resolve(code.code)
    if not folder.is_dir():
        message = f"there is no folder {code.code!r}"
        return [*problems, file.problem("code_configuration.code", message)]
    if not (folder / code.scoring_script).is_file():
        scripts = known(path.name for path in folder.glob("*.py"))
        message = f"there is no script {code.scoring_script!r} in {code.code} ({scripts})"
        problems.append(file.problem("code_configuration.scoring_script", message))
    return problems
