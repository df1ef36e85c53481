"""crossinit_fairseq/without_gpus.py, cpu_shims.py: what trains without a GPU trains; the rest is refused in words."""

import os
import shlex
import socket

import fairseq
import pytest
import torch

from crossinit_fairseq import without_gpus
from crossinit_fairseq.doctor.command import Machine, check_command, read_command
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.without_gpus import check_precision
from tests.conftest import load
from tests.toy_runs import TASKS, check_same, ended, forked, in_two_processes, trained

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
HALF = pytest.mark.skipif(not without_gpus._computes_in_half(), reason="this torch has no half precision on CPUs")
PRECISIONS = {
    "--fp16": "--fp16 needs a GPU",
    "--fp16 --cpu": "--fp16 needs a GPU",
    "--fp16 --amp": "exclude each other",
    "--fp16 --bf16": "--fp16 goes with neither --bf16 nor --tpu",
    "--tpu": "--tpu needs torch_xla",
    "--bf16": None,
    "--amp": None,
    "--memory-efficient-bf16": None,
    "--memory-efficient-fp16": None,
    "--fp16 --fp16-no-flatten-grads --cpu": None,
}


def short_run(task, data, folder, options):
    return trained(task, data, folder, "--max-update 2 --num-workers 0", options)


@pytest.mark.parametrize("task", list(TASKS))
def test_fp16_is_refused_by_every_task(task, data_of, tmp_path):
    done = short_run(task, data_of(task), tmp_path, "--fp16")
    said = "error: --fp16 needs a GPU, and torch sees none here: leave it out, or give --bf16, in which CPUs train too"
    assert done.returncode == 1 and said in done.stdout.splitlines()[-1]
    assert not list(tmp_path.glob("*.pt"))


@pytest.mark.parametrize("options", list(PRECISIONS))
def test_what_runs_and_what_the_doctor_says(options, data_folder, tmp_path):
    refused = PRECISIONS[options]
    if refused is None and "fp16" in options and not without_gpus._computes_in_half():
        refused = "needs a GPU"
    done = short_run("crossinit_mlm", data_folder, tmp_path, options)
    assert (done.returncode, "done training" in done.stdout) == ((0, True) if refused is None else (1, False))
    assert refused is None or refused in done.stdout.splitlines()[-1]
    words = "fairseq-train data --user-dir . --data-buffer-size 0 --required-batch-size-multiple 1 --max-tokens 9 "
    found = check_command(read_command(shlex.split(words + options)), Machine())
    assert [refused in finding.what for finding in found] == ([] if refused is None else [True])


def test_where_torch_has_no_half_precision_on_cpus(monkeypatch):
    class Common:
        fp16 = memory_efficient_fp16 = True

    monkeypatch.setattr(without_gpus, "_computes_in_half", lambda: True)
    check_precision(Common)
    monkeypatch.setattr(without_gpus, "_computes_in_half", lambda: False)
    with pytest.raises(InputError, match="^--memory-efficient-fp16 needs a GPU, and torch sees none here: "):
        check_precision(Common)


@HALF
def test_a_gradient_that_overflows_is_left_out_with_the_shim_only(data_folder, tmp_path, monkeypatch):
    import fairseq.trainer

    def run(folder):
        return short_run(
            "crossinit_mlm", data_folder, tmp_path / folder, "--memory-efficient-fp16 --fp16-init-scale 1048576"
        )

    done = run("ours")
    assert done.returncode == 0 and "gradient overflow detected" in done.stdout
    assert load(tmp_path / "ours" / "checkpoint_last.pt")["optimizer_history"][-1]["num_updates"] == 2
    monkeypatch.setattr(fairseq.trainer, "torch", torch)
    with pytest.raises((AssertionError, RuntimeError), match="CUDA|NVIDIA"):
        run("stock")


DENOISING = "crossinit_denoising"


def under_torchrun(training, folder):
    """As torchrun does it, in two forked processes: [(exit status, log)] of each. training: of more options, a str."""
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def work(rank):
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), WORLD_SIZE="2", RANK=str(rank))
        os.environ.update(LOCAL_RANK=str(rank))
        done = training()
        (folder / f"log.{rank}").write_text(done.stdout, encoding="utf-8")
        os._exit(done.returncode)

    processes = [forked(lambda rank=rank: work(rank)) for rank in range(2)]
    statuses = [ended(process) for process in processes]
    return [(status, (folder / f"log.{rank}").read_text("utf-8")) for rank, status in enumerate(statuses)]


@pytest.mark.parametrize("more", ["", "--cpu --distributed-world-size 2"])
def test_torchrun_needs_no_options(more, data_folder, tmp_path):
    """The same training as by the options that fairseq would ask for."""
    (status, log), (other, _) = under_torchrun(
        lambda: short_run(DENOISING, data_folder, tmp_path / "run", more), tmp_path / "logs"
    )
    assert status == other == 0, log[-3000:]
    assert "training on 2 devices" in log
    asked = in_two_processes(
        lambda rank, options: short_run(DENOISING, data_folder, tmp_path / "asked", options), tmp_path / "logs2"
    )
    assert [status for status, _ in asked] == [0, 0]
    check_same(*(load(tmp_path / name / "checkpoint_last.pt") for name in ("run", "asked")))


@pytest.mark.parametrize(
    "options, said",
    [
        (
            "--distributed-world-size 3",
            "error: --distributed-world-size 3 starts one process for each GPU, and torch sees none here: for 3 "
            "processes on CPUs, `torchrun --nproc_per_node 3 --no_python fairseq-train ...` without that option",
        ),
        (
            "--distributed-init-method tcp://127.0.0.1:1 --distributed-world-size 2",
            "so that nothing would be trained: add --distributed-no-spawn, and --distributed-rank 0, 1, ... to the pro",
        ),
    ],
)
def test_processes_that_would_not_begin(options, said, data_folder, tmp_path):
    done = short_run(DENOISING, data_folder, tmp_path, options)
    assert done.returncode == 1 and said in done.stdout.splitlines()[-1]


@pytest.mark.skipif(fairseq.__version__ == "0.12.2", reason="the official fairseq waits for the other process for ever")
def test_processes_do_not_begin_without_the_shim(data_folder, tmp_path, monkeypatch):
    from fairseq.distributed import utils

    monkeypatch.setattr(utils, "call_main", utils.call_main.stock)
    for name, value in (("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", "1"), ("WORLD_SIZE", "2"), ("RANK", "0")):
        monkeypatch.setenv(name, value)
    with pytest.raises(ZeroDivisionError):
        short_run(DENOISING, data_folder, tmp_path, "--distributed-world-size 2")
    monkeypatch.delenv("RANK")
    with pytest.raises(AssertionError, match="world size is 2 but have 0"):
        short_run(DENOISING, data_folder, tmp_path, "--distributed-world-size 2")
