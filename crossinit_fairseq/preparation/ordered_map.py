"""What the programs of this folder share: one clear sentence for bad input, clean ends, and work spread over cores."""

import argparse
import os
import signal
import sys
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from crossinit_fairseq.errors import InputError  # noqa: E402


def run(main, name):
    """Run a program's `main` and exit: 0, or 1 after one sentence on stderr."""
    # a batch system ends a job by SIGTERM: tidy up as after Ctrl-C
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        main()
        sys.stdout.flush()
    except (InputError, OSError, BrokenProcessPool, KeyboardInterrupt) as error:
        print("{}: error: {}".format(name, _sentence(error)), file=sys.stderr)
        sys.exit(130 if isinstance(error, KeyboardInterrupt) else 1)


def _interrupt(number, frame):
    raise KeyboardInterrupt


def _sentence(error):
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; nothing half written is left, run the same command again"
    if isinstance(error, BrokenProcessPool):
        return "a worker process was ended, most likely for want of memory: use fewer --workers"
    if isinstance(error, OSError):
        return "{}: {}".format(error.filename or "input or output", error.strerror or error)
    return str(error)


def parser(documentation):
    """An ArgumentParser whose --help is a program's docstring as it stands."""
    return argparse.ArgumentParser(
        description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )


def language_list(text):
    """argparse type: language codes between commas."""
    languages = [language for language in text.split(",") if language]
    if not languages or len(set(languages)) < len(languages):
        raise argparse.ArgumentTypeError("{!r} is no list of different languages such as en,ro".format(text))
    return languages


def cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(prepare, arguments, function, items, workers):
    """Yield function(item) in the order of the items, from several processes that ran prepare(*arguments) first.

    Unlike Pool.imap it reads only a few items ahead, so that the items need not fit in memory.
    """
    if workers == 1:
        prepare(*arguments)
        yield from map(function, items)
        return
    with ProcessPoolExecutor(workers, initializer=_quietly, initargs=(prepare, arguments)) as pool:
        pending = deque()
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _quietly(prepare, arguments):
    """In a worker: the parent alone answers Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    prepare(*arguments)
