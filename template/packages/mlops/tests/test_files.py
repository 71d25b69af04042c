import errno
import hashlib
import os
import re
import shutil
from pathlib import Path

import pytest

from mlops.errors import ConfigError
from mlops.files import code_hash, file_hashes, new_folder, read_json, write_json, write_text
from mlops.full_disk import DiskFull


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    write_text(path, "old")

    def fail(*_args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_what_was_there_and_says_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = tmp_path / "state.json", tmp_path / "folder"
    write_text(path, "old")
    with new_folder(folder) as new:
        (new / "old").touch()

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def filled() -> None:
        with new_folder(folder, replaces="old"):
            full()

    with pytest.raises(DiskFull, match=f"the disk is full: {re.escape(str(folder))} could not"):
        filled()
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DiskFull, match=f"the disk is full: {re.escape(str(path))} could not"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in folder.iterdir()] == ["old"]
    assert sorted(tmp_path.iterdir()) == [folder, path]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "result"

    def interrupted() -> None:
        with new_folder(target) as new:
            (new / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []

    for name in ("first", "second"):
        with new_folder(target, replaces="kind") as new:
            (new / "kind").touch()
            (new / name).touch()
    assert sorted(path.name for path in target.iterdir()) == ["kind", "second"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.fixture
def mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that cannot be renamed, as a mounted one cannot."""
    target = tmp_path / "mounted"
    target.mkdir()
    replace = Path.replace

    def refuse(self: Path, other: Path) -> Path:
        if target in (self, other):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(target))
        return replace(self, other)

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(Path, "is_mount", lambda self: self == target)
    return target


def test_a_mounted_folder_is_filled_when_the_block_succeeds(mount: Path) -> None:
    def entries() -> list[str]:
        return sorted(path.relative_to(mount).as_posix() for path in mount.rglob("*"))

    def fail(folder: Path) -> None:
        with new_folder(folder, replaces="kind") as new:
            (new / "kind").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail(mount)
    assert entries() == []
    with new_folder(mount, replaces="kind") as new:
        (new / "kind").write_text("x")
        (new / "plots").mkdir()
        (new / "plots" / "a.png").write_text("x")
    assert entries() == ["kind", "plots", "plots/a.png"]
    with new_folder(mount, replaces="kind") as new:
        (new / "kind").write_text("y")
    assert entries() == ["kind"]
    assert (mount / "kind").read_text() == "y"
    (mount / "kind").unlink()
    (mount / "other").write_text("precious")
    with pytest.raises(ConfigError), new_folder(mount, replaces="kind"):
        pass
    assert entries() == ["other"]


@pytest.mark.parametrize("copied", [0, 1, 2])
def test_a_mounted_folder_whose_filling_was_cut_off_can_be_filled_again(
    mount: Path, monkeypatch: pytest.MonkeyPatch, copied: int
) -> None:
    def fill() -> None:
        with new_folder(mount, replaces="kind") as new:
            for name in ("data", "kind", "more"):
                (new / name).write_text("x")

    copyfile, copies = shutil.copyfile, iter([True] * copied)

    def cut_off(source: Path, target: Path) -> None:
        if not next(copies, False):
            raise KeyboardInterrupt
        copyfile(source, target)

    fill()
    for _before in ("a complete folder", "an empty one"):
        copies = iter([True] * copied)
        with monkeypatch.context() as context:
            context.setattr(shutil, "copyfile", cut_off)
            with pytest.raises(KeyboardInterrupt):
                fill()
        fill()
        assert sorted(path.name for path in mount.iterdir()) == ["data", "kind", "more"]
        for path in mount.iterdir():
            path.unlink()


def test_the_old_folder_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "result"
    target.mkdir()
    (target / "kind").touch()

    def interrupted() -> None:
        with new_folder(target, replaces="kind"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in target.iterdir()] == ["kind"]
    assert list(tmp_path.iterdir()) == [target]


def refused(target: Path, replaces: str | None) -> str:
    with pytest.raises(ConfigError) as error, new_folder(target, replaces=replaces):
        pass
    return str(error.value)


def test_a_folder_of_another_kind_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "src"
    mine.mkdir()
    (mine / "precious.py").touch()
    assert "holds other files" in refused(mine, "results.json")
    assert "holds other files" in refused(mine, None)
    assert "is a file" in refused(mine / "precious.py", None)
    (mine / "results.json").touch()
    monkeypatch.chdir(mine)
    assert "the folder you are in" in refused(Path(), "results.json")
    assert "the folder you are in" in refused(tmp_path, "src")
    assert (mine / "precious.py").exists()


def test_a_private_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    write_json(tmp_path / "key.json", {"schema": 1}, private=True)
    forbidden = 0o077 if os.name == "posix" else 0
    assert not (tmp_path / "key.json").stat().st_mode & forbidden


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "does not exist"),
        ("{", "not valid JSON"),
        ('{"schema": 2}', "has schema 2"),
        ("[]", "has schema None"),
    ],
)
def test_unreadable_json_names_the_file(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "results.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        read_json(path, schema=1)
    assert "results.json" in str(error.value)


def test_json_keeps_text_as_it_is(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"schema": 1, "name": "Größe"})
    assert "Größe" in (tmp_path / "a.json").read_text(encoding="utf-8")
    assert read_json(tmp_path / "a.json", schema=1)["name"] == "Größe"


def test_files_below_a_folder_are_hashed_by_name_in_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a/c.txt", "a-b/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found = file_hashes(tmp_path)
    assert list(found) == ["a/c.txt", "a-b/d.txt", "b.txt"]
    assert found["b.txt"] == hashlib.sha256(b"b.txt").hexdigest()


def test_the_hash_of_code_follows_names_and_contents_but_not_compiled_files(tmp_path: Path) -> None:
    (tmp_path / "score.py").write_text("x = 1")
    before = code_hash(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "score.pyc").write_bytes(b"1")
    assert (code_hash(tmp_path), len(before)) == (before, 16)
    (tmp_path / "score.py").write_text("x = 2")
    changed = code_hash(tmp_path)
    (tmp_path / "score.py").rename(tmp_path / "other.py")
    assert len({before, changed, code_hash(tmp_path)}) == 3
