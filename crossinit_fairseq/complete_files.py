"""Writing files and folders that are complete or not there at all."""

import os
import shutil
from contextlib import contextmanager

from crossinit_fairseq.errors import InputError


@contextmanager
def complete_file(path):
    """Give a path to write to; it becomes `path` when the block ends well, and vanishes when it does not.

    Raises InputError when the file cannot be written.
    """
    part = "{}.{}.part".format(path, os.getpid())
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise InputError("{} cannot be written: {}".format(path, error.strerror or error)) from None
    finally:
        if os.path.exists(part):
            os.remove(part)


@contextmanager
def complete_folder(path):
    """The same for a folder, which must not exist yet, or be empty."""
    path = os.path.abspath(path)
    part = "{}.{}.part".format(path, os.getpid())
    try:
        os.mkdir(part)
        yield part
        os.replace(part, path)  # onto nothing or onto an empty folder
    except OSError as error:
        raise InputError("{} cannot be written: {}".format(path, error.strerror or error)) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_new_file(path, inputs=()):
    """Raises InputError, before any work is done, when `path` cannot be a file to write, or is one of the inputs."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise InputError("{} is no folder to write {} to: make it first".format(folder, os.path.basename(path)))
    if os.path.isdir(path):
        raise InputError("{} is a folder: name a file to write".format(path))
    for other in inputs:
        if os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other):
            raise InputError("{} is read and would be overwritten: name another file to write".format(path))


def check_new_folder(path):
    """Raises InputError, before any work is done, when `path` cannot be a new folder."""
    above = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(above):
        raise InputError("{} is no folder to make {} in: make it first".format(above, os.path.basename(path)))
    if os.path.isfile(path) or (os.path.isdir(path) and os.listdir(path)):
        raise InputError("{} exists already: name a new folder to write".format(path))
