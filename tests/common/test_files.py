"""Files that are written whole or not at all."""

import os
import stat

import pytest

from skae import whole_file


def write(path, text, fails=False):
    with whole_file(path) as file:
        file.write(text)
        if fails:
            raise RuntimeError("in between")


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "model"
    for text in (b"first", b"second"):
        write(path, text)
        assert path.read_bytes() == text
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("before", [None, b"before"])
def test_an_error_leaves_what_was_there(tmp_path, before):
    path = tmp_path / "model"
    if before is not None:
        write(path, before)
    with pytest.raises(RuntimeError, match="in between"):
        write(path, b"half", fails=True)
    assert (path.read_bytes() if before else None) == before
    assert len([*tmp_path.iterdir()]) == (before is not None)


def test_permissions_and_links_stay(tmp_path):
    path, link = tmp_path / "model", tmp_path / "link"
    write(path, b"first")
    (tmp_path / "plain").write_bytes(b"")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    path.chmod(0o640)
    link.symlink_to(path)
    write(link, b"second")
    assert link.is_symlink()
    assert path.read_bytes() == b"second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write(os.fspath(tmp_path / "nowhere" / "model"), b"")


def test_a_device_is_written_to_and_stays():
    write(os.devnull, b"nothing")
    assert not os.path.isfile(os.devnull)


def test_long_names(tmp_path):
    path = tmp_path / ("n" * 255)
    write(path, b"text")
    assert path.read_bytes() == b"text"
