"""crossinit_fairseq/lost_processes.py: which errors are of a process that has ended.

tests/test_killed_processes.py kills them.
"""

import datetime
import socket

import fairseq.distributed.utils as utils
import pytest
import torch
import torch.distributed as distributed
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
# what torch 2.13 says after its limit, of a store that others do not come to, of one that is not there, of a third one
# that does not come, and of one that stops
NOBODY = "Timed out after 1801 seconds waiting for clients. 1/2 clients joined."
NO_STORE = "The client socket has timed out after 1800000ms while trying to connect to (127.0.0.1, 54961)."
NO_THIRD = "wait timeout after 1800000ms, keys: /default_pg/0//cpu//0/0"
STOPPED = (
    "[/__w/third_party/gloo/gloo/transport/tcp/unbound_buffer.cc:78] Timed out waiting 1800000ms for recv operation to "
    "complete"
)
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
        (
            NOBODY,
            "was waited for in vain (Timed out after 1801 seconds waiting for clients. 1/2 clients joined): it has",
        ),
        (
            NO_STORE,
            "was waited for in vain (The client socket has timed out after 1800000ms while trying to connect to",
        ),
        (
            NO_THIRD,
            "was waited for in vain (wait timeout after 1800000ms, keys: /default_pg/0//cpu//0/0): it has ended",
        ),
        (STOPPED, "was waited for in vain (Timed out waiting 1800000ms for recv operation to complete): it has ended"),
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


def test_a_worker_that_ended_well_while_it_handed_over_a_batch(monkeypatch):
    """As SIGTERM ends it, of which torch knows nothing: what the training sees is a socket that is gone."""
    monkeypatch.setattr(utils, "infer_init_method", lambda cfg: None)
    gone = FileNotFoundError(2, "No such file or directory")
    with pytest.raises(FileNotFoundError):  # of something else
        call(gone, utils.call_main)
    batches = iter(torch.utils.data.DataLoader(list(range(9)), num_workers=1))
    assert int(next(batches)) == 0
    (worker,) = batches._workers
    worker.terminate()
    worker.join()
    assert worker.exitcode == 0
    with pytest.raises(SystemExit, match=f"loads batches .worker .pid {worker.pid}. exited unexpectedly. has ended"):
        call(gone, utils.call_main)


def test_what_torch_says_when_nobody_comes_is_known():
    """After its limit, here of seconds: by the store alone, and by who looks for a store that is not there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for rank in (0, 1):
        with pytest.raises((RuntimeError, TimeoutError)) as error:
            distributed.init_process_group(
                "gloo",
                init_method=f"tcp://127.0.0.1:{port}",
                world_size=2,
                rank=rank,
                timeout=datetime.timedelta(seconds=1),
            )
        assert "was waited for in vain (" in lost_processes.sentence_of(error.value)


def test_it_is_applied_once():
    before = utils.call_main
    lost_processes.say_which_process_has_ended()
    assert utils.call_main is before
