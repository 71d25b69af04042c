"""Every command: its name, the module that defines it, and its line in the list that help shows."""

from collections.abc import Sequence

import click

from mlops.cli.groups import (
    AML,
    AUDIT,
    CI,
    COMPLIANCE,
    DATA,
    EVIDENCE,
    OBSERVABILITY,
    SETUP,
    STEP,
)
from mlops.cli.lazy import LazyCommand

COMMANDS: Sequence[click.Command] = [
    LazyCommand("run", "mlops.cli.ops:run", "Run the whole loop on this machine."),
    LazyCommand(
        "simulate",
        "mlops.cli.simulate:simulate",
        "Play a year of the closed loop in a few minutes, in a folder of its own.",
    ),
    DATA,
    LazyCommand("train", "mlops.cli.train:train", "Train and evaluate a model; print the run id."),
    LazyCommand(
        "tune",
        "mlops.cli.tune:tune",
        "Try parameters by cross-validation on the training part; print the best for conf.",
    ),
    LazyCommand(
        "evaluate",
        "mlops.cli.train:evaluate",
        "The gate: judge a run's model; exit 1 if it is refused.",
    ),
    LazyCommand(
        "package", "mlops.cli.register:package", "Make what a version needs of a run's data."
    ),
    LazyCommand(
        "register", "mlops.cli.register:register", "Make a version of a run's model that passed."
    ),
    LazyCommand(
        "share",
        "mlops.cli.register:share",
        "Copy a version to the registry from which all environments deploy.",
    ),
    LazyCommand(
        "card",
        "mlops.cli.governance:card",
        "Write a version's card, with what happened since it was registered.",
    ),
    LazyCommand(
        "gate",
        "mlops.cli.governance:gate",
        "Tell what an environment would refuse of a version; exit 1 if it would.",
    ),
    LazyCommand("deploy", "mlops.cli.deploy:deploy", "Serve a registered version at an endpoint."),
    LazyCommand(
        "smoke-test",
        "mlops.cli.deploy:smoke_test",
        "Check contract, errors and latency of an endpoint.",
    ),
    LazyCommand(
        "predict",
        "mlops.cli.predict:predict",
        "Ask an endpoint; without rows, show a typical one to copy.",
    ),
    LazyCommand(
        "score",
        "mlops.cli.score:score",
        "Predict for each key of raw data, by the version that serves.",
    ),
    LazyCommand(
        "drift",
        "mlops.cli.drift:drift",
        "Compare the newest predictions with the training data of what serves; exit 1 on drift.",
    ),
    LazyCommand(
        "feedback",
        "mlops.cli.feedback:feedback",
        "Judge the version that serves by labels that came later; exit 1 if it is below the limit.",
    ),
    LazyCommand(
        "monitor",
        "mlops.cli.monitor:monitor",
        "Evaluate observability/alerts.yaml now; exit 1 on an alarm, 3 if something failed.",
    ),
    LazyCommand(
        "retrain",
        "mlops.cli.retrain:retrain",
        "Train the model that serves again, if drift, performance or age are reason enough.",
    ),
    LazyCommand(
        "release", "mlops.cli.release:release", "Bring a version to callers, step by step."
    ),
    LazyCommand("ab-test", "mlops.cli.release:ab_test", "Compare two deployments under traffic."),
    LazyCommand(
        "switch-traffic",
        "mlops.cli.release:switch_traffic",
        "Shift traffic between blue and green.",
    ),
    LazyCommand(
        "rollback", "mlops.cli.release:rollback", "Restore what served before the last change."
    ),
    EVIDENCE,
    LazyCommand(
        "lineage",
        "mlops.cli.lineage:lineage",
        "Where a version comes from and what became of it; what answers now; who saw data.",
    ),
    LazyCommand(
        "reproduce",
        "mlops.cli.reproduce:reproduce",
        "Train a version again from its record: does the same come out?",
    ),
    LazyCommand(
        "forget",
        "mlops.cli.forget:forget",
        "Remove a key from events, holdouts and scores, and keep it out of later data.",
    ),
    AUDIT,
    COMPLIANCE,
    LazyCommand("stop", "mlops.cli.deploy:stop", "Stop the servers of an endpoint."),
    LazyCommand(
        "status",
        "mlops.cli.ops:status",
        "Show runs, registered versions and what is deployed where.",
    ),
    LazyCommand(
        "report",
        "mlops.cli.report:report",
        "Write one page about what serves: traffic, releases, drift, performance.",
    ),
    LazyCommand("doctor", "mlops.cli.ops:doctor", "Check what machine, project and platform need."),
    LazyCommand(
        "config", "mlops.cli.ops:config", "Show every setting and where its value comes from."
    ),
    LazyCommand(
        "stubs", "mlops.cli.stubs:stubs", "List what is still to fill in the team's package."
    ),
    LazyCommand(
        "maturity",
        "mlops.cli.maturity:maturity",
        "Compute the maturity level from what tests and files show.",
    ),
    LazyCommand(
        "ui", "mlops.cli.ops:ui", "Show runs and versions (MLflow) and what serves; Ctrl-C ends it."
    ),
    STEP,
    AML,
    OBSERVABILITY,
    CI,
    LazyCommand(
        "approvals",
        "mlops.cli.ci:approvals",
        "Check who approved a release on GitHub, and keep it.",
    ),
    SETUP,
]
"""In the order of help: a model's way to its callers, what looks at it, what pipelines call."""
