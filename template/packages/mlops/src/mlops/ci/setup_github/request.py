"""What was asked for on the command line of `mlops setup github`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops.ci.setup_github.azure_ids import AzureIds
from mlops.ci.setup_github.variables import PLATFORM, VARIABLES
from mlops.errors import ConfigError
from mlops.settings.platform_names import PLATFORM_NAMES

MOST_REVIEWERS = 6


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line.

    Attributes:
        level: the project's maturity level.
        reviewers: who may approve a release: people, or teams as `organisation/team`.
        no_reviewers: nobody has to approve a release.
        alone: one person works on it, so that nobody can review or approve what they do.
        variables: variables of the repository to set; they win over those of `azure`.
        azure: as whom the jobs sign in to Azure; None sets nothing of it.
    """

    level: int
    reviewers: tuple[str, ...] = ()
    no_reviewers: bool = False
    alone: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    azure: AzureIds | None = None

    @property
    def asks_nobody(self) -> bool:
        """Whether it was said that nobody has to approve a release."""
        return self.no_reviewers or self.alone

    @property
    def client_ids(self) -> Mapping[str, str]:
        """The identity in Azure of each environment."""
        return self.azure.client_ids if self.azure else {}

    @property
    def all_variables(self) -> dict[str, str]:
        """All variables of the repository to set."""
        return {**(self.azure.variables if self.azure else {}), **self.variables}


def check_options(request: Request) -> None:
    """Refuse what is wrong whatever the repository is.

    Raises:
        ConfigError: an option is wrong.
    """
    variables = request.all_variables
    unknown = sorted(variables.keys() - VARIABLES.keys())
    if unknown:
        raise ConfigError(f"--variable: the workflows read no {', '.join(unknown)}")
    platform = variables.get(PLATFORM)
    if platform is not None and platform not in PLATFORM_NAMES:
        raise ConfigError(
            f"--variable: {PLATFORM} is {platform!r}, but must be {' or '.join(PLATFORM_NAMES)}"
        )
    for option, values in (("--variable", variables), ("--azure", request.client_ids)):
        odd = sorted(name for name, value in values.items() if re.search(r"['\"\r\n]", value))
        if odd:
            raise ConfigError(f"{option}: {', '.join(odd)} must be one line without quotes")
    if request.reviewers and request.no_reviewers:
        raise ConfigError("--no-reviewers: --reviewer is given as well", "leave one of them out")
    if request.reviewers and request.alone:
        raise ConfigError(
            "--alone: --reviewer is given as well, and who works alone has nobody to ask",
            "leave one of them out",
        )
    if len(request.reviewers) > MOST_REVIEWERS:
        raise ConfigError(
            f"--reviewer: GitHub takes at most {MOST_REVIEWERS}", "name a team instead"
        )
