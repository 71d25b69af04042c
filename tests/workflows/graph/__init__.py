"""A model of how GitHub decides which job of a workflow runs, waits, is skipped or cancelled."""
