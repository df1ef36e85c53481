"""crossinit_fairseq/folder_lock.py"""

import errno
import fcntl
import logging
import os
import signal
import subprocess
import sys
import time

import pytest

from crossinit_fairseq import folder_lock
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.folder_lock import holder_of, lock_folder

HOLD = """
import sys, time
from crossinit_fairseq.folder_lock import lock_folder
lock_folder(sys.argv[1])
{}
print("locked", flush=True)
time.sleep(100)
"""
FORK = "import os\nif os.fork() == 0: time.sleep(100)"


@pytest.fixture
def other_process():
    """Starts a process that locks a folder; ends those that are left, their children too."""
    started = []

    def start(folder, more=""):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD.format(more), str(folder)],
            stdout=subprocess.PIPE,
            universal_newlines=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout.readline() == "locked\n"
        return process

    yield start
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        process.stdout.close()


def test_a_folder_is_made_and_locked_once(tmp_path):
    folder = str(tmp_path / "a" / "b")
    lock_folder(folder)
    lock_folder(folder)
    assert os.listdir(folder) == [".lock"] and holder_of(folder) is None
    code = f"from crossinit_fairseq.folder_lock import holder_of; print(holder_of({folder!r}))"
    said = subprocess.check_output([sys.executable, "-c", code], universal_newlines=True)
    assert said.startswith(f"process {os.getpid()} on ")


def test_another_process_is_refused_in_words_until_the_first_one_is_killed(tmp_path, other_process):
    first = other_process(tmp_path)
    with pytest.raises(InputError, match=rf"another run writes to {tmp_path} \(process {first.pid} on .* since 20"):
        lock_folder(str(tmp_path))
    assert f"process {first.pid}" in holder_of(str(tmp_path))
    first.kill()
    first.wait()
    assert holder_of(str(tmp_path)) is None
    lock_folder(str(tmp_path))


def test_a_child_that_outlives_the_run_holds_no_lock(tmp_path, other_process):
    """As workers that load data do for some seconds."""
    first = other_process(tmp_path, FORK)
    first.kill()
    first.wait()
    os.killpg(first.pid, 0)  # the child lives
    deadline = time.time() + 240
    while holder_of(str(tmp_path)) and time.time() < deadline:
        time.sleep(0.1)
    lock_folder(str(tmp_path))


def test_through_a_link_it_is_the_same_folder(tmp_path, other_process):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    other_process(tmp_path / "link")
    with pytest.raises(InputError, match="another run writes to"):
        lock_folder(str(tmp_path / "real"))


def test_the_lock_of_a_shell(tmp_path):
    """The recipes lock by the program flock."""
    held = open(tmp_path / ".lock", "w")
    fcntl.flock(held, fcntl.LOCK_EX)
    assert holder_of(str(tmp_path)) == "a process that did not say which"
    with pytest.raises(InputError, match=f"another run writes to {tmp_path}: wait"):
        lock_folder(str(tmp_path))
    held.close()
    lock_folder(str(tmp_path))


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch, caplog):
    def refuse(*unused):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folder_lock.fcntl, "flock", refuse)
    with caplog.at_level(logging.WARNING):
        lock_folder(str(tmp_path))
    assert "supports no locks" in caplog.text


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written to: Not a directory"):
        lock_folder(str(tmp_path / "file" / "run"))
