"""Checkpoint files: read without running code that a file may carry (see checkpoint_pickles.py), checked for damage,
written whole; no fairseq.
"""

import functools
import glob
import os
import pickle
import re
import zipfile
from typing import Any, Dict, List, Mapping, Optional, Tuple

import torch

from crossinit_fairseq.checkpoint_pickles import (
    TRUST,
    ForbiddenName,
    HeaderUnpickler,
    Unpickler,
    pickle_of_torch_1_13,
    restricted_pickle,
)
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError, first_line

FEW_BYTES = 4 << 30  # a checkpoint of so many is loaded in seconds

_FOLDER = 0x10  # the attribute of a folder, whose content torch takes for empty; no checksum covers it
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"  # how the files of torch begin: since 1.6, and before
_MAGIC = 0x1950A86A20F9469CFC6C  # the first thing that is pickled in those of before


def load_checkpoint_file(path: str) -> Any:
    """What torch.save wrote into a file, with its tensors on the CPU.

    Raises InputError when the file is missing, damaged, no such file, or names what is not allowed (see above).
    """
    check_whole(path)
    try:
        with open(path, "rb") as stream, pickle_of_torch_1_13():
            return torch.load(
                stream,
                map_location="cpu",
                pickle_module=restricted_pickle,
                weights_only=False,  # torch's own list lacks what fairseq needs, and cannot be extended before 2.5
            )
    except ForbiddenName as error:
        raise _forbidden(path, error) from None
    except Exception as error:  # a damaged pickle raises errors of any kind
        raise InputError(f"{path} is damaged, or no checkpoint of fairseq ({first_line(error)})") from None


def read_header(path: str) -> Dict[str, Any]:
    """Everything in a checkpoint except its tensors, which are None and not read. Not to be changed: who asks for the
    header of the same file later gets the same.

    Raises InputError as load_checkpoint_file does. A damaged tensor is not noticed.
    """
    try:
        found = os.stat(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    return _read_header(path, os.environ.get(TRUST), found.st_ino, found.st_size, found.st_mtime_ns)


# one start looks at a file several times; the other arguments tell that it is the same
@functools.lru_cache(maxsize=16)
def _read_header(path: str, *unused: Any) -> Dict[str, Any]:
    try:
        header = _header_of_pickles(path) if _begins(path).startswith(_PICKLE) else _header_of_zip(path)
    except ForbiddenName as error:
        raise _forbidden(path, error) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception as error:
        raise InputError(f"{path} is damaged, or no checkpoint of fairseq ({first_line(error)})") from None
    if not isinstance(header, dict):
        raise InputError(f"{path} is no checkpoint of fairseq: it holds a {type(header).__name__}")
    for name in ("cfg", "model", "task_state", "extra_state"):
        if not isinstance(header.get(name) or {}, Mapping):
            raise InputError(f"{path} is no checkpoint of fairseq: its {name} is a {type(header[name]).__name__}")
    return header


def _header_of_zip(path: str) -> Any:
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        with archive.open(name) as stream:
            return HeaderUnpickler(stream).load()


def _header_of_pickles(path: str) -> Any:
    """Of a file of torch before 1.6: a number, a version and the machine, each pickled by itself, come first."""
    with open(path, "rb") as stream:
        if [Unpickler(stream).load() for _ in range(3)][0] != _MAGIC:
            raise pickle.UnpicklingError("not written by torch")
        return HeaderUnpickler(stream).load()


def _begins(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(4)


def check_whole(path: str) -> None:
    """Raise InputError when the file is missing, or not as it was written: cut off, or changed anywhere.

    The checksums of all parts are compared, which takes a second for some 500 MB or more. (Files of torch before 1.6
    have no checksums.)
    """
    if not os.path.isfile(path):
        raise InputError(f"{path} is no file: give a checkpoint of fairseq, such as checkpoint_last.pt")
    try:
        found = os.stat(path)
        _check_parts(path, found.st_ino, found.st_size, found.st_mtime_ns)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


# one start looks at a file several times; the other arguments tell that it is the same
@functools.lru_cache(maxsize=64)
def _check_parts(path: str, *unused: int) -> None:
    begins = _begins(path)
    if not begins:
        raise InputError(f"{path} is empty: it was being written when the disk was full or the machine went down")
    if not begins.startswith(_ZIP):
        if not begins.startswith(_PICKLE):
            raise InputError(f"{path} is no checkpoint of fairseq, or its beginning is damaged")
        return
    try:
        with zipfile.ZipFile(path) as archive:
            if any(name.endswith("/constants.pkl") for name in archive.namelist()):
                raise InputError(f"{path} is a program of TorchScript, no checkpoint of fairseq")
            for part in archive.infolist():
                if part.external_attr & _FOLDER:
                    raise zipfile.BadZipFile(f"its part {part.filename} is called a folder")
                # torch writes 0 when it is told not to compute checksums
                if part.CRC:
                    with archive.open(part) as stream:
                        while stream.read(1 << 20):
                            pass
    except (InputError, OSError):
        raise
    except Exception as error:  # BadZipFile most of the time, but a damaged directory raises errors of many kinds
        raise InputError(
            f"{path} is damaged ({first_line(error)}): it was cut off while being written, or changed since"
        ) from None


def updates_of(header: Dict[str, Any]) -> int:
    """After how many updates a checkpoint was written, by its header; -1 if it does not say."""
    try:
        return int(header["optimizer_history"][-1]["num_updates"])
    except (KeyError, IndexError, TypeError, ValueError):
        return -1


def newest_whole(folder: str, suffix: str = "") -> Optional[Tuple[str, int]]:
    """The whole checkpoint of most updates in a folder, `checkpoint_last.pt` left out, and its updates; None if none
    is.

    suffix: what fairseq puts before `.pt` when each process writes files of its own.
    """
    last = f"checkpoint_last{suffix}.pt"
    candidates: List[Tuple[int, float, str]] = []
    for path in glob.glob(os.path.join(glob.escape(folder), f"checkpoint*{glob.escape(suffix)}.pt")):
        name = os.path.basename(path)
        if name != last and (suffix or not re.search(r"-shard\d+\.pt$", name)):
            try:
                candidates.append((updates_of(read_header(path)), os.path.getmtime(path), path))
            except (InputError, OSError):
                continue
    for updates, _, path in sorted(candidates, reverse=True):
        try:
            check_whole(path)
        except InputError:
            continue
        return path, updates
    return None


def save_checkpoint_file(state: Any, path: str) -> None:
    """Write what load_checkpoint_file reads: complete and on the disk, or not at all.

    Raises InputError, with the reason that the system gives, when it cannot be written.
    """
    with complete_file(path) as part, open(part, "wb") as stream:
        watched: Any = _WatchedStream(stream)
        try:
            torch.save(state, watched)
        except Exception:
            # torch says "unexpected pos 896 vs 790" of a full disk
            if watched.error is not None:
                raise watched.error from None
            raise


class _WatchedStream:
    """A stream that remembers the error of the system behind an error of torch."""

    def __init__(self, stream: Any):
        self._stream = stream
        self.error: Optional[OSError] = None

    def write(self, content: Any) -> int:
        """As a file's."""
        try:
            return self._stream.write(content)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """As a file's."""
        try:
            self._stream.flush()
        except OSError as error:
            self.error = error
            raise


def _forbidden(path: str, error: Exception) -> InputError:
    return InputError(
        f"{path} was not loaded: it names {error}, which no checkpoint of fairseq needs, and loading it could run code "
        f"of whoever made the file; if you trust them, set the environment variable {TRUST}=1"
    )
