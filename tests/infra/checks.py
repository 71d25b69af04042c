"""Every check of a deployment by its name, with the deployments for which it is."""

from collections.abc import Callable, Iterable

from tests.infra import access, alerts, network, resources, roles, rollback
from tools.azure_deployments import DEPLOYMENTS
from tools.bicep import Snapshot

Check = Callable[[str, Snapshot, str], None]

ALL = tuple(DEPLOYMENTS)
SHARED = ("shared",)
ENVIRONMENTS = tuple(name for name in DEPLOYMENTS if name != "shared")
PRIVATE = tuple(name for name in DEPLOYMENTS if resources.is_private(name))


def named(
    checks: Iterable[Check], where: tuple[str, ...]
) -> dict[str, tuple[Check, tuple[str, ...]]]:
    return {check.__name__.removeprefix("check_"): (check, where) for check in checks}


CHECKS = {
    **named(
        (
            access.check_rights,
            access.check_anew,
            resources.check_kinds,
            resources.check_tags,
            resources.check_names,
        ),
        ALL,
    ),
    **named(
        (
            access.check_delegation,
            access.check_federation,
            roles.check_roles,
            resources.check_registry,
        ),
        SHARED,
    ),
    **named(
        (
            resources.check_storage,
            resources.check_audit,
            resources.check_vault_and_images,
            resources.check_workspace,
            resources.check_machines,
            resources.check_logs,
            resources.check_workbook,
            rollback.check_rollback,
            resources.check_budget,
            alerts.check_alerts,
            alerts.check_told,
            network.check_network,
        ),
        ENVIRONMENTS,
    ),
    **named((network.check_private_endpoints, network.check_zones), PRIVATE),
}
