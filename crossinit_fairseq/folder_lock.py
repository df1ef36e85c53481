"""One run at a time writes to a folder: a lock that ends with the process that holds it, however that ends.

It is a lock of the operating system (flock) on the file `.lock` in the folder; the recipes in shell take the same. The
file stays, only a living process locks it. It works between machines where their shared file system supports it (NFS,
Lustre mounted with flock, ...).
"""

import datetime
import errno
import fcntl
import logging
import os
import socket
from typing import Dict, Optional

from crossinit_fairseq.errors import InputError

logger = logging.getLogger(__name__)

NAME = ".lock"
_BUSY = (errno.EACCES, errno.EAGAIN)
_NOT_SUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
_held: Dict[str, int] = {}  # folder -> the descriptor whose lock this process holds


def lock_folder(folder: str) -> None:
    """Make the folder if need be and lock it until this process ends; a folder that it has locked already stays locked.

    Raises InputError when another process holds the lock, or when the folder cannot be written to. Where the file
    system supports no locks, a warning says so.
    """
    folder = os.path.realpath(folder)
    if folder in _held:
        return
    path = os.path.join(folder, NAME)
    try:
        os.makedirs(folder, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise InputError(f"{folder} cannot be written to: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = _read_holder(descriptor)
        os.close(descriptor)
        if error.errno in _BUSY:
            raise InputError(
                f"another run writes to {folder}{f' ({holder})' if holder else ''}: wait until it has ended, or give "
                "this one a folder of its own"
            ) from None
        if error.errno not in _NOT_SUPPORTED:
            raise InputError(f"{path} cannot be locked: {error.strerror}") from None
        logger.warning(f"{folder}: its file system supports no locks; see to it that no other run writes there")
        return
    _held[folder] = descriptor
    _write_holder(descriptor)


def holder_of(folder: str) -> Optional[str]:
    """Which other process holds the lock of a folder, in words; None if none does."""
    if os.path.realpath(folder) in _held:
        return None
    try:
        descriptor = os.open(os.path.join(folder, NAME), os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return (_read_holder(descriptor) or "a process that did not say which") if error.errno in _BUSY else None
    finally:
        os.close(descriptor)
    return None


def _read_holder(descriptor: int) -> str:
    return os.pread(descriptor, 200, 0).decode("utf-8", "replace").split("\n")[0].strip()


def _write_holder(descriptor: int) -> None:
    """Write which process holds the lock into its file, for the message to others; on a full disk it stays empty."""
    now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M")
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()} since {now}\n".encode(), 0)
    except OSError:
        pass


def _leave_lock_to_parent() -> None:
    """In a process that this one forked: its copy of the lock would outlive this process."""
    for descriptor in _held.values():
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_leave_lock_to_parent)
