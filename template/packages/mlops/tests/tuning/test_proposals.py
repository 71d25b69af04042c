import builtins
from collections.abc import Callable
from typing import Any

import pytest

from fakes.tunable import Params, search_space
from mlops.errors import ConfigError
from mlops.tuning.proposals import Proposals, require_optuna


def drawn(sampler: str, seed: int, count: int, *, told: float = 1.0) -> list[dict[str, Any]]:
    proposals = Proposals(search_space, Params(), sampler, seed, lower_is_better=False)
    found = []
    for number in range(count):
        found.append(proposals.ask()[0])
        proposals.tell(told * number)
    return found


def test_a_random_trial_depends_on_the_seed_and_its_number_alone() -> None:
    usual = drawn("random", 3, 6)
    assert drawn("random", 3, 6, told=-7.0) == usual
    assert drawn("random", 3, 2) == usual[:2]
    assert drawn("random", 4, 6) != usual
    assert len({str(params) for params in usual}) == 6


def test_a_random_trial_draws_each_parameter_by_its_name() -> None:
    """A parameter that is added to a space leaves the others as they were."""
    alone = Proposals(
        lambda trial: {"depth": trial.suggest_int("depth", 1, 6)}, Params(), "random", 3, True
    )
    assert [alone.ask()[0]["depth"] for _ in range(6)] == [
        each["depth"] for each in drawn("random", 3, 6)
    ]


def test_random_trials_cover_the_space() -> None:
    found = drawn("random", 1, 200)
    assert {each["depth"] for each in found} == set(range(1, 7))
    assert {each["criterion"] for each in found} == {"gini", "entropy"}
    leaves = [each["smallest_leaf"] for each in found]
    assert 0.001 <= min(leaves) < 0.0015
    assert 0.2 < max(leaves) <= 0.3
    assert 0.4 < sum(leaf < 0.0173 for leaf in leaves) / 200 < 0.6


def test_tpe_learns_from_what_it_is_told() -> None:
    first, second = (drawn("tpe", 3, 20, told=told) for told in (1.0, -1.0))
    assert first[:10] == second[:10]
    assert first[10:] != second[10:]
    assert drawn("tpe", 3, 20) == first


def test_what_the_space_leaves_out_stays_as_conf_names_it() -> None:
    proposals = Proposals(
        lambda trial: {"depth": trial.suggest_int("depth", 5, 6)},
        Params(criterion="entropy"),
        "random",
        1,
        False,
    )
    changed, params = proposals.ask()
    assert set(changed) == {"depth"}
    assert params.model_dump() == {**changed, "smallest_leaf": 0.1, "criterion": "entropy"}


@pytest.mark.parametrize(
    ("space", "problem"),
    [
        (lambda _trial: None, "returned None, and must return a dictionary"),
        (lambda _trial: {}, "must return a dictionary"),
        (lambda _trial: ["depth"], "must return a dictionary"),
        (lambda _trial: {"dept": 3}, "names dept, and Params in params.py has depth, smallest"),
        (lambda _trial: {"depth": 99}, "depth = 99: Input should be less than or equal to 10"),
        (lambda _trial: {"depth": None}, "depth = None: "),
        (lambda trial: {"depth": trial.suggest_int("depth", 6, 1)}, "cannot be asked: "),
        (lambda: {"depth": 1}, "cannot be asked: "),
    ],
)
def test_a_space_that_cannot_be_used_is_told_in_a_sentence(
    space: Callable[..., Any], problem: str
) -> None:
    with pytest.raises(ConfigError) as told:
        Proposals(space, Params(), "random", 1, False).ask()
    assert told.value.message.startswith("search_space in model.py")
    assert problem in told.value.message


def test_without_optuna_one_sentence_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = builtins.__import__

    def no_optuna(name: str, *rest: Any, **more: Any) -> Any:
        if name == "optuna":
            raise ModuleNotFoundError(name=name)
        return before(name, *rest, **more)

    require_optuna()
    monkeypatch.setattr(builtins, "__import__", no_optuna)
    with pytest.raises(ConfigError) as told:
        require_optuna()
    sentence = "tuning needs Optuna, which is not installed; run `uv sync --group tune`"
    assert str(told.value) == sentence
