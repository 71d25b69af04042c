"""What of a person's rows is in Azure, where no command removes it."""

OUT_OF_REACH = (
    "Azure, events of endpoints: rewrite the blobs of the data collector without the key",
    "Azure, Log Analytics: ask for the purge of AppEvents by the key, which takes up to 30 days",
    "Azure, jobs: remove the key from the outputs of training jobs, or delete those",
    "Azure, data assets: register data without the key: jobs do not have the suppression list",
)
"""Each is done by hand, as docs/forget.md says."""
