"""Checkpoint files: read without running code that a file may carry, checked for damage, written whole; no fairseq.

A checkpoint is a pickle, and a pickle names functions to be called when it is read. Here only the names that fairseq's
checkpoints need are called (tensors, numpy's numbers, Namespace, omegaconf's containers); any other name is refused
before it is imported. Whoever trusts the maker of a file sets the environment variable CROSSINIT_TRUST_CHECKPOINTS=1.
"""

import contextlib
import functools
import glob
import os
import pickle
import re
import threading
import types
import zipfile
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import torch

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError, first_line

TRUST = "CROSSINIT_TRUST_CHECKPOINTS"
FEW_BYTES = 4 << 30  # a checkpoint of so many is loaded in seconds

# module -> what may be named in it; torch's dtypes and storages are allowed besides
_ALLOWED = {
    "_codecs": {"encode"},  # how pickle writes bytes in protocol 2
    "argparse": {"Namespace"},
    "builtins": set("bool bytearray bytes complex dict float frozenset int list set str tuple".split()),
    "collections": {"OrderedDict", "defaultdict", "deque"},
    "fairseq.meters": {"AverageMeter", "StopwatchMeter", "SumMeter", "TimeMeter"},  # of fairseq before 0.9
    "numpy": {"dtype", "ndarray"},
    "omegaconf.base": {"ContainerMetadata", "Metadata"},
    "omegaconf.dictconfig": {"DictConfig"},
    "omegaconf.listconfig": {"ListConfig"},
    "omegaconf.nodes": {"AnyNode", "BooleanNode", "FloatNode", "IntegerNode", "StringNode"},
    "pathlib": {"PosixPath", "PurePosixPath"},
    "torch": {"Size", "Tensor", "device"},
    "torch._utils": {"_rebuild_parameter", "_rebuild_tensor", "_rebuild_tensor_v2"},
    "torch.nn.parameter": {"Parameter"},
    "torch.storage": {"TypedStorage", "UntypedStorage", "_TypedStorage", "_UntypedStorage"},
    "typing": {"Any"},
}
for _core in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _ALLOWED[_core] = {"_reconstruct", "scalar"}
_ALLOWED["__builtin__"] = _ALLOWED["builtins"] | {"long", "unicode"}  # their names in protocol 2

_FOLDER = 0x10  # the attribute of a folder, whose content torch takes for empty; no checksum covers it
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"  # how the files of torch begin: since 1.6, and before
_MAGIC = 0x1950A86A20F9469CFC6C  # the first thing that is pickled in those of before


class _ForbiddenName(pickle.UnpicklingError):
    """A pickle names something that no checkpoint of fairseq needs."""


class _Unpickler(pickle.Unpickler):
    """Calls nothing but what fairseq's checkpoints need, unless the user trusts the file."""

    def find_class(self, module: str, name: str) -> Any:
        """The object of that name. Raises _ForbiddenName for any that is not allowed, before anything is imported."""
        is_dtype = module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)
        is_storage = module in ("torch", "torch.cuda") and re.fullmatch("[A-Za-z0-9]+Storage", name)
        is_allowed = is_dtype or is_storage or name in _ALLOWED.get(module, ())
        if not is_allowed and not os.environ.get(TRUST):
            raise _ForbiddenName(f"{module}.{name}")
        return super().find_class(module, name)


class _HeaderUnpickler(_Unpickler):
    """Reads everything but the tensors, which are None."""

    def persistent_load(self, _: Any) -> None:
        """A storage, which is not read."""
        return None

    def find_class(self, module: str, name: str) -> Any:
        """As _Unpickler's, but tensors are not built."""
        found = super().find_class(module, name)
        return _no_tensor if module == "torch._utils" and name.startswith("_rebuild") else found


def _no_tensor(*unused: Any) -> None:
    return None


def _restricted_load(stream: Any, **options: Any) -> Any:
    return _Unpickler(stream, **options).load()


# what torch.load takes in the place of the module pickle
_restricted_pickle = types.SimpleNamespace(
    __name__="pickle", Unpickler=_Unpickler, load=_restricted_load, UnpicklingError=pickle.UnpicklingError
)


_ONE_AT_A_TIME = threading.RLock()


@contextlib.contextmanager
def _pickle_of_torch_1_13() -> Iterator[None]:
    """torch 1.13 takes no notice of `pickle_module`: within this its own pickle is the restricted one."""
    if not torch.__version__.startswith("1.13."):
        yield
        return
    with _ONE_AT_A_TIME:
        torch.serialization.pickle = _restricted_pickle  # type: ignore[assignment]
        try:
            yield
        finally:
            torch.serialization.pickle = pickle


def load_checkpoint_file(path: str) -> Any:
    """What torch.save wrote into a file, with its tensors on the CPU.

    Raises InputError when the file is missing, damaged, no such file, or names what is not allowed (see above).
    """
    check_whole(path)
    try:
        with open(path, "rb") as stream, _pickle_of_torch_1_13():
            return torch.load(
                stream,
                map_location="cpu",
                pickle_module=_restricted_pickle,
                weights_only=False,  # torch's own list lacks what fairseq needs, and cannot be extended before 2.5
            )
    except _ForbiddenName as error:
        raise _forbidden(path, error) from None
    except Exception as error:  # a damaged pickle raises errors of any kind
        raise InputError(f"{path} is damaged, or no checkpoint of fairseq ({first_line(error)})") from None


def read_header(path: str) -> Dict[str, Any]:
    """Everything in a checkpoint except its tensors, which are None and not read.

    Raises InputError as load_checkpoint_file does. A damaged tensor is not noticed.
    """
    try:
        header = _header_of_pickles(path) if _begins(path).startswith(_PICKLE) else _header_of_zip(path)
    except _ForbiddenName as error:
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
            return _HeaderUnpickler(stream).load()


def _header_of_pickles(path: str) -> Any:
    """Of a file of torch before 1.6: a number, a version and the machine, each pickled by itself, come first."""
    with open(path, "rb") as stream:
        if [_Unpickler(stream).load() for _ in range(3)][0] != _MAGIC:
            raise pickle.UnpicklingError("not written by torch")
        return _HeaderUnpickler(stream).load()


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


def architecture_of(path: str) -> str:
    """The --arch that a checkpoint was trained with; "" for a file that is not here or does not say."""
    try:
        header = read_header(path)
    except InputError:
        return ""
    cfg = header.get("cfg") or {}
    for options in (cfg.get("model") if isinstance(cfg, dict) else None, header.get("args")):
        values = options if isinstance(options, dict) else getattr(options, "__dict__", {})
        name = values.get("arch") or values.get("_name")
        if name:
            return str(name)
    return ""


def sentence_of_misfit(path: str, architecture: str, error: Optional[BaseException]) -> str:
    """What to say of a checkpoint that does not fit the model of a run, and what to do.

    architecture: --arch of the run; error: what torch or fairseq raised when it was loaded.
    """
    text = str(error)
    shapes = re.search(r"size mismatch for (\S+): .*?Size\((\[.*?\])\) from checkpoint.*?Size\((\[.*?\])\)", text)
    missing = re.search(r'Missing key\(s\) in state_dict: "([^"]+)"', text)
    unknown = re.search(r'Unexpected key\(s\) in state_dict: "([^"]+)"', text)
    if missing:
        why = f"the checkpoint holds no {missing.group(1)}"
    elif isinstance(error, KeyError):
        why = f"the checkpoint holds no {error.args[0]}"
    elif unknown:
        why = f"the checkpoint's {unknown.group(1)} has no place in it"
    elif shapes:
        why = f"{shapes.group(1)} is {shapes.group(2)} in the checkpoint and {shapes.group(3)} in the model"
    else:
        why = first_line(error) if error else "its parameters are others"
    trained = architecture_of(path)
    return (
        f"{path}{f' (--arch {trained})' if trained else ''} does not fit --arch {architecture}: {why}; give the "
        "architecture, the sizes and the data folder that it was trained with, or another checkpoint"
    )


def sentence_of_another_optimizer(path: str, theirs: str, ours: str) -> str:
    """What to say when a run would go on from a checkpoint of another optimizer, criterion or precision, and what to
    do. theirs, ours: names of classes of fairseq, such as FairseqAdam, FP16Optimizer."""
    return (
        f"{path} was saved by {theirs}, and this run has {ours}, so it cannot go on from there: give the --optimizer, "
        "--criterion and precision (--fp16) that it was trained with, or a --save-dir of its own and "
        f"--finetune-from-model {path}"
    )


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
