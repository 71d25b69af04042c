"""Typed features: numbers, booleans and categories, and the codes by which a model sees these.

A model sees one float32 matrix. A category is a whole number there: its position among the known
ones, the most frequent of the training part first; then a code for every other one, which a model
learns from what is rare in training and is given for what training never saw; then one for null. So
no category column ever holds NaN.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from mlops.arrays import Matrix


class Kind(StrEnum):
    """What the values of a feature are."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"


@dataclass(frozen=True)
class Feature:
    """One feature column.

    Attributes:
        name: that of the column.
        has_nulls: whether it was ever null.
        example: a typical value of the training part.
        optional: whether callers may leave it out.
        kind: what its values are.
        categories: the known values of a category, in the order of their codes.
    """

    name: str
    has_nulls: bool
    example: float | bool | str
    optional: bool = False
    kind: Kind = Kind.NUMBER
    categories: tuple[str, ...] = ()

    @property
    def other(self) -> int:
        """The code of what the training part has too seldom, or does not have."""
        return len(self.categories)

    @property
    def null(self) -> int:
        """The code of null."""
        return len(self.categories) + 1

    @property
    def codes(self) -> int:
        """How many codes there are."""
        return len(self.categories) + 2


@dataclass(frozen=True)
class Features(Sequence[Feature]):
    """The features of a model, in the order of the matrix's columns.

    `make_model(params, seed, features)` is given them, to treat categories as such:

        ColumnTransformer(
            [("category", OneHotEncoder(categories=features.category_codes,
                                        handle_unknown="ignore", sparse_output=False),
              features.categories)],
            remainder="passthrough",
        )
    """

    columns: tuple[Feature, ...] = ()

    @classmethod
    def read(cls, described: Iterable[Mapping[str, Any]]) -> "Features":
        """Return the features that a document lists; one without a kind is a number."""
        return cls(tuple(_read(each) for each in described))

    def __iter__(self) -> Iterator[Feature]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, index: Any) -> Any:
        return self.columns[index]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [feature.name for feature in self]

    @property
    def categories(self) -> list[int]:
        """The positions of the columns that are categories."""
        return [i for i, feature in enumerate(self) if feature.kind is Kind.CATEGORY]

    @property
    def numbers(self) -> list[int]:
        """The positions of the other columns: numbers, and booleans as 0 and 1."""
        return [i for i, feature in enumerate(self) if feature.kind is not Kind.CATEGORY]

    @property
    def category_codes(self) -> list[list[int]]:
        """All codes of each category column, in the order of `categories`."""
        return [list(range(self[i].codes)) for i in self.categories]

    def to_list(self) -> list[dict[str, Any]]:
        """Return what a document says of them."""
        return [asdict(feature) for feature in self]

    def matrix(self, frame: "pl.DataFrame") -> "Matrix":
        """Return what a model sees of the features of `frame`, shape (rows, features)."""
        import polars as pl

        columns = [
            _codes(frame[feature.name], feature)
            if feature.kind is Kind.CATEGORY
            else frame[feature.name].cast(pl.Float32).fill_null(float("nan"))
            for feature in self
        ]
        return pl.DataFrame(columns).to_numpy()

    def in_codes(self, rows: "Matrix") -> "Matrix":
        """Return rows in which each category is one of its codes: rounded, in range, never NaN."""
        import numpy as np

        result = rows.copy()
        for column in self.categories:
            known = np.nan_to_num(np.round(rows[:, column]), nan=self[column].null)
            result[:, column] = np.clip(known, 0, self[column].codes - 1)
        return result


def normalised(value: str) -> str:
    """Return a category as it is compared: composed (Unicode NFC), without blanks at its ends."""
    return unicodedata.normalize("NFC", value).strip()


def normalised_texts(values: "pl.Series") -> "pl.Series":
    """Return a column of texts, each as it is compared."""
    import polars as pl

    texts = values.cast(pl.String)
    before = texts.drop_nulls().unique().to_list()
    changed = {text: after for text in before if (after := normalised(text)) != text}
    return texts.replace(changed) if changed else texts


def learn_categories(values: "pl.Series", *, most: int, min_rows: int) -> tuple[str, ...]:
    """Return the categories that get a code of their own, the most frequent first.

    Args:
        values: a column of the training part; nulls are left aside.
        most: so many at most.
        min_rows: in so many rows at least; equally frequent ones are ordered by name.
    """
    import polars as pl

    counts = values.drop_nulls().value_counts(name="rows").rename({values.name: "value"})
    kept = counts.filter(pl.col("rows") >= min_rows).sort(
        ["rows", "value"], descending=[True, False]
    )
    return tuple(kept["value"].head(most).to_list())


def _codes(values: "pl.Series", feature: Feature) -> "pl.Series":
    import polars as pl

    known = {name: code for code, name in enumerate(feature.categories)}
    codes = values.replace_strict(known, default=feature.other, return_dtype=pl.Float32)
    return (
        pl.select(pl.when(values.is_null()).then(feature.null).otherwise(codes).alias(feature.name))
        .to_series()
        .cast(pl.Float32)
    )


def _read(described: Mapping[str, Any]) -> Feature:
    return Feature(
        name=str(described["name"]),
        has_nulls=bool(described.get("has_nulls", described.get("nullable", False))),
        example=described["example"],
        optional=bool(described.get("optional", False)),
        kind=Kind(described.get("kind", Kind.NUMBER)),
        categories=tuple(described.get("categories", ())),
    )
