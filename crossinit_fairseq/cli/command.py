"""What the console commands share: how they end, and whole numbers as options."""

import argparse
import os
import sys
from typing import Callable

from crossinit_fairseq.cli.columns import printable
from crossinit_fairseq.errors import InputError


def run(name: str, work: Callable[[], object]) -> int:
    """Call `work`; returns the exit status of the command `name`: 0, or 1 after one sentence on stderr, or 130."""
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
