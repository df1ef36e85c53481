"""How the console commands end."""

import os
import sys

from crossinit_fairseq.errors import InputError


def run(name, work):
    """Call `work`; returns the exit status of the command `name`: 0, or 1 after one sentence on stderr, or 130."""
    try:
        work()
        sys.stdout.flush()
    except InputError as error:
        return _failed(name, error)
    except BrokenPipeError:
        _forget_output()  # the reader, such as `head`, has seen enough
    except OSError as error:
        _forget_output()
        return _failed(name, "{}: {}".format(error.filename or "standard output", error.strerror or error))
    except KeyboardInterrupt:
        print("{}: interrupted, nothing written".format(name), file=sys.stderr)
        return 130
    return 0


def _failed(name, reason):
    print("{}: error: {}".format(name, reason), file=sys.stderr)
    return 1


def _forget_output():
    # Python would try once more to write what is left when it ends, and exit with 120
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
