"""crossinit_fairseq/complete_files.py"""

import json
import os
import resource
import stat
import subprocess
import sys

import pytest

from crossinit_fairseq import complete_files
from crossinit_fairseq.complete_files import (
    check_new_file,
    check_new_folder,
    complete_file,
    complete_folder,
    write_json,
)
from crossinit_fairseq.errors import InputError


def write(path, text="new"):
    with complete_file(str(path)) as part, open(part, "w") as stream:
        stream.write(text)


def names(folder):
    return sorted(os.listdir(folder))


def test_the_file_is_there_when_the_block_ends_and_not_before(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    with complete_file(str(path)) as part:
        with open(part, "w") as stream:
            stream.write("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_goes_wrong_leaves_the_old_file_and_nothing_else(tmp_path, error):
    write(tmp_path / "a", "old")
    with pytest.raises(error):
        with complete_file(str(tmp_path / "a")) as part:
            open(part, "w").write("half")
            raise error
    assert (tmp_path / "a").read_text() == "old" and names(tmp_path) == ["a"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    """The limit on the size of a file stands in for a full disk: the same error at the same places."""
    program = (
        "import resource, signal, sys\n"
        "from crossinit_fairseq.complete_files import complete_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "with complete_file(sys.argv[1]) as part, open(part, 'w') as stream:\n"
        "    stream.write('x' * 5000)\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a")], stderr=subprocess.PIPE, universal_newlines=True
    )
    assert done.returncode == 1 and f"InputError: {tmp_path / 'a'} cannot be written: File too large" in done.stderr
    assert names(tmp_path) == []


def test_the_mode_is_that_of_any_new_file(tmp_path):
    umask = os.umask(0o027)
    try:
        write(tmp_path / "a")
        with complete_folder(str(tmp_path / "b")):
            pass
    finally:
        os.umask(umask)
    assert stat.S_IMODE(os.stat(tmp_path / "a").st_mode) == 0o640
    assert stat.S_IMODE(os.stat(tmp_path / "b").st_mode) == 0o750


def test_the_temporary_name_is_new_each_time_and_an_existing_one_is_not_followed(tmp_path, monkeypatch):
    parts = []
    for _ in range(2):
        with complete_file(str(tmp_path / "a")) as part:
            parts.append(part)
    assert parts[0] != parts[1]
    victim = tmp_path / "victim"
    victim.write_text("precious")
    monkeypatch.setattr(complete_files.secrets, "token_hex", lambda size: "guessed")
    os.symlink(victim, str(tmp_path / "b") + ".guessed.part")
    with pytest.raises(InputError, match="b cannot be written: File exists"):
        write(tmp_path / "b")
    assert victim.read_text() == "precious" and os.path.islink(str(tmp_path / "b") + ".guessed.part")


def test_devices_pipes_and_folders_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.mkdir(tmp_path / "folder")
    for path, said in (
        ("/dev/null", "/dev/null is no regular file but a device"),
        (str(tmp_path / "pipe"), "is no regular file"),
        (str(tmp_path / "folder"), "is a folder: name a file"),
    ):
        for check in (write, check_new_file):
            with pytest.raises(InputError, match=said):
                check(path)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode) and stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)


def test_a_link_to_a_file_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    for name in ("there", "not_yet"):
        os.symlink(tmp_path / "real" / name, tmp_path / name)
    (tmp_path / "real" / "there").write_text("old")
    for name in ("there", "not_yet"):
        write(tmp_path / name)
        assert os.path.islink(tmp_path / name) and (tmp_path / "real" / name).read_text() == "new"
    assert names(tmp_path / "real") == ["not_yet", "there"]


def test_an_error_of_another_file_is_not_called_one_of_writing(tmp_path):
    with pytest.raises(FileNotFoundError, match="input"):
        with complete_file(str(tmp_path / "a")):
            open(tmp_path / "input")
    assert names(tmp_path) == []


def test_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(complete_files, "sync", lambda path: done.append(("sync", os.path.basename(path))))
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda one, other: (done.append(("replace", "a")), replace(one, other)))
    with complete_file(str(tmp_path / "a")) as part:
        pass
    assert done == [("sync", os.path.basename(part)), ("replace", "a"), ("sync", tmp_path.name)]


def test_json_of_names_that_are_not_utf8(tmp_path):
    content = {"name": [os.fsdecode(b"a\xff"), "\u092e\U0001f600"]}
    write_json(str(tmp_path / "a.json"), content)
    text = (tmp_path / "a.json").read_text("utf-8")
    assert "a\\udcff" in text and "\u092e\U0001f600" in text and text.endswith("}\n")
    assert json.loads(text) == content


def test_folders(tmp_path):
    (tmp_path / "there").mkdir()
    for name in ("there", "new"):
        with complete_folder(str(tmp_path / name)) as part:
            os.mkdir(os.path.join(part, "b"))
            open(os.path.join(part, "b", "c"), "w").write("text")
        assert (tmp_path / name / "b" / "c").read_text() == "text"
    with pytest.raises(InputError, match="there cannot be written: Directory not empty"):
        with complete_folder(str(tmp_path / "there")):
            pass
    with pytest.raises(ZeroDivisionError):
        with complete_folder(str(tmp_path / "other")):
            raise ZeroDivisionError
    assert names(tmp_path) == ["new", "there"]


def test_checks_before_any_work(tmp_path):
    write(tmp_path / "a")
    os.symlink("nowhere", tmp_path / "dangling")
    check_new_file(str(tmp_path / "b"), [str(tmp_path / "a")])
    with pytest.raises(InputError, match="is read and would be overwritten"):
        check_new_file(str(tmp_path / "a"), [str(tmp_path / "a")])
    with pytest.raises(InputError, match="is no folder to write b to: make it first"):
        check_new_file(str(tmp_path / "no" / "b"))
    check_new_folder(str(tmp_path / "c"))
    for name in ("a", "dangling"):
        with pytest.raises(InputError, match="exists already"):
            check_new_folder(str(tmp_path / name))
    with pytest.raises(InputError, match="is no folder to make c in"):
        check_new_folder(str(tmp_path / "no" / "c"))
