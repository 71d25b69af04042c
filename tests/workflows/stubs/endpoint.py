"""A platform with one endpoint that only pretends, for the project's own `mlops rollback`.

The endpoint's history is a file: what served, by deployment, after each completed change, the
present last. Whatever serves has all traffic.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any


@dataclass(frozen=True)
class Share:
    """What a deployment served, and its share of the traffic."""

    model_version: int
    traffic: int
    origin: str = ""


class Endpoint:
    """What `mlops rollback` asks of an endpoint."""

    def __init__(self, path: Path) -> None:
        self.name = f"model-{path.stem}"
        self.path = path
        self.history: list[dict[str, str]] = [{}]
        if path.is_file():
            self.history = json.loads(path.read_text(encoding="utf-8"))
        self.versions = {name: int(version) for name, version in self.history[-1].items()}
        self.shares = dict.fromkeys(self.versions, 100)

    def exists(self) -> bool:
        return any(self.history)

    def repair(self, _report: object) -> None:
        pass

    def deployments(self) -> list[Any]:
        return [
            SimpleNamespace(name=name, model_version=version, healthy=True, origin="")
            for name, version in sorted(self.versions.items())
        ]

    def is_current(self, name: str, version: Any) -> bool:
        return self.versions.get(name) == version.version

    def traffic(self) -> dict[str, int]:
        return dict(self.shares)

    def mirror(self) -> dict[str, int]:
        return {}

    def way_back(self) -> None:
        pass

    def previous(self) -> dict[str, Share] | None:
        if len(self.history) < 2:
            return None
        return {name: Share(int(version), 100) for name, version in self.history[-2].items()}

    def deploy(self, name: str, version: Any, _report: object, **_options: Any) -> None:
        self.versions[name] = version.version
        self.shares.setdefault(name, 0)

    def set_traffic(self, traffic: Mapping[str, int], **_options: Any) -> None:
        self.shares = {name: traffic.get(name, 0) for name in self.versions}

    def set_mirror(self, _name: str | None, _percent: int = 0) -> None:
        pass

    def delete(self, name: str) -> None:
        del self.versions[name], self.shares[name]

    def keep_scored(self, _folder: Path) -> None:
        pass

    def keep_checks(self, _checks: Sequence[Mapping[str, Any]]) -> None:
        pass

    @contextmanager
    def lease(self, _purpose: str, _terms: object = None) -> Iterator[None]:
        yield
        serving = {name: str(self.versions[name]) for name, share in self.shares.items() if share}
        if serving != self.history[-1]:
            self.path.write_text(json.dumps([*self.history, serving]), encoding="utf-8")


class Platform:
    """Has every version."""

    name = "pretended"
    has_callers = True

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def endpoint(self, _name: str) -> Endpoint:
        return self._endpoint

    def audit(self) -> Any:
        from mlops.platforms.local.audit import LocalAudit

        endpoints = self._endpoint.path.parent
        kept = endpoints.with_name(f"{endpoints.name}-audit")
        return LocalAudit(kept / "log", kept)

    def version(self, number: int) -> Any:
        return SimpleNamespace(name="model", version=number, folder=Path(), tags={})
