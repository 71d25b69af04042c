"""Every check of the infrastructure, by its name."""

from tests.infra import access, resources, roles

CHECKS = {
    check.__name__.removeprefix("check_"): check
    for check in (
        resources.check_syntax,
        resources.check_storage,
        resources.check_vault_and_images,
        resources.check_machines,
        resources.check_budget,
        resources.check_logs,
        resources.check_tags,
        resources.check_names,
        resources.check_closed,
        resources.check_private_builds,
        resources.check_way_to_the_lake,
        resources.check_public,
        access.check_rights,
        access.check_anew,
        access.check_delegation,
        roles.check_role_scopes,
        roles.check_plan_role,
        roles.check_reading_roles,
        roles.check_endpoint_roles,
        access.check_role_names,
        access.check_federation,
    )
}
