"""What installed packages say of their licence is read as SPDX, and judged by what conf allows."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from mlops.errors import ConfigError
from mlops.governance.licences import (
    CLASSIFIERS,
    KNOWN,
    TEXTS,
    Judged,
    Standing,
    judge_installed,
    parsed,
)
from mlops.settings.licences_section import LicenceException, LicencesSettings

OSI = "Classifier: License :: OSI Approved :: "


def install(place: Path, name: str, *lines: str) -> None:
    """Write the metadata of a package, as an installer leaves them."""
    folder = place / f"{name}-1.0.dist-info"
    folder.mkdir(parents=True)
    head = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0"]
    (folder / "METADATA").write_text("\n".join([*head, *lines]) + "\n")


def judged(
    place: Path, *lines: str, settings: LicencesSettings | None = None, name: str = "package"
) -> Judged:
    install(place, name, *lines)
    (found,) = judge_installed(settings or LicencesSettings(), ["own"], [place])
    return found


@pytest.mark.parametrize(
    ("lines", "licence", "standing"),
    [
        (["License-Expression: MIT"], "MIT", "allowed"),
        (["License-Expression: MIT OR GPL-3.0-only"], "MIT OR GPL-3.0-only", "allowed"),
        (["License-Expression: MIT AND GPL-3.0-only"], "MIT AND GPL-3.0-only", "FORBIDDEN"),
        (
            ["License-Expression: (MIT OR GPL-3.0-only) AND AGPL-3.0-only"],
            "(MIT OR GPL-3.0-only) AND AGPL-3.0-only",
            "FORBIDDEN",
        ),
        (
            ["License-Expression: GPL-2.0-only WITH Classpath-exception-2.0"],
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "FORBIDDEN",
        ),
        (["License-Expression: Nonsense-1.0"], "Nonsense-1.0", "UNKNOWN"),
        (["License: BSD-3-Clause", OSI + "BSD License"], "BSD-3-Clause", "allowed"),
        (["License: Copyright me", OSI + "MIT License"], "MIT", "allowed"),
        ([OSI + "BSD License"], "LicenseRef-BSD", "allowed"),
        ([OSI + "MIT License", OSI + "Apache Software License"], "Apache-2.0 AND MIT", "allowed"),
        (
            [OSI + "MIT License", OSI + "GNU General Public License v3 (GPLv3)"],
            "GPL-3.0-only AND MIT",
            "FORBIDDEN",
        ),
        (["License: MIT License\n        \n        Permission is hereby"], "MIT", "allowed"),
        (["License: You may do this\n        \n        and that"], "You may do this", "UNKNOWN"),
        (["License: UNKNOWN"], "UNKNOWN", "UNKNOWN"),
        (["Classifier: License :: OSI Approved"], "", "UNKNOWN"),
        ([OSI + "A Licence of Its Own"], "A Licence of Its Own", "UNKNOWN"),
        ([], "", "UNKNOWN"),
    ],
)
def test_what_a_package_declares_is_read_and_judged(
    tmp_path: Path, lines: Sequence[str], licence: str, standing: str
) -> None:
    found = judged(tmp_path, *lines)
    assert (found.licence, found.standing) == (licence, standing)
    assert found.may == (standing == "allowed")


def test_conf_decides_what_is_allowed(tmp_path: Path) -> None:
    strict = LicencesSettings(allowed=("MIT",))
    assert judged(tmp_path / "a", "License-Expression: MIT", settings=strict).may
    assert not judged(tmp_path / "b", "License-Expression: Apache-2.0", settings=strict).may
    whole = LicencesSettings(allowed=("GPL-2.0-only WITH Classpath-exception-2.0",))
    lines = "License-Expression: GPL-2.0-only WITH Classpath-exception-2.0"
    assert judged(tmp_path / "c", lines, settings=whole).may
    plain = "License-Expression: GPL-2.0-only"
    assert not judged(tmp_path / "d", plain, settings=whole).may


def test_an_exception_says_under_what_why_and_since_when(tmp_path: Path) -> None:
    exception = LicenceException(
        package="Some_Package", licence="GPL-3.0-only", reason="a tool", date=date(2026, 1, 2)
    )
    settings = LicencesSettings(exceptions=(exception,))
    lines = "License-Expression: GPL-3.0-only"
    found = judged(tmp_path, lines, settings=settings, name="some.package")
    assert (found.standing, found.why) == (Standing.EXCEPTION, "a tool (2026-01-02)")
    assert not judged(tmp_path / "other", lines, settings=settings).may


def test_what_is_known_of_a_package_that_declares_nothing_counts_until_it_does(
    tmp_path: Path,
) -> None:
    assert judged(tmp_path / "a", name="skops").standing is Standing.EXCEPTION
    found = judged(tmp_path / "b", "License-Expression: GPL-3.0-only", name="skops")
    assert (found.licence, found.standing) == ("GPL-3.0-only", Standing.FORBIDDEN)


def test_an_exception_without_reason_or_date_is_refused() -> None:
    with pytest.raises(ValidationError, match="reason"):
        LicenceException.model_validate(
            {"package": "a", "licence": "MIT", "date": "2026-01-02", "reason": ""}
        )
    with pytest.raises(ValidationError, match="date"):
        LicenceException.model_validate({"package": "a", "licence": "MIT", "reason": "b"})


def test_a_slip_in_conf_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'MTI' is no licence of SPDX"):
        judge_installed(LicencesSettings(allowed=("MTI",)), [], [tmp_path])


def test_what_is_the_project_itself_is_left_out(tmp_path: Path) -> None:
    install(tmp_path, "own")
    assert judge_installed(LicencesSettings(), ["Own"], [tmp_path]) == []


def test_what_is_built_in_names_licences_of_spdx() -> None:
    names = [*CLASSIFIERS.values(), *TEXTS.values(), *(each.licence for each in KNOWN)]
    assert [name for name in names if parsed(name) is None] == []
    assert parsed("") is None


def test_every_package_of_this_environment_is_allowed_by_default() -> None:
    found = judge_installed(LicencesSettings(), ["mlops-machinery"])
    assert len(found) > 50
    assert [each for each in found if not each.may] == []
