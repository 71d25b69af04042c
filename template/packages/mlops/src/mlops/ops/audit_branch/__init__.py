"""The audit log as a branch of the project's own repository, where no platform keeps one."""
