"""The one file of compatibility shims. Each names the versions it is for; tests/test_compat.py fails when one is idle.

fairseq is archived; these faults will not be mended there. Everything else that is fragile in it is replaced by a task
of ours rather than patched.
"""

import torch

try:
    from fairseq.logging import metrics  # noqa: F401
except ImportError as error:  # no fairseq at all, or one that does not suit this Python
    raise ImportError(
        "crossinit_fairseq needs fairseq, and none could be imported ({}). On Python 3.11 and later: "
        "`pip install ve-fairseq==0.12.3` (Linux x86_64) or `fairseq-fixed==0.12.3.1`; "
        "on Python 3.8 to 3.10: `pip install fairseq==0.12.2`.".format(error)
    ) from error
except ValueError as error:
    raise ImportError(
        "this fairseq does not run on this Python ({}): the official 0.12.2 needs Python 3.8 to 3.10; on Python 3.11 "
        "and later `pip uninstall fairseq` and `pip install ve-fairseq==0.12.3`.".format(error)
    ) from error


class _TrustingTorch:
    """torch as one fairseq module sees it, with a `load` that unpickles whole checkpoints as it did before 2.6.

    torch >= 2.6 made `weights_only=True` the default of `torch.load`; fairseq's checkpoints also hold numpy numbers and
    omegaconf configurations, more than an allow-list can name. Only the module given a `_TrustingTorch` is affected.
    As ever: load checkpoints only from people you trust.
    """

    def __getattr__(self, name):
        return getattr(torch, name)

    @staticmethod
    def load(*args, **kwargs):
        kwargs.setdefault("weights_only", False)
        return torch.load(*args, **kwargs)


def _torch_version():
    return tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])


def allow_whole_checkpoints():
    """For torch >= 2.6: fairseq's own loading, and its broadcast of a checkpoint to the other processes."""
    if _torch_version() < (2, 6):
        return
    import fairseq.checkpoint_utils
    import fairseq.distributed.utils

    for module in (fairseq.checkpoint_utils, fairseq.distributed.utils):
        if not isinstance(module.torch, _TrustingTorch):
            module.torch = _TrustingTorch()


def apply():
    """Apply every shim that this environment needs. Safe to call twice."""
    allow_whole_checkpoints()
