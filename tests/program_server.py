"""fairseq's and our own programs, started at once: forked from one process that has imported fairseq already.

Importing takes four seconds of each program, and recipes run dozens. What a forked one does is what its console script
does: its own working folder, environment, arguments and streams, and no memory of other runs. `python FILE`, `python -m
MODULE` and `python -c CODE` are forked likewise. `.ci/run` starts the real ones.

MAX_UPDATE=N in the environment: fairseq-train ends after N updates, whatever a recipe's preset says.
"""

import array
import atexit
import contextlib
import fcntl
import functools
import gc
import importlib
import json
import logging
import os
import pathlib
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback

STREAMS = (0, 1, 2, 3)  # 3 is the screen of the recipes' stages
_FREE = 10  # from this file descriptor on none of them
PYTHON = "runpy"
_ENDS = (signal.SIGTERM, signal.SIGHUP)
# name of the console script: where its function is
PROGRAMS = {
    **{
        f"fairseq-{name}": f"fairseq_cli.{name.replace('-', '_')}:cli_main"
        for name in ("train", "generate", "preprocess", "interactive", "validate", "hydra-train")
    },
    **{
        f"crossinit-{name}": f"crossinit_fairseq.cli.{name}:main"
        for name in (
            "analyze",
            "compare",
            "doctor",
            "export",
            "lexicon",
            "predict",
            "prepare",
            "ranks",
            "retrieve",
            "score",
        )
    },
}
# what stands in bin/ for a program; Python without its site packages starts in a fiftieth of a second
CLIENT = """#!{python} -IS
import array, json, os, socket, sys
{before}streams = [number for number in {streams} if os.path.exists("/dev/fd/%d" % number)]
link = socket.socket(socket.AF_UNIX)
link.connect({address!r})
asked = json.dumps([{function!r}, streams, sys.argv, os.getcwd(), dict(os.environ)]).encode()
link.sendmsg([len(asked).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))])
link.sendall(asked)
said = link.recv(1)
os._exit(said[0] if said else 137)
"""
# before that, for Python itself, which is started where it is asked for anything but a file, -m or -c
REAL_PYTHON = """if not sys.argv[1:] or sys.argv[1] not in ("-m", "-c") and sys.argv[1].startswith("-"):
    os.execv({path!r}, [{path!r}] + sys.argv[1:])
"""


def python() -> str:
    """A Python that is forked: for what imports torch or fairseq."""
    return str(environment() / "bin" / "python")


@functools.lru_cache(maxsize=None)
def environment() -> pathlib.Path:
    """A folder that stands in for this virtual environment (VENV of the recipes), made and served at the first call."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="programs"))
    address = str(folder / "socket")
    command = [sys.executable, "-m", "tests.program_server", address, str(os.getpid())]
    server = subprocess.Popen(command, cwd=str(pathlib.Path(__file__).parents[1]), stdin=subprocess.DEVNULL)
    atexit.register(_end, server, folder, os.getpid())
    (folder / "bin").mkdir()
    for path in (pathlib.Path(sys.prefix) / "bin").iterdir():
        is_python = path.name.startswith("python")
        if is_python or path.name in PROGRAMS:
            text = CLIENT.format(
                python=sys.executable,
                before=REAL_PYTHON.format(path=str(path)) if is_python else "",
                address=address,
                function=PROGRAMS.get(path.name, PYTHON),
                streams=list(STREAMS),
            )
            (folder / "bin" / path.name).write_text(text, encoding="utf-8")
            (folder / "bin" / path.name).chmod(0o755)
        else:
            (folder / "bin" / path.name).symlink_to(path)
    while not os.path.exists(address):
        assert server.poll() is None, "the server of programs ended"
        select.select([], [], [], 0.02)
    return folder


def _end(server, folder, owner):
    if os.getpid() == owner:  # not in what was forked from the tests
        server.terminate()
        server.wait()
        shutil.rmtree(str(folder), ignore_errors=True)


def serve(address: str, tests: int) -> None:
    """Answer clients; returns in the process that is to run a program, when it has become that program.

    tests: number of the process that the programs are run for. The folder of the address goes with the server: when
    that process has ended, or by a signal that a terminal or a batch system sends to all.
    """

    def leave(*unused):
        shutil.rmtree(os.path.dirname(address), ignore_errors=True)
        os._exit(0)

    for number in _ENDS:
        signal.signal(number, leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # pytest has something to say first
    import fairseq  # noqa: F401

    with contextlib.suppress(ImportError):  # torch 1 has none
        import torch._dynamo  # noqa: F401  (which optimizers import when they are first saved)

    # importing fairseq sets logging up, of which only what does so before, as fairseq-train does, takes no notice
    serve.logging = logging.root.handlers[:], logging.root.level
    logging.root.handlers[:] = []
    logging.root.setLevel(logging.WARNING)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # what is there now is no program's garbage: to look through it, and so to copy its memory, takes two seconds when a
    # program ends
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address + ".new")
        server.listen(64)
        server.settimeout(1)
        os.rename(address + ".new", address)
        while os.getppid() == tests:
            try:
                link, _ = server.accept()
            except socket.timeout:
                continue
            if os.fork() == 0:
                server.close()
                return _wait_for_the_program(link)
            link.close()
    leave()  # the tests were killed, and have not done it


def _wait_for_the_program(link):
    """Fork once more: into the program, in which this returns, and into one that waits for it and tells the client."""
    for number in (signal.SIGCHLD, *_ENDS):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    link.settimeout(None)
    length, rights, _, _ = link.recvmsg(8, socket.CMSG_SPACE(4 * len(STREAMS)))
    streams = array.array("i")
    streams.frombytes(rights[0][2])
    asked = b""
    while len(asked) < int.from_bytes(length, "big"):
        asked += link.recv(1 << 16)
    ended, program_lives = os.pipe()
    program = os.fork()
    if program == 0:
        os.close(ended)
        fcntl.fcntl(program_lives, fcntl.F_DUPFD_CLOEXEC, _FREE)  # closed when the program has ended
        os.close(program_lives)
        os.setsid()
        link.close()
        return _become(streams, *json.loads(asked))
    os.close(program_lives)
    for stream in streams:
        os.close(stream)
    # the client says nothing more: its end is all there is to read
    if link in select.select([link, ended], [], [])[0]:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program, signal.SIGKILL)
        os.kill(program, signal.SIGKILL)  # which may not have had the time to lead a group of its own
    _, status = os.waitpid(program, 0)
    try:
        link.send(bytes([128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)]))
    except OSError:
        pass
    os._exit(0)


def _become(streams, function, numbers, arguments, folder, variables):
    apart = [fcntl.fcntl(stream, fcntl.F_DUPFD, _FREE) for stream in streams]  # one may stand where another goes
    for stream in streams:
        os.close(stream)
    for number in STREAMS:
        with contextlib.suppress(OSError):
            os.close(number)
    for number, stream in zip(numbers, apart):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    tempfile.tempdir = None  # of TMPDIR
    sys.argv = arguments
    if os.path.basename(arguments[0]) == "fairseq-train" and "MAX_UPDATE" in variables:
        sys.argv += ["--max-update", variables["MAX_UPDATE"]]
    sys.path[0] = os.path.dirname(arguments[0])
    sys.path[1:1] = [part for part in variables.get("PYTHONPATH", "").split(os.pathsep) if part]
    sys.stdout.reconfigure(write_through="PYTHONUNBUFFERED" in variables)
    if function.startswith("fairseq_cli.") and not function.startswith("fairseq_cli.train:"):
        logging.root.handlers[:], logging.root.level = serve.logging
    serve.function = function


def _run(function):
    """Run a program by its function, or, as Python does, a file, module or code; returns the exit status."""
    if function != PYTHON:
        module, name = function.split(":")
        return getattr(importlib.import_module(module), name)()
    kind, sys.path[0] = sys.argv[1], ""
    if kind == "-m":
        sys.path[0] = os.getcwd()
        del sys.argv[:2]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        del sys.argv[1]
        code = compile(sys.argv.pop(1), "<string>", "exec")
        sys.argv[0] = kind
        exec(code, {"__name__": "__main__"})
    else:
        del sys.argv[0]
        sys.path[0] = os.path.dirname(os.path.abspath(kind))
        runpy.run_path(kind, run_name="__main__")
    return 0


def _exit(status):
    """End as Python does, but for taking apart what was imported: for that all memory shared with others is copied."""
    if isinstance(status, str):
        print(status, file=sys.stderr)
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    status = status or 0
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError) as error:  # with the words and the status of Python
            print(f"Exception ignored in: {stream}\n{type(error).__name__}: {error}", file=sys.stderr)
            status = 120
    os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
    try:
        status = _run(serve.function)
    except SystemExit as error:
        status = error.code
    except Exception:
        traceback.print_exc()
        status = 1
    _exit(status)
