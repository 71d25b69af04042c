"""What is asked of a platform instead of its name, and that nobody compares names."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

import mlops
from fakes.azure import clients_of
from mlops.platforms import open_platform, platform_class
from mlops.platforms.azure.endpoint import AzureEndpoint
from mlops.platforms.azure.models import AzureModels
from mlops.platforms.azure.platform import AzurePlatform
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import LoadedSettings
from mlops.settings.platform_names import PLATFORM_NAMES

SOURCES = Path(mlops.__file__).parent
KNOW_THE_NAMES = ("platforms", "settings")


def named(tree: ast.AST) -> list[int]:
    """Return the lines in which a text of the code is a platform's name."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in PLATFORM_NAMES
    ]


def compared(tree: ast.AST) -> list[int]:
    """Return the lines that compare something with a platform's name."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare | ast.MatchValue) and named(node)
    ]


def places(find: Callable[[ast.AST], list[int]], *, inside: bool) -> list[str]:
    """Return the places that are inside or outside the packages which may know the names."""
    return [
        f"{path.relative_to(SOURCES)}:{line}"
        for path in sorted(SOURCES.rglob("*.py"))
        if (path.relative_to(SOURCES).parts[0] in KNOW_THE_NAMES) == inside
        for line in find(ast.parse(path.read_text(encoding="utf-8")))
    ]


def test_no_code_outside_platforms_and_settings_knows_a_name() -> None:
    assert places(named, inside=False) == []


def test_one_place_decides_by_the_name() -> None:
    (place,) = places(compared, inside=True)
    assert place.startswith(str(Path("platforms", "__init__.py")))


@pytest.mark.parametrize(
    "source",
    ['if p != "azure": pass', 'x = p in ("local", "azure")', 'match p:\n  case "local": pass'],
)
def test_a_comparison_would_be_found(source: str) -> None:
    assert compared(ast.parse(source))


def test_the_names_are_those_that_the_setting_takes(load: Callable[..., LoadedSettings]) -> None:
    classes = {name: platform_class(load(platform=name)) for name in PLATFORM_NAMES}
    assert classes == {"local": LocalPlatform, "azure": AzurePlatform}
    assert {name: each.name for name, each in classes.items()} == {n: n for n in PLATFORM_NAMES}


def test_this_machine_has_no_callers_and_stops_its_endpoints(settings: LoadedSettings) -> None:
    platform = open_platform(settings)
    assert isinstance(platform, LocalPlatform)
    assert (platform.has_callers, platform.can_stop) == (False, True)
    assert platform.examine(settings) == []
    assert platform.endpoint("e").poll_seconds == 0


def test_azure_has_callers_and_is_asked_as_seldom_as_conf_says(
    load: Callable[..., LoadedSettings],
) -> None:
    settings = load(platform="azure", azure__subscription_id="s", azure__poll_seconds=7)
    clients, *_ = clients_of(settings)
    assert (AzurePlatform.has_callers, AzurePlatform.can_stop) == (True, False)
    assert AzureEndpoint(clients, AzureModels(clients), "tiny-dev").poll_seconds == 7
