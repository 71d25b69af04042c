"""Every word of the compiler counts; where there is none, or it fails, nothing is well."""

import hashlib
import io
import platform
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from fakes.bicep import FakeBicep, result
from mlops.ci.bicep.compiler import VERSION, find_compiler
from mlops.ci.bicep.diagnostics import Finding, compile_files, parameter_files, read_sarif
from mlops.ci.bicep.fetch import SHA256, URL, fetch_compiler
from mlops.errors import ConfigError, PlatformError

PROGRAM = b"#!/bin/sh\necho the compiler\n"
SUM = hashlib.sha256(PROGRAM).hexdigest()


@pytest.fixture
def compiler(tmp_path: Path) -> FakeBicep:
    return FakeBicep(tmp_path / "bin")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "infra"
    folder.mkdir(parents=True)
    (folder / "prod.bicepparam").write_text("param a = readEnvironmentVariable('ENDPOINT', '')")
    (folder / "shared.bicepparam").write_text(
        "param a = readEnvironmentVariable('GITHUB_NAME')\n"
        "param b = readEnvironmentVariable( 'OWNER_ID' )\n"
    )
    (folder / "main.bicep").touch()
    return tmp_path / "project"


def compiled(compiler: FakeBicep, root: Path) -> list[Finding]:
    return compile_files(str(compiler.path), parameter_files(root), root)


def test_every_parameter_file_is_compiled(compiler: FakeBicep, root: Path) -> None:
    assert [path.name for path in parameter_files(root)] == ["prod.bicepparam", "shared.bicepparam"]
    assert compiled(compiler, root) == []
    assert compiler.environment("prod")["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] == "1"


def test_what_a_file_needs_is_set_and_what_is_set_stays(
    compiler: FakeBicep, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWNER_ID", "4711")
    monkeypatch.delenv("GITHUB_NAME", raising=False)
    monkeypatch.delenv("ENDPOINT", raising=False)
    compiled(compiler, root)
    found = compiler.environment("shared")
    assert (found["OWNER_ID"], found["GITHUB_NAME"]) == ("4711", "1")
    assert "ENDPOINT" not in compiler.environment("prod"), "it has a default of its own"


def test_a_warning_counts_and_each_thing_is_said_once(compiler: FakeBicep, root: Path) -> None:
    module = root / "infra" / "modules" / "a b.bicep"
    twice = [result(module, "BCP037", 42), result(module, "BCP037", 42)]
    error = result(root / "infra" / "shared.bicepparam", "BCP437", level="error")
    compiler.says(prod={"results": twice}, shared={"results": [*twice, error], "code": 1})
    assert [str(each) for each in compiled(compiler, root)] == [
        "infra/modules/a b.bicep:42: warning BCP037: it is wrong",
        "infra/shared.bicepparam:3: error BCP437: it is wrong",
    ]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"code": 1}, "exit code 1, and no reason"),
        ({"writes": False}, "exit code 0, and no reason"),
        ({"text": "Unrecognized parameter"}, "Unrecognized parameter"),
        ({"text": "Unrecognized parameter", "code": 1}, "did not compile infra/prod.bicepparam"),
        ({"text": "{}"}, "did not compile"),
        ({"text": "[]"}, "did not compile"),
        ({"text": '{"runs": [{"results": [{}]}]}'}, "did not compile"),
    ],
)
def test_what_is_not_known_to_compile_is_no_success(
    compiler: FakeBicep, root: Path, told: dict[str, object], words: str
) -> None:
    compiler.says(prod=told)
    with pytest.raises(PlatformError, match=words):
        compiled(compiler, root)


def test_a_compiler_that_does_not_run_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="no-such-thing does not run"):
        compile_files(str(tmp_path / "no-such-thing"), parameter_files(root), root)


def test_a_file_outside_of_the_project_keeps_its_path(tmp_path: Path) -> None:
    text = '{"runs": [{"results": [%s]}]}'
    place = '"physicalLocation": {"artifactLocation": {"uri": "file:///x/a.bicep"}, "region": %s}'
    said = '{"ruleId": "BCP1", "message": {"text": "t"}, "locations": [{%s}]}'
    (found,) = read_sarif(text % (said % (place % '{"startLine": 1}')), tmp_path)
    assert found.file == "/x/a.bicep"


def test_where_a_compiler_is_looked_for(tmp_path: Path) -> None:
    named, on_path, of_az, other = (
        FakeBicep(tmp_path / name) for name in ("named", "path", "home/.azure/bin", "azure/bin")
    )
    variables = {"BICEP": str(named.path), "PATH": str(on_path.folder)}
    home = tmp_path / "home"
    assert find_compiler(variables, home) == str(named.path)
    del variables["BICEP"]
    assert find_compiler(variables, home) == str(on_path.path)
    variables["PATH"] = str(tmp_path)
    assert find_compiler(variables, home) == str(of_az.path)
    variables["AZURE_CONFIG_DIR"] = str(tmp_path / "azure")
    assert find_compiler(variables, home) == str(other.path)
    variables["AZURE_CONFIG_DIR"] = str(tmp_path)
    assert find_compiler(variables, home) is None
    with pytest.raises(ConfigError, match="BICEP names nowhere/bicep, which is no program"):
        find_compiler({"BICEP": "nowhere/bicep"}, home)


class Index:
    """A package index that hands out one package."""

    def __init__(self) -> None:
        self.package = b""
        self.asked = 0
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.asked += 1
                self.send_response(200 if index.package else 503)
                self.end_headers()
                self.wfile.write(index.package)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/bicep.nupkg"

    def holds(self, **files: bytes) -> None:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, data in files.items():
                archive.writestr(name.replace("__", "/"), data)
        self.package = content.getvalue()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = Index()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def test_the_pinned_compiler_is_fetched_once(index: Index, tmp_path: Path) -> None:
    index.holds(tools__bicep=PROGRAM, tools__LICENSE=b"MIT")
    for _ in range(2):
        path = Path(fetch_compiler(tmp_path, index.url, SUM))
        assert path.read_bytes() == PROGRAM
        assert path.stat().st_mode & 0o111
    assert index.asked == 1
    path.write_bytes(b"somebody changed it")
    assert Path(fetch_compiler(tmp_path, index.url, SUM)).read_bytes() == PROGRAM
    assert index.asked == 2


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"tools__bicep": b"another program"}, "holds another program than the one"),
        ({"tools__readme": b""}, "cannot be read"),
        ({"tools__bicep": PROGRAM, "more__bicep": PROGRAM}, "cannot be read"),
    ],
)
def test_a_package_that_is_not_the_known_one_is_not_kept(
    index: Index, tmp_path: Path, files: dict[str, bytes], words: str
) -> None:
    index.holds(**files)
    with pytest.raises(PlatformError, match=words):
        fetch_compiler(tmp_path, index.url, SUM)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_package_or_no_answer_is_said(index: Index, tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match=r"could not be fetched: 503.*variable BICEP"):
        fetch_compiler(tmp_path, index.url, SUM)
    index.package = b"<html>sign in to the proxy</html>"
    with pytest.raises(PlatformError, match="cannot be read"):
        fetch_compiler(tmp_path, index.url, SUM)


@pytest.mark.parametrize(("system", "machine"), [("Windows", "AMD64"), ("Linux", "aarch64")])
def test_only_the_known_program_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(ConfigError, match=f"this is {system} {machine}.*az bicep install"):
        fetch_compiler(tmp_path)


def test_the_package_is_microsofts_of_the_pinned_version() -> None:
    assert URL.startswith(
        "https://api.nuget.org/v3-flatcontainer/azure.bicep.commandline.linux-x64/"
    )
    assert URL.count(VERSION) == 2
    assert len(SHA256) == 64
