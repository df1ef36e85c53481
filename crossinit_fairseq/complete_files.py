"""Writing files and folders that are complete or not there at all, after a crash and after a power cut too.

Everything is written under another name in the same folder, brought to the disk (fsync), and then renamed. The other
name cannot be guessed and must not exist, so that nobody who may write to the folder can lead the writing elsewhere.
"""

import errno
import json
import os
import secrets
import shutil
import stat
from contextlib import contextmanager
from typing import Any, Iterable, Iterator

from crossinit_fairseq.errors import InputError

PART = ".part"  # what the other names end with


@contextmanager
def complete_file(path: str) -> Iterator[str]:
    """Give the path of a new, empty file to write to. When the block ends well it becomes `path`, else it vanishes.

    A `path` that is a symbolic link to a file stays one: the file that it points to is replaced.
    Raises InputError when the file cannot be written, or when `path` is there and is no regular file.
    """
    check_regular(path)
    target = os.path.realpath(path)
    part, ours = part_name(target), False
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        ours = True
        yield part
        sync(part)
        os.replace(part, target)
        ours = False
        sync(os.path.dirname(target))
    except OSError as error:
        raise _cannot_be_written(path, part, error) from None
    finally:
        if ours and os.path.exists(part):
            os.remove(part)


def write_json(path: str, content: Any, indent: int = 1) -> None:
    """Write JSON, as `complete_file` does. What is no character, as in the name of a file that is not UTF-8, stands
    there as JSON writes it (`\\udcff`), and is read back as the same name."""
    with complete_file(path) as part, open(part, "w", encoding="utf-8", errors="backslashreplace") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=indent)
        stream.write("\n")


@contextmanager
def complete_folder(path: str) -> Iterator[str]:
    """The same for a folder, which must not exist yet, or be empty."""
    target = os.path.realpath(path)
    part, ours = part_name(target), False
    try:
        os.mkdir(part)
        ours = True
        yield part
        for folder, _, names in os.walk(part):
            for name in names:
                sync(os.path.join(folder, name))
            sync(folder)
        os.replace(part, target)  # onto nothing or onto an empty folder
        sync(os.path.dirname(target))
    except OSError as error:
        raise _cannot_be_written(path, part, error) from None
    finally:
        if ours:
            shutil.rmtree(part, ignore_errors=True)


def part_name(path: str) -> str:
    """A new name beside `path`, which nobody can guess."""
    return f"{path}.{secrets.token_hex(8)}{PART}"


def sync(path: str) -> None:
    """Bring a file or a folder to the disk. File systems that cannot do that with a folder are left alone."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def check_regular(path: str) -> None:
    """Raise InputError when `path` is there and no regular file, such as /dev/null, which a file would replace."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return  # a new file, or one that the writing will say more of
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder: name a file to write")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is no regular file but a device, a pipe or the like: name a file to write")


def check_new_file(path: str, inputs: Iterable[str] = ()) -> None:
    """Raise InputError, before any work is done, when `path` cannot be a file to write, or is one of the inputs."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise InputError(f"{folder} is no folder to write {os.path.basename(path)} to: make it first")
    check_regular(path)
    for other in inputs:
        if os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other):
            raise InputError(f"{path} is read and would be overwritten: name another file to write")


def check_new_folder(path: str) -> None:
    """Raise InputError, before any work is done, when `path` cannot be a new folder."""
    above = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(above):
        raise InputError(f"{above} is no folder to make {os.path.basename(path)} in: make it first")
    if (os.path.lexists(path) and not os.path.isdir(path)) or (os.path.isdir(path) and os.listdir(path)):
        raise InputError(f"{path} exists already: name a new folder to write")


def _cannot_be_written(path: str, part: str, error: OSError) -> Exception:
    """What to raise for an error inside the block: an error of another file is that file's, and stays as it is."""
    if error.filename is None or str(error.filename).startswith((part, os.path.realpath(path))):
        return InputError(f"{path} cannot be written: {error.strerror or error}")
    return error
