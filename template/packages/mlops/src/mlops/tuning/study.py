"""Trials of parameters, each cross-validated on the training part, kept as they end."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mlops.artifacts.documents import Document, tuning_document
from mlops.artifacts.prepared import Prepared, train_file
from mlops.errors import ConfigError, Interrupted, Refused
from mlops.files import code_hash, file_sha256
from mlops.metrics import METRICS, decimal, measured, names_of
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings
from mlops.steps.choices import decided_by, out_of_fold
from mlops.steps.fit import server
from mlops.steps.provenance import environment_state
from mlops.tuning.proposals import Proposals
from mlops.usecase.use_case import LABEL

ID_DIGITS = 12


@dataclass(frozen=True)
class Asked:
    """What is asked of a search: the same is the same study, and goes on where it was left.

    Attributes:
        metric: what is compared.
        folds: of the cross-validation.
        sampler: `random` or `tpe`.
        seed: of the sampler.
    """

    metric: str
    folds: int
    sampler: str
    seed: int


@dataclass(frozen=True)
class Trial:
    """Parameters that were tried; `value` is None where they could not be, and `problem` why."""

    number: int
    params: dict[str, Any]
    value: float | None
    seconds: float
    problem: str = ""


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        file: where it is kept.
        metric: what was compared.
        now: the parameters that conf names; its number is -1.
        trials: all trials, in their order.
        resumed: how many of them were there before.
    """

    file: Path
    metric: str
    now: Trial
    trials: tuple[Trial, ...]
    resumed: int

    def best(self, count: int) -> list[Trial]:
        """Return the best trials, the best one first; of equal ones the earlier."""
        known = [trial for trial in self.trials if trial.value is not None]
        sign = 1 if METRICS[self.metric].lower_is_better else -1
        return sorted(known, key=lambda trial: (sign * (trial.value or 0.0), trial.number))[:count]

    @property
    def improves(self) -> bool:
        """Whether a trial is better than what conf names."""
        best = self.best(1)
        return bool(best) and _better(self.metric, best[0].value, self.now.value)


def search(
    prepared: Prepared,
    settings: LoadedSettings,
    asked: Asked,
    trials: int,
    folder: Path,
    report: Report,
) -> Found:
    """Try so many parameters, but for those of the same study that were tried before.

    Args:
        prepared: of which the training part alone is read.
        settings: the parameters of now, the seed of models, and how a binary model decides.
        asked: what is compared, and how trials are proposed.
        trials: how many there are to be in all.
        folder: where studies are kept.
        report: told after each trial.

    Raises:
        ConfigError: the metric is of another task, or the search space proposes what Params does
            not take or what labels depend on.
        Refused: the training part is too small, or no trial could be measured.
        Interrupted: what was tried until then is kept.
    """
    known = names_of(prepared.target.task)
    if asked.metric not in known:
        raise ConfigError(
            f"--metric: {asked.metric} is no metric of a {prepared.target.task} model",
            f"there are {', '.join(known)}",
        )
    study = _Study(prepared, settings, asked, folder)
    kept = study.kept()
    now = kept.pop(-1, None) or study.tried(-1, {}, settings.values.params, patient=False)
    done: list[Trial] = []
    resumed = min(trials, len(kept))
    try:
        for trial in _trials(study, settings, asked, trials, kept):
            done.append(trial)
            if trial.number not in kept:
                study.keep(now, done)
                report(_line(asked.metric, trial, trials))
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted, and {len(done)} of {trials} trials are kept", "the same command goes on"
        ) from None
    found = Found(study.file, asked.metric, now, tuple(done), resumed)
    if not found.best(1):
        raise Refused(
            f"none of {trials} trials could be measured: {done[0].problem}",
            "mend search_space or make_model in model.py",
        )
    return found


def _trials(
    study: "_Study",
    settings: LoadedSettings,
    asked: Asked,
    trials: int,
    kept: Mapping[int, Trial],
) -> Iterator[Trial]:
    """Yield each trial; those that are kept are proposed again, so that the next ones follow."""
    proposals = Proposals(
        settings.use_case.search_space(),
        settings.values.params,
        asked.sampler,
        asked.seed,
        METRICS[asked.metric].lower_is_better,
    )
    for number in range(trials):
        changed, params = proposals.ask()
        trial = kept.get(number) or study.tried(number, changed, params)
        if trial.params != changed:
            raise ConfigError(
                f"{study.file} holds other parameters for trial {number} than are proposed now",
                "search_space in model.py must depend on its trial alone; delete the file to begin "
                "anew",
            )
        proposals.tell(trial.value)
        yield trial


class _Study:
    """The training part, the file of the trials, and what is the same for all of them."""

    def __init__(
        self, prepared: Prepared, settings: LoadedSettings, asked: Asked, folder: Path
    ) -> None:
        self._prepared, self._settings, self._asked = prepared, settings, asked
        self._train = prepared.train()
        self._labels = self._train[LABEL].to_numpy()
        self._identity = {
            **asdict(asked),
            "training": settings.values.training.model_dump(mode="json"),
            "params": settings.values.params.model_dump(mode="json"),
            "train_sha256": file_sha256(train_file(prepared.folder)),
            "code": code_hash(settings.use_case.folder),
            "packages": environment_state(settings.project.root)["packages_sha256"],
        }
        told = json.dumps(self._identity, sort_keys=True, default=str).encode()
        self._id = hashlib.sha256(told).hexdigest()[:ID_DIGITS]
        self._folder = folder

    @property
    def _document(self) -> Document:
        return tuning_document(self._id)

    @property
    def file(self) -> Path:
        return self._folder / self._document.name

    def kept(self) -> dict[int, Trial]:
        """Return the trials of this study that were tried before, by number; -1 is conf's."""
        if not self.file.is_file():
            return {}
        content = self._document.read(self._folder)
        found = [Trial(**each) for each in (content["now"], *content["trials"])]
        return {trial.number: trial for trial in found}

    def keep(self, now: Trial, trials: list[Trial]) -> None:
        content = {
            "id": self._id,
            **self._identity,
            "now": asdict(now),
            "trials": [asdict(trial) for trial in trials],
        }
        self._document.write(self._folder, content)

    def tried(
        self, number: int, changed: dict[str, Any], params: BaseModel, *, patient: bool = True
    ) -> Trial:
        """Cross-validate a model of these parameters; if patient, keep why it cannot be."""
        self._require_same_question(params)
        started = time.monotonic()
        value, problem = None, ""
        try:
            value = self._measured(params)
            problem = "" if value is not None else f"{self._asked.metric} cannot be computed"
        except Refused as error:
            if not patient:
                raise
            problem = error.message
        return Trial(number, changed, value, round(time.monotonic() - started, 3), problem)

    def _measured(self, params: BaseModel) -> float | None:
        values, prepared, target = self._settings.values, self._prepared, self._prepared.target
        seed = values.training.seed
        serve = server(self._settings.use_case, params, seed, prepared.features, target)
        found = out_of_fold(prepared, self._train, self._labels, serve, self._asked.folds)
        threshold = decided_by(values.training, found)
        return measured(target, found.labels, found.outputs, threshold)[self._asked.metric]

    def _require_same_question(self, params: BaseModel) -> None:
        day = date.fromisoformat(self._prepared.reference_date)
        if self._settings.use_case.cutoff(day, params).isoformat() != self._prepared.cutoff:
            raise ConfigError(
                "search_space in model.py changes what label_cutoff in labels.py reads: each trial "
                "would answer another question",
                "leave that parameter out",
            )


def _line(metric: str, trial: Trial, trials: int) -> str:
    said = trial.problem or f"{metric} {decimal(trial.value)}"
    return f"trial {trial.number + 1} of {trials}: {said}"


def _better(metric: str, ours: float | None, theirs: float | None) -> bool:
    if ours is None or theirs is None:
        return ours is not None
    return METRICS[metric].better(ours, theirs)
