"""The compiler of the pinned version, from Microsoft's package on NuGet.

The sum is that of the program in the package, not of the package and not of what GitHub's page of
releases offers. Nothing is run whose sum is another one.
"""

import hashlib
import io
import platform
import zipfile
from pathlib import Path

from mlops.ci.bicep.compiler import VERSION
from mlops.errors import ConfigError, PlatformError
from mlops.files import file_sha256, new_folder

INDEX = "https://api.nuget.org/v3-flatcontainer"
PACKAGE = "azure.bicep.commandline.linux-x64"
URL = f"{INDEX}/{PACKAGE}/{VERSION}/{PACKAGE}.{VERSION}.nupkg"
SHA256 = "0ab9de90c2493f206f8281bae74f9ee2d5ed3605548dab1adf41fef185e1f7c5"
TIMEOUT_SECONDS = 60
TRIES = 3
PASSING = (429, 500, 502, 503, 504)


def fetch_compiler(folder: Path, url: str = URL, sha256: str = SHA256) -> str:
    """Return the compiler's path; it is downloaded unless it is there already.

    Args:
        folder: below it each version has a folder of its own.
        url: the package.
        sha256: the sum of the program in it.

    Raises:
        ConfigError: there is none for this machine.
        PlatformError: it cannot be had, or is not what it must be.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise ConfigError(
            f"--fetch: this is {platform.system()} {platform.machine()}, and only the sum of the "
            "program for Linux on x86_64 is known",
            f"leave it out, and have `az bicep install --version v{VERSION}` do it",
        )
    program = folder / f"bicep-{VERSION}" / "bicep"
    if not program.is_file() or file_sha256(program) != sha256:
        content = _program(_download(url))
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PlatformError(
                f"{url} holds another program than the one whose sum is known",
                "nothing of it was run; find out what is between this machine and NuGet",
            )
        _keep(program, content)
    return str(program)


def _download(url: str) -> bytes:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    from mlops.platforms.http import OwnSession

    again = Retry(total=TRIES, backoff_factor=1, status_forcelist=PASSING, raise_on_status=False)
    try:
        with OwnSession() as session:
            session.mount("https://", HTTPAdapter(max_retries=again))
            answer = session.get(url, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise PlatformError(
            f"the Bicep compiler could not be fetched: {error}",
            "run it again, or name a compiler in the variable BICEP",
        ) from None
    return answer.content


def _program(package: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            (name,) = (each for each in archive.namelist() if each.rpartition("/")[2] == "bicep")
            return archive.read(name)
    except (zipfile.BadZipFile, ValueError) as error:
        raise PlatformError(f"the package of the Bicep compiler cannot be read: {error}") from None


def _keep(program: Path, content: bytes) -> None:
    with new_folder(program.parent, replaces=".") as folder:
        path = folder / program.name
        path.write_bytes(content)
        path.chmod(0o755)
