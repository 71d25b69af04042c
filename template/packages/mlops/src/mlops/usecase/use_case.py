"""What the machinery asks of a use case: the team's package, named in `[tool.mlops]`.

It is a package of small modules. Each is imported only when its part is needed:

| module        | must define                                       | may define      |
|---------------|---------------------------------------------------|-----------------|
| `contract.py` | `contract()`, `KEY`                               | `DATE_COLUMN`   |
| `features.py` | `build_features(table, reference_date)`           | `OPTIONAL`      |
| `labels.py`   | `build_labels(table, cutoff, reference_date)`     | `label_cutoff`  |
| `model.py`    | `make_model(params, seed)`, `make_baseline(seed)` | `TASK`          |
| `sample.py`   | `make_sample(size, seed, drift, reference_date)`  |                 |
| `slices.py`   |                                                   | `SLICES`        |
| `params.py`   |                                                   | `Params`        |

`mlops tune` asks `model.py` for `search_space(trial)`.

`make_model` and `make_baseline` may also take `features`: then they are told which columns of the
matrix are categories, see `mlops.features.Features`.
"""

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mlops.errors import ConfigError
from mlops.features import Features
from mlops.tasks import Task

if TYPE_CHECKING:
    import ibis
    import pandera.polars as pa
    import polars as pl
    from pydantic import BaseModel

LABEL = "label"


@dataclass(frozen=True)
class UseCase:
    """The parts of one use case, with the defaults of what it leaves out."""

    module: str

    @property
    def folder(self) -> Path:
        """The folder of the team's package.

        Raises:
            ConfigError: it cannot be imported.
        """
        found = self._spec(self.module)
        return Path(next(iter(found.submodule_search_locations or ())))

    def contract(self) -> "type[pa.DataFrameModel]":
        """Return the pandera model that raw data must satisfy."""
        model: type[pa.DataFrameModel] = self._required("contract", "contract")()
        return model

    @property
    def key(self) -> str:
        """The column that names an entity: a customer, a machine, a row."""
        return str(self._required("contract", "KEY"))

    @property
    def date_column(self) -> str | None:
        """The column that dates a raw row, or None where rows have no date."""
        column = self._optional("contract", "DATE_COLUMN", None)
        return None if column is None else str(column)

    @property
    def task(self) -> Task:
        """The kind of question: `TASK` in model.py, binary where that says nothing.

        It is read without running model.py, as whoever reads settings asks for it.

        Raises:
            ConfigError: it is none of the tasks, or not written down as a text.
        """
        path = self.folder / "model.py"
        found = _constant(path, "TASK") if path.is_file() else None
        try:
            return Task.BINARY if found is None else Task(found)
        except ValueError:
            known = ", ".join(f'"{task}"' for task in Task)
            raise ConfigError(
                f"TASK in model.py is {found!r}, and must be one of {known}",
                'write TASK = "binary", a plain text',
            ) from None

    def features(self, table: "ibis.Table", reference_date: date) -> "ibis.Table":
        """Return one row an entity: the key and its features, as of `reference_date`."""
        result: ibis.Table = self._required("features", "build_features")(table, reference_date)
        return result

    @property
    def optional_features(self) -> frozenset[str]:
        """The features that callers may leave out; each is null then.

        Raises:
            ConfigError: `OPTIONAL` is no collection of names.
        """
        names = self._optional("features", "OPTIONAL", ())
        is_collection = isinstance(names, tuple | list | set | frozenset)
        if not is_collection or not all(isinstance(name, str) for name in names):
            raise ConfigError(
                f"OPTIONAL in features.py is {names!r}, and must be a tuple of names",
                'write OPTIONAL = ("name",)',
            )
        return frozenset(names)

    def cutoff(self, reference_date: date, params: Any) -> date:
        """Return the last day that features may see; labels look at what comes after it."""
        hook = self._optional("labels", "label_cutoff", None)
        if hook is None:
            return reference_date
        result: date = hook(reference_date, params)
        return result

    def labels(self, table: "ibis.Table", cutoff: date, reference_date: date) -> "ibis.Table":
        """Return the key and `label` from what happened after `cutoff`."""
        result: ibis.Table = self._required("labels", "build_labels")(table, cutoff, reference_date)
        return result

    def model(self, params: Any, seed: int, features: Features) -> Any:
        """Return an unfitted scikit-learn estimator."""
        return _told(self._required("model", "make_model"), features, params, seed)

    def baseline(self, seed: int, features: Features) -> Any:
        """Return the simple unfitted estimator that the model has to beat."""
        return _told(self._required("model", "make_baseline"), features, seed)

    def search_space(self) -> Callable[[Any], Any]:
        """Return what proposes parameters of a trial of Optuna, for `mlops tune`.

        Raises:
            ConfigError: model.py has none; the remedy is an example.
        """
        found = self._optional("model", "search_space", None)
        if not callable(found):
            raise ConfigError(
                "model.py has no search_space, which says what to try",
                "write such as:\n\n"
                "def search_space(trial):\n"
                '    return {"learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, '
                "log=True)}\n\n"
                "with fields of Params in params.py as names",
            )
        result: Callable[[Any], Any] = found
        return result

    def slices(self) -> "dict[str, pl.Expr]":
        """Return named expressions over the features; each value of one is a slice."""
        return dict(self._optional("slices", "SLICES", {}))

    def sample(self, size: int, seed: int, drift: float, reference_date: date) -> "pl.DataFrame":
        """Return generated raw data that ends at `reference_date`."""
        result: pl.DataFrame = self._required("sample", "make_sample")(
            size, seed, drift, reference_date
        )
        return result

    def params_type(self) -> "type[BaseModel]":
        """Return the pydantic model of the use case's own settings (`params:` in conf)."""
        from pydantic import BaseModel, ConfigDict

        class NoParams(BaseModel):
            model_config = ConfigDict(extra="forbid", frozen=True)

        result: type[BaseModel] = self._optional("params", "Params", NoParams)
        return result

    def _required(self, part: str, name: str) -> Any:
        module = self._import(part)
        if module is None or not hasattr(module, name):
            raise ConfigError(
                f"the use case {self.module} does not define {name} in {part}.py",
                "packages/mlops/src/mlops/usecase/use_case.py says what each module holds",
            )
        return getattr(module, name)

    def _optional(self, part: str, name: str, default: Any) -> Any:
        return getattr(self._import(part), name, default)

    def _import(self, part: str) -> ModuleType | None:
        self._spec(self.module)
        if importlib.util.find_spec(f"{self.module}.{part}") is None:
            return None
        return importlib.import_module(f"{self.module}.{part}")

    def _spec(self, module: str) -> ModuleSpec:
        try:
            found = importlib.util.find_spec(module)
            if found is None:
                raise ModuleNotFoundError(module)
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"[tool.mlops] package names {self.module}, which cannot be imported: {error}",
                "`uv sync` installs it",
            ) from None
        return found


def _told(make: Callable[..., Any], features: Features, *arguments: Any) -> Any:
    """Call a function of the team's, with the features if it takes them."""
    if "features" in inspect.signature(make).parameters:
        return make(*arguments, features=features)
    return make(*arguments)


def _constant(path: Path, name: str) -> Any:
    """Return what a module assigns to a name on its top level; a text only as it is written down.

    Raises:
        ConfigError: the module is not valid Python.
    """
    try:
        tree = ast.parse(path.read_bytes(), filename=path.name)
    except (SyntaxError, ValueError) as error:
        raise ConfigError(f"{path} is not valid Python: {error}") from None
    found = None
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(each, ast.Name) and each.id == name for each in targets):
            value = node.value
            found = value.value if isinstance(value, ast.Constant) else ast.unparse(value)
    return found
