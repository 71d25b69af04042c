"""A deployment of infra/ that takes longer than a sign-in lives.

It is started and not waited for; then `az` is asked how far it is, for as long as one sign-in
lasts. The same call again, after another sign-in or in a new attempt of the job, goes on waiting.
"""

import json
import shutil
import subprocess  # nosec B404
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.errors import PlatformError

PREFIX = "infra-"
"""What the names of all deployments of the workflow begin with."""
ENDED = ("Succeeded", "Failed", "Canceled")
POLL_SECONDS = 20.0
FAULTS = 5
"""So often in a row asking may fail before the wait ends."""

Az = Callable[[Sequence[str]], tuple[int, str, str]]


def run_name(environment: str, run_id: str | None, at: datetime) -> str:
    """Return what a run's deployments of an environment are called; groups may be shared.

    Args:
        environment: what is deployed.
        run_id: the run of the workflow; None: by hand, where each call is a run of its own.
        at: now, in UTC.
    """
    return f"{environment}-{run_id or f'by-hand-{at:%Y%m%dT%H%M%S}'}"


@dataclass
class Deployment:
    """A deployment to a resource group.

    Args:
        group: the resource group.
        run: what the deployments of all attempts are called, before the attempt (`run_name`).
        attempt: the number of this one.
        parameters: the parameter file.
        az: runs `az` with arguments; returns its exit code, output and words.
        say: tells a person how far it is.
        sleep: waits so many seconds.
        now: seconds of a clock that only goes forward.
    """

    group: str
    run: str
    attempt: str
    parameters: str
    az: Az
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic

    @property
    def name(self) -> str:
        """The deployment's name in Azure."""
        return f"{PREFIX}{self.run}-{self.attempt}"

    def advance(self, seconds: float) -> bool:
        """Start it unless it runs, and wait for its end at most so long; tell whether it ended.

        One of an earlier attempt of this run that still goes on is waited for in its place, as it
        deploys the same files. Another one of the group is waited for first.

        Raises:
            PlatformError: it failed, or Azure does not answer.
        """
        until = self.now() + seconds
        if self._state(self.name) is None:
            active = self._active()
            mine = [name for name in active if name.startswith(f"{PREFIX}{self.run}-")]
            if mine:
                self.say(f"{mine[0]} of an earlier attempt still runs: waiting for it")
                return self._wait(mine[0], until)
            for name in active:
                self.say(f"{name}, another deployment, still runs: waiting for it first")
                if not self._ended(name, until):
                    return False
            self._start()
        return self._wait(self.name, until)

    def _start(self) -> None:
        where = ("--resource-group", self.group, "--parameters", self.parameters)
        words = ("deployment", "group", "create", "--no-wait", "--name", self.name, *where)
        code, _, said = self.az(words)
        if code != 0:
            raise PlatformError(f"{self.name} was not started: {said.strip()}")
        self.say(f"{self.name} was started")

    def _wait(self, name: str, until: float) -> bool:
        if not self._ended(name, until):
            return False
        state = self._state(name)
        if state != "Succeeded":
            raise PlatformError(f"{name} ended as {state}: {self._problem(name)}")
        self.say(f"{name} succeeded")
        return True

    def _ended(self, name: str, until: float) -> bool:
        while self._state(name) not in (None, *ENDED):  # None: it was deleted
            if self.now() >= until:
                return False
            self.sleep(POLL_SECONDS)
        return True

    def _state(self, name: str) -> str | None:
        """Return how far a deployment is; None if there is none of this name."""
        found = self._ask("show", "--name", name, "--query", "properties.provisioningState")
        return None if found is None else str(found)

    def _active(self) -> list[str]:
        mine = f"starts_with(name, '{PREFIX}')"
        going = " && ".join(f"properties.provisioningState != '{state}'" for state in ENDED)
        found = self._ask("list", "--query", f"[?{mine} && {going}].name")
        return sorted(found or [])

    def _problem(self, name: str) -> str:
        found = self._ask("show", "--name", name, "--query", "properties.error")
        return json.dumps(found, indent=2, ensure_ascii=False) if found else "Azure names no error"

    def _ask(self, command: str, *words: str) -> Any:
        asked = ("deployment", "group", command, "--resource-group", self.group, *words)
        said = ""
        for fault in range(FAULTS):
            self.sleep(POLL_SECONDS if fault else 0.0)
            code, answer, said = self.az((*asked, "--output", "json"))
            if code == 0:
                return json.loads(answer or "null")
            if "DeploymentNotFound" in said:
                return None
        raise PlatformError(f"Azure does not say how the deployment goes: {said.strip()}")


def run_az(words: Sequence[str]) -> tuple[int, str, str]:
    """Run `az`; return its exit code, its output and what else it said."""
    az = shutil.which("az")  # on Windows az.cmd
    if az is None:
        raise PlatformError("az is not on PATH", "install the Azure CLI here")
    try:
        done = subprocess.run(  # nosec B603  # a list of arguments, no shell
            [az, *words], capture_output=True, encoding="utf-8", errors="replace", check=False
        )
    except OSError as error:
        raise PlatformError(f"az cannot be run: {error}", "install the Azure CLI here") from error
    return done.returncode, done.stdout, done.stderr
