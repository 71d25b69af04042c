"""Charts and rules as data: one description of a question to events, KQL from it, and its answer.

What `observability/queries.yaml` says is generated as KQL for Azure Monitor (`kql.py`) and is
computed here on the same events (`evaluate.py`); both agree on the same rows.
"""
