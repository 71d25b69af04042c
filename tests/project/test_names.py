"""The machinery's name is asked of no index: a stranger could answer, as one owns `mlops`."""

import base64
import hashlib
import io
import re
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import Parser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support import PYTHON, Template, run, uv

pytestmark = pytest.mark.project

OWN = {"mlops", "mlops-machinery"}


def wheel(name: str) -> bytes:
    """Return a package with nothing in it, of a version that is new enough for everybody."""
    folder = f"{name.replace('-', '_')}-9999.dist-info"
    files = {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 9999\n",
        f"{folder}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    hashed = {
        path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        for path, text in files.items()
    }
    files[f"{folder}/RECORD"] = "".join(f"{path},sha256={h},\n" for path, h in hashed.items())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return packed.getvalue()


@contextmanager
def index() -> Iterator[tuple[str, list[str]]]:
    """Serve a package of every name; yield the index's URL and the names that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = re.fullmatch(r"/simple/([a-z0-9-]+)/", self.path)
            file = re.fullmatch(r"/files/(.+)\.whl", self.path)
            if page:
                asked.append(page[1])
                link = f"{page[1].replace('-', '_')}-9999-py3-none-any.whl"
                self.answer(f'<a href="/files/{link}">{link}</a>'.encode(), "text/html")
            elif file:
                name = file[1].split("-")[0].replace("_", "-")
                self.answer(wheel(name), "application/octet-stream")
            else:
                self.send_error(404)

        def answer(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple/", asked
        server.shutdown()


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template.render(tmp_path_factory.mktemp("names") / "project")


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with pip and what the project is built with."""
    folder = tmp_path_factory.mktemp("builder") / "environment"
    run(uv(), "venv", "--quiet", folder, folder=folder.parent)
    python = folder / PYTHON
    tools = ("pip", "hatchling>=1.27")
    run(uv(), "pip", "install", "--quiet", "--python", python, *tools, folder=folder.parent)
    return python


def test_whoever_installs_the_project_asks_for_its_own_dependencies_alone(
    project: Path, builder: Path, tmp_path: Path
) -> None:
    with index() as (url, asked):
        where = ("--index-url", url, "--no-build-isolation", "--target", tmp_path / "installed")
        run(builder, "-m", "pip", "install", "--no-cache-dir", *where, ".", folder=project)
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    named = {re.split(r"[\[><=]", each)[0] for each in pyproject["project"]["dependencies"]}
    assert set(asked) == named
    assert not OWN & set(asked)


def test_the_wheel_of_the_project_names_no_machinery(
    project: Path, builder: Path, tmp_path: Path
) -> None:
    options = ("--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path)
    run(builder, "-m", "pip", "wheel", "--quiet", *options, ".", folder=project)
    (path,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith("/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
        modules = {each.split("/")[0] for each in archive.namelist()}
    required = metadata.get_all("Requires-Dist") or []
    assert len(required) > 3
    assert [each for each in required if "mlops" in each] == []
    assert metadata.get_all("Provides-Extra") is None
    assert "mlops" not in modules


def test_the_lock_knows_the_machinery_as_a_part_of_the_project(project: Path) -> None:
    run(uv(), "lock", "--quiet", folder=project)
    lock = tomllib.loads((project / "uv.lock").read_text(encoding="utf-8"))
    sources = {each["name"]: each["source"] for each in lock["package"] if each["name"] in OWN}
    assert sources == {"mlops-machinery": {"editable": "packages/mlops"}}


def test_the_machinery_is_never_uploaded(project: Path) -> None:
    text = (project / "packages/mlops/pyproject.toml").read_text(encoding="utf-8")
    assert "Private :: Do Not Upload" in tomllib.loads(text)["project"]["classifiers"]
