"""What the console commands share: how they end, numbers and files as options, tables aligned in any script."""

import argparse
import codecs
import io
import os
import signal
import sys
import unicodedata
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any, BinaryIO, Callable, Dict, Iterator, List, Sequence, TextIO, Tuple, cast

from crossinit_fairseq.cli.terminal import shown
from crossinit_fairseq.errors import InputError, printable

if TYPE_CHECKING:  # --help need not wait for torch
    from crossinit_fairseq.export import EmbeddingTable


def run(name: str, work: Callable[[], object]) -> int:
    """Call `work`, which reads the command line too; returns the exit status of the command `name`: 0, or 1 after one
    sentence on stderr, or 130. On a terminal everything that is written is printable."""
    _replace_closed_streams()
    _take_any_character()
    with redirect_stdout(shown(sys.stdout)), redirect_stderr(shown(sys.stderr)):
        return _ended(name, work)


def _ended(name: str, work: Callable[[], object]) -> int:
    try:
        work()
        sys.stdout.flush()
    except InputError as error:
        return _failed(name, str(error))
    except BrokenPipeError:
        _forget_output()  # the reader, such as `head`, has seen enough
    except OSError as error:
        _forget_output()
        return _failed(name, f"{error.filename or 'standard output'}: {error.strerror or error}")
    except KeyboardInterrupt as interrupt:
        print(f"{name}: {str(interrupt) or 'interrupted, nothing written'}", file=sys.stderr)
        return 130
    return 0


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Within it two signals raise KeyboardInterrupt, as Ctrl-C does, so that a command tidies up: SIGTERM, by which a
    batch system ends a job, and SIGHUP, which a closed terminal sends. A signal that is ignored, as under nohup, stays
    ignored."""
    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


class _ClosedInput:
    """Stands for a standard input that is closed (`<&-`), where Python has None."""

    def isatty(self) -> bool:
        """Nobody is there to answer."""
        return False

    def close(self) -> None:
        """A process that is forked closes its input."""

    @property
    def buffer(self) -> BinaryIO:
        """Raises InputError."""
        raise InputError("standard input is closed: name a file to read")


def _replace_closed_streams() -> None:
    """Where a standard stream is closed, Python has None in its place, which fails in ways of its own."""
    if sys.stdin is None:
        sys.stdin = cast(TextIO, _ClosedInput())
    if sys.stdout is None:  # whatever is written there fails, as it does in other commands
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")


def _take_any_character() -> None:
    """In a locale that is not UTF-8, such as ISO-8859-1, Python ends at a character that is not in it. A file or a pipe
    gets UTF-8, as a file does that is named, and a terminal the codes of characters that it does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _failed(name: str, reason: str) -> int:
    print(f"{name}: error: {printable(reason)}", file=sys.stderr)
    return 1


def _forget_output() -> None:
    # Python would try once more to write what is left when it ends, and exit with 120
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def at_least(least: int) -> Callable[[str], int]:
    """An argparse type: a whole number of `least` or more."""

    def number(text: str) -> int:  # argparse shows the name: "invalid number value"
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is not {least} or more")
        return value

    return number


positive = at_least(1)


def named_files(texts: Sequence[str], what: str) -> Dict[str, str]:
    """{name: path} of NAME=PATH, and of a path alone, which is its own name.

    what: one file holds, in a word, for messages. Raises InputError for two of one name, and for an empty name or path.
    """
    files: Dict[str, str] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or os.path.exists(text):
            name = path = text
        if not name or not path:
            raise InputError(f"{text!r} names no {what}: give NAME=FILE")
        if name in files:
            raise InputError(f"two {what}s are called {name}: give each its own NAME=FILE")
        files[name] = path
    return files


def format_columns(rows: Sequence[List[str]]) -> str:
    """rows: lists of str, all of one length. Returns the rows as lines, the columns aligned to the left, printable."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(display_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell + " " * (width - display_width(cell)) for cell, width in zip(row, widths)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def display_width(text: str) -> int:
    """How many terminal cells a text takes: none for combining marks and joiners, two for East Asian wide letters."""
    width = 0
    for character in text:
        if unicodedata.category(character) not in ("Mn", "Me", "Cf"):
            width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return width


def load_checkpoint(path: str, **overrides: Any) -> Tuple[Any, Any]:
    """The model and the task of a checkpoint, by fairseq; what it was trained from and on need not be there any more.

    overrides: settings of the task, `data` and `pieces` at least. Raises InputError for a checkpoint that is not there,
    was trained with another dictionary than that of the data folder, or cannot be loaded.
    """
    if not os.path.isfile(path):
        raise InputError(f"there is no checkpoint {path}")
    _check_dictionary(path, overrides["data"])
    from fairseq import checkpoint_utils

    gone = {"train_files": "", "valid_files": "", "restore_file": None, "finetune_from_model": None, "save_dir": None}
    try:
        models, _, task = checkpoint_utils.load_model_ensemble_and_task([path], arg_overrides={**gone, **overrides})
    except SystemExit as error:  # our tasks end so, at fairseq's door
        raise InputError(str(error.code).replace("crossinit_fairseq: error: ", "", 1)) from None
    except (OSError, RuntimeError, KeyError, EOFError) as error:
        raise InputError(f"{path} cannot be loaded: {str(error).splitlines()[0][:120]}") from None
    return models[0].eval(), task


def read_table(path: str) -> "EmbeddingTable":
    """The EmbeddingTable of a .vec file of any program, or of a .safetensors file of crossinit-export.

    Raises InputError for one that training could not begin with, and prints what is doubtful; see doubts_of_start.
    """
    from crossinit_fairseq.export.tables import doubts_of_start

    if path.endswith(".vec"):
        from crossinit_fairseq.export.word2vec import read_word2vec as read
    else:
        from crossinit_fairseq.export.safetensors_file import read_safetensors as read
    table = read(path)
    for doubt in doubts_of_start(table.symbols, table.values, path):
        print(f"warning: {printable(doubt)}", file=sys.stderr)
    return table


def _check_dictionary(path: str, data: str) -> None:
    from crossinit_fairseq.checkpoint_files import read_header
    from crossinit_fairseq.data.dictionary import read_symbols
    from crossinit_fairseq.data.dictionary_record import NAME, check_record

    dictionary = os.path.join(data.split(os.pathsep)[0], "dict.txt")
    if not os.path.isfile(dictionary):
        return  # the task says so
    try:
        record = (read_header(path).get("task_state") or {}).get(NAME)
    except InputError:
        return  # loading it says more
    if record:  # those of stock tasks have none
        check_record(record, read_symbols(dictionary), os.path.dirname(dictionary), path)
