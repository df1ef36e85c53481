"""Reading the pickle that a checkpoint is without running code that it may carry. Needs no fairseq.

A pickle names functions to be called when it is read. Here only the names that fairseq's checkpoints need are called
(tensors, numpy's numbers, Namespace, omegaconf's containers); any other name is refused before it is imported. Whoever
trusts the maker of a file sets the environment variable CROSSINIT_TRUST_CHECKPOINTS=1.
"""

import contextlib
import os
import pickle
import re
import threading
import types
from typing import Any, Iterator

import torch

TRUST = "CROSSINIT_TRUST_CHECKPOINTS"

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


class ForbiddenName(pickle.UnpicklingError):
    """A pickle names something that no checkpoint of fairseq needs."""


class Unpickler(pickle.Unpickler):
    """Calls nothing but what fairseq's checkpoints need, unless the user trusts the file."""

    def find_class(self, module: str, name: str) -> Any:
        """The object of that name. Raises ForbiddenName for any that is not allowed, before anything is imported."""
        is_dtype = module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)
        is_storage = module in ("torch", "torch.cuda") and re.fullmatch("[A-Za-z0-9]+Storage", name)
        is_allowed = is_dtype or is_storage or name in _ALLOWED.get(module, ())
        if not is_allowed and not os.environ.get(TRUST):
            raise ForbiddenName(f"{module}.{name}")
        return super().find_class(module, name)


class HeaderUnpickler(Unpickler):
    """Reads everything but the tensors, which are None."""

    def persistent_load(self, _: Any) -> None:
        """A storage, which is not read."""
        return None

    def find_class(self, module: str, name: str) -> Any:
        """As Unpickler's, but tensors are not built."""
        found = super().find_class(module, name)
        return _no_tensor if module == "torch._utils" and name.startswith("_rebuild") else found


def _no_tensor(*unused: Any) -> None:
    return None


def restricted_load(stream: Any, **options: Any) -> Any:
    """pickle.load by Unpickler."""
    return Unpickler(stream, **options).load()


# what torch.load takes in the place of the module pickle
restricted_pickle = types.SimpleNamespace(
    __name__="pickle", Unpickler=Unpickler, load=restricted_load, UnpicklingError=pickle.UnpicklingError
)


_ONE_AT_A_TIME = threading.RLock()


@contextlib.contextmanager
def pickle_of_torch_1_13() -> Iterator[None]:
    """torch 1.13 takes no notice of `pickle_module`: within this its own pickle is the restricted one."""
    if not torch.__version__.startswith("1.13."):
        yield
        return
    with _ONE_AT_A_TIME:
        torch.serialization.pickle = restricted_pickle  # type: ignore[assignment]
        try:
            yield
        finally:
            torch.serialization.pickle = pickle
