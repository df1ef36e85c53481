"""tests/program_server.py: a forked Python does what one that is started does."""

import os
import subprocess
import sys
import time

import pytest

from tests import program_server

SAY = "import os, sys; print(__name__, sys.argv, sys.path[0], os.getcwd(), os.environ.get('TOLD'), sys.stdin.read())"


def both(arguments, **options):
    """What the forked and the started one make of the same arguments: exit status, output, last line of stderr."""
    found = []
    for python in (program_server.python(), sys.executable):
        done = subprocess.run([python, *arguments], input="asked\n", capture_output=True, encoding="utf-8", **options)
        found.append((done.returncode, done.stdout, done.stderr.splitlines()[-1:]))
    return found


@pytest.mark.parametrize(
    "code, status",
    [
        (SAY, 0),
        (SAY + "; sys.exit(3)", 3),
        ("import sys; sys.exit('no more')", 1),
        ("1 / 0", 1),
        ("import atexit; atexit.register(print, 'last'); print('first')", 0),
        ("import threading, time; threading.Timer(0.1, print, ['late']).start()", 0),
        ("import os, sys; os.dup2(os.open('/dev/full', os.O_WRONLY), 1); sys.stdout.write('lost')", 120),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15),
    ],
)
def test_code_files_and_modules(tmp_path, monkeypatch, code, status):
    monkeypatch.setenv("TOLD", "something")
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # what cannot be written is told at the end
    (tmp_path / "said.py").write_text(code, encoding="utf-8")
    for arguments in (["-c", code, "-m", "a b"], ["said.py", "--last"], ["-m", "said"]):
        forked, started = both(arguments, cwd=str(tmp_path))
        assert started[0] == status and forked[1:] == started[1:]
        # what is killed is told by the shell's number
        assert forked[0] == (status if status >= 0 else 128 - status)


def test_what_is_no_file_module_or_code_is_started():
    forked, started = both(["-I", "-"])
    assert forked == started and forked[0] == 1 and "asked" in forked[2][0]


@pytest.mark.parametrize("to, seen", [("3>&1 >/dev/null", "seen\n"), ("3>&-", "")])
def test_file_descriptor_3_is_passed_on(to, seen):
    """The recipes' stages show on it how far they are, while their output goes to a log."""
    code = "import os; print('log'); os.write(3, b'seen\\n')"
    found = []
    for python in (program_server.python(), sys.executable):
        command = ["bash", "-c", f'exec "$0" -c "$1" {to}', python, code]
        done = subprocess.run(command, capture_output=True, encoding="utf-8")
        found.append((done.returncode, done.stdout.replace("log\n", ""), done.stderr.splitlines()[-1:]))
    assert found[0] == found[1] and found[0][1] == seen and (found[0][0] == 0) == bool(seen)


def test_the_folder_for_temporary_files_is_the_one_that_is_asked_for(tmp_path):
    code = ["-c", "import tempfile; print(tempfile.gettempdir())"]
    assert both(code, env=dict(os.environ, TMPDIR=str(tmp_path))) == [(0, f"{tmp_path}\n", [])] * 2


@pytest.mark.parametrize(
    "how",
    [
        "s.environment(); os.kill(os.getpid(), 9)",
        # while the server still imports fairseq
        "s.select.select = lambda *unused: os.kill(os.getpid(), 9); s.environment()",
        # as a batch system does, and a terminal that is closed
        "s.environment(); os.killpg(0, 15)",
        "s.environment(); os.killpg(0, 1)",
    ],
)
def test_nothing_stays_behind_when_tests_are_killed(tmp_path, how):
    command = [sys.executable, "-c", "import os; from tests import program_server as s; " + how]
    done = subprocess.run(command, env=dict(os.environ, TMPDIR=str(tmp_path)), start_new_session=True)
    assert done.returncode < 0
    for _ in range(600):  # the server asks once a second whether the tests are still there
        left = list(tmp_path.glob("programs*"))
        if not left:
            break
        time.sleep(0.1)
    assert not left


def test_a_program_ends_with_its_client():
    """At whatever moment the client is killed, also before the program leads a group of its own."""
    command = [program_server.python(), "-c", "import time; time.sleep(20); print('lived on')"]
    for first in range(0, 60, 20):
        clients = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(first, first + 20)]
        for milliseconds, client in enumerate(clients, first):
            time.sleep(milliseconds / 20000)
            client.kill()
        assert [client.communicate()[0] for client in clients] == [b""] * len(clients)
