"""What data a model is made of: where they came from, made up or not, and how much of them it saw.

It is found once, where the data are read, and every later document repeats it. What an older
document does not say is unknown: unknown data take the place of no real ones, and where there are
callers they are not given up for made-up ones.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

SAMPLE, FOLDER, ASSET, UNKNOWN_KIND = "sample", "folder", "asset", "unknown"
WHOLE = 1.0
KIND_TAG, NAME_TAG, MADE_UP_TAG, FRACTION_TAG = (
    "data.source",
    "data.name",
    "data.made_up",
    "data.fraction",
)
_LONGEST_TAG = 200
"""Azure takes no longer value of a tag than 256 characters; the end of a path says most."""


@dataclass(frozen=True)
class DataSource:
    """The raw data that were read, and how much of them was used.

    Attributes:
        kind: `sample`, `folder`, `asset` (registered in the cloud) or `unknown`.
        name: how a sample was drawn, the path of a folder, or name and version of an asset.
        made_up: whether they are generated; None where nobody knows.
        files: the SHA-256 of each file that was read, by its name in the folder.
        fraction: the share of the entities that a model was made of; None where nobody knows, and
            before any was taken.
    """

    kind: str = UNKNOWN_KIND
    name: str = ""
    made_up: bool | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    fraction: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of the data are known to have been used."""
        return self.fraction == WHOLE

    @property
    def mark(self) -> str:
        """What is unusual about the data in a word or two; nothing of all of one's real data."""
        kind = {True: "made up", False: "", None: "unknown"}[self.made_up]
        share = "" if self.fraction in (None, WHOLE) else f"{100 * (self.fraction or 0):g} %"
        return ", ".join(part for part in (kind, share) if part)

    @property
    def words(self) -> str:
        """Return kind, name and share in one line, such as `made-up data (sample size 50)`."""
        kind = {True: "made-up data", False: "real data", None: "unknown data"}[self.made_up]
        name = " ".join(part for part in (self.kind, self.name) if part)
        where = "" if self.kind == UNKNOWN_KIND else f" ({name})"
        share = "" if self.fraction in (None, WHOLE) else f"{100 * (self.fraction or 0):g} % of "
        return f"{share}{kind}{where}"

    def of_share(self, fraction: float) -> "DataSource":
        """Return the same data, of which a share was used."""
        return replace(self, fraction=fraction)

    def to_dict(self) -> dict[str, Any]:
        """Return it as documents hold it."""
        return {**asdict(self), "files": dict(self.files)}

    def summary(self) -> dict[str, Any]:
        """Return it without the files, as short documents hold it."""
        return {name: value for name, value in self.to_dict().items() if name != "files"}

    def tags(self) -> dict[str, str]:
        """Return it as tags of a version or run hold it."""
        return {
            KIND_TAG: self.kind,
            NAME_TAG: self.name[-_LONGEST_TAG:],
            MADE_UP_TAG: {True: "true", False: "false", None: "unknown"}[self.made_up],
            FRACTION_TAG: "unknown" if self.fraction is None else f"{self.fraction:g}",
        }


UNKNOWN = DataSource()


def read_source(content: object) -> DataSource:
    """Return what `to_dict` wrote; UNKNOWN for what is missing or of another shape."""
    if not isinstance(content, Mapping):
        return UNKNOWN
    made_up, fraction, files = (content.get(key) for key in ("made_up", "fraction", "files"))
    return DataSource(
        kind=str(content.get("kind") or UNKNOWN_KIND),
        name=str(content.get("name") or ""),
        made_up=made_up if isinstance(made_up, bool) else None,
        files=dict(files) if isinstance(files, Mapping) else {},
        fraction=float(fraction) if isinstance(fraction, int | float) else None,
    )


def source_of_tags(tags: Mapping[str, str]) -> DataSource:
    """Return what the tags of a version say; UNKNOWN where they say nothing."""
    try:
        fraction = float(tags.get(FRACTION_TAG, ""))
    except ValueError:
        fraction = None
    return DataSource(
        kind=tags.get(KIND_TAG, UNKNOWN_KIND),
        name=tags.get(NAME_TAG, ""),
        made_up={"true": True, "false": False}.get(tags.get(MADE_UP_TAG, "")),
        fraction=fraction,
    )
