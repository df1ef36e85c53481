"""crossinit_fairseq/lost_processes.py: which errors are of a process that has ended.

tests/test_killed_processes.py kills them.
"""

import fairseq.distributed.utils as utils
import pytest
from omegaconf import OmegaConf

from crossinit_fairseq import lost_processes

GLOO = (
    "[/__w/third_party/gloo/gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:49804. "
    "This is typically caused by a remote worker crashing. Check the logs of the remote worker."
)
NCCL = (
    "NCCL error in: ProcessGroupNCCL.cpp:1970, remote process exited or there was a network error, version 2.14.3\n"
    "ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely."
)
WORKER = "DataLoader worker (pid 4881) is killed by signal: Killed. "
WORKERS = "DataLoader worker (pid(s) 4881, 4882) exited unexpectedly"


def call(error, call_main):
    """Let a program of fairseq's end with an error."""

    def main(cfg):
        raise error

    alone = {"distributed_init_method": None, "distributed_world_size": 1, "distributed_no_spawn": False}
    call_main(OmegaConf.create({"distributed_training": alone, "common": {"tpu": False}}), main)


@pytest.mark.parametrize(
    "text, said",
    [
        (GLOO, "is lost (Connection closed by peer [127.0.0.1]:49804): that one has ended"),
        (NCCL, "is lost (NCCL error in: ProcessGroupNCCL.cpp:1970, remote process exited or there was a network error"),
        (WORKER, "a process that loads batches (worker (pid 4881) is killed by signal: Killed) has ended"),
        (WORKERS, "a process that loads batches (worker (pid(s) 4881, 4882) exited unexpectedly) has ended"),
    ],
)
def test_one_sentence(text, said, monkeypatch):
    monkeypatch.setattr(utils, "infer_init_method", lambda cfg: None)
    with pytest.raises(SystemExit) as ended:
        call(RuntimeError(text), utils.call_main)
    assert str(ended.value.code).startswith("crossinit_fairseq: error: ") and said in ended.value.code
    assert "\n" not in ended.value.code
    # without the shim it is a traceback
    with pytest.raises(RuntimeError):
        call(RuntimeError(text), utils.call_main.says_which)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA out of memory"),
        RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
        BrokenPipeError(32, "Broken pipe"),  # of standard output
    ],
)
def test_other_errors_stay_what_they_are(error, monkeypatch):
    monkeypatch.setattr(utils, "infer_init_method", lambda cfg: None)
    with pytest.raises(type(error)) as raised:
        call(error, utils.call_main)
    assert raised.value is error


def test_it_is_applied_once():
    before = utils.call_main
    lost_processes.say_which_process_has_ended()
    assert utils.call_main is before
