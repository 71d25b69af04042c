"""What the next trial is: parameters that the team's search space and a sampler propose.

`random`, the default, draws each parameter of trial i by the seed, i and the parameter's name
alone. So a trial is the same whatever was tried before it, in whatever order, by however many.
`tpe` learns from the trials before it (Bergstra et al., Algorithms for hyper-parameter
optimization, 2011), one after the other.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from mlops.errors import ConfigError

RANDOM, TPE = "random", "tpe"
SAMPLERS = (RANDOM, TPE)
SearchSpace = Callable[[Any], Any]
"""The team's function: takes a trial of Optuna, returns fields of Params with their values."""


def require_optuna() -> None:
    """Check that Optuna is installed.

    Raises:
        ConfigError: it is not.
    """
    try:
        import optuna  # noqa: F401
    except ModuleNotFoundError:
        raise ConfigError(
            "tuning needs Optuna, which is not installed", "run `uv sync --group tune`"
        ) from None


class Proposals:
    """Trials in their order, each proposed once what the ones before it showed is told.

    Args:
        space: the team's search space.
        params: the parameters that conf names; what the space leaves out stays as it is there.
        sampler: `random` or `tpe`.
        seed: of the sampler.
        lower_is_better: the direction of what is told.
    """

    def __init__(
        self, space: SearchSpace, params: BaseModel, sampler: str, seed: int, lower_is_better: bool
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space, self._params = space, params
        self._study = optuna.create_study(
            direction="minimize" if lower_is_better else "maximize",
            sampler=_seeded(seed)
            if sampler == RANDOM
            else optuna.samplers.TPESampler(
                n_startup_trials=10, multivariate=True, constant_liar=False, seed=seed
            ),
        )
        self._asked: Any = None

    def ask(self) -> tuple[dict[str, Any], BaseModel]:
        """Return what the next trial changes, by name, and the whole parameters with it.

        Raises:
            ConfigError: the search space proposes what Params does not take.
        """
        self._asked = self._study.ask()
        return proposed(self._space, self._asked, self._params)

    def tell(self, value: float | None) -> None:
        """Tell what the last trial showed; None: nothing could be measured."""
        from optuna.trial import TrialState

        if value is None:
            self._study.tell(self._asked, state=TrialState.FAIL)
        else:
            self._study.tell(self._asked, value)


def proposed(space: SearchSpace, trial: Any, params: BaseModel) -> tuple[dict[str, Any], BaseModel]:
    """Return what a search space proposes, as JSON would say it, and the parameters with it.

    Raises:
        ConfigError: it is no dictionary, names no field of Params, or a value is out of range.
    """
    try:
        found = space(trial)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"search_space in model.py cannot be asked: {error}") from error
    if not isinstance(found, Mapping) or not found:
        raise ConfigError(
            f"search_space in model.py returned {found!r}, and must return a dictionary",
            'return {"learning_rate": trial.suggest_float(…)}',
        )
    fields = type(params).model_fields
    if unknown := [str(name) for name in found if name not in fields]:
        raise ConfigError(
            f"search_space in model.py names {', '.join(unknown)}, and Params in params.py has "
            f"{', '.join(fields) or 'no field'}",
            "name fields of Params, which make_model reads",
        )
    try:
        whole = type(params).model_validate({**params.model_dump(), **found})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"search_space in model.py: {name} = {first['input']!r}: {first['msg']}",
            "propose what Params in params.py takes",
        ) from None
    values = whole.model_dump(mode="json")
    return {name: values[name] for name in found}, whole


def _seeded(seed: int) -> Any:
    """Return a sampler that draws each parameter by the seed, the trial's number and its name."""
    from optuna.samplers import BaseSampler, RandomSampler

    class Seeded(BaseSampler):
        def infer_relative_search_space(self, *_arguments: Any) -> dict[str, Any]:
            return {}

        def sample_relative(self, *_arguments: Any) -> dict[str, Any]:
            return {}

        def sample_independent(
            self, study: Any, trial: Any, param_name: str, param_distribution: Any
        ) -> Any:
            told = f"{seed}|{trial.number}|{param_name}".encode()
            own = int.from_bytes(hashlib.blake2b(told, digest_size=4).digest())
            return RandomSampler(own).sample_independent(
                study, trial, param_name, param_distribution
            )

    return Seeded()
