"""Short trainings of every task on toy data, in forked processes, and what their checkpoints hold.

Processes are forked from this one, which has imported torch and fairseq already: a run then starts in a second.
"""

import contextlib
import functools
import json
import os
import re
import signal
import socket
import sys
import time
import traceback
from typing import NamedTuple

import torch

from tests.conftest import TINY_MODEL
from tests.finetuning import toy
from tests.helpers import is_kept
from tests.tasks.in_process import run

with contextlib.suppress(ImportError):  # torch 1 has none
    import torch._dynamo

HANGS = 300  # seconds; torch's own limit for processes that wait for each other is half an hour
MLM = (
    "--encoder-layers 1 --encoder-embed-dim 16 --encoder-ffn-embed-dim 32 --encoder-attention-heads 2 "
    "--max-positions 64"
)


class ToyRun(NamedTuple):
    """How a task is trained: options with {data} for its folder; whether that is `fine_tuning_folder`'s."""

    options: str
    fine_tuned: bool = False


TASKS = {
    "crossinit_pretrain": ToyRun(
        "--task crossinit_pretrain --criterion crossinit --span 10 --max-rank 40 --batch-size 8 --updates-per-epoch 5 "
        "--valid-batches 2 --rescale --arch mbart_base " + " ".join(TINY_MODEL)
    ),
    "crossinit_mlm": ToyRun(
        "--task crossinit_mlm --criterion masked_lm --arch xlm_tiny_3 --tokens-per-sample 32 --max-tokens 1200 "
        "--langs aa,bb " + MLM
    ),
    "crossinit_denoising": ToyRun(
        "--task crossinit_denoising --criterion cross_entropy --max-tokens 1200 --arch mbart_base --langs aa,bb "
        "--add-lang-token " + " ".join(TINY_MODEL)
    ),
    "crossinit_unmt": ToyRun(
        "--task crossinit_unmt --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --max-tokens 1200 "
        "--arch transformer --langs aa,bb --start-as-copier " + " ".join(TINY_MODEL)
    ),
    "crossinit_xnli": ToyRun(
        "--task crossinit_xnli --criterion sentence_prediction --batch-size 16 --max-length 40 --arch xlm_tiny_3 "
        f"--train-files aa={{data}}/train.tsv --valid-files aa={{data}}/valid.tsv {toy.SIZES} --dropout 0.1",
        fine_tuned=True,
    ),
    "crossinit_qa": ToyRun(
        "--task crossinit_qa --criterion span_prediction --batch-size 8 --max-length 40 --max-question-length 8 "
        "--doc-stride 8 --arch xlm_tiny_3 --train-files aa={data}/train.json "
        f"--valid-files aa={{data}}/valid.json {toy.SIZES} --dropout 0.1",
        fine_tuned=True,
    ),
}
COMMON = (
    "--optimizer adam --lr 0.003 --data-buffer-size 0 --log-format json --log-interval 1 --seed 3 "
    "--required-batch-size-multiple 1 --disable-validation"
)


def fine_tuning_folder(folder):
    """Files of 64 pairs of sentences and of 24 questions, with dictionary and SentencePiece model."""
    toy.data_folder(folder)
    toy.nli_file(folder / "train.tsv", "aa", 64, 1)
    toy.nli_file(folder / "valid.tsv", "aa", 16, 2)
    toy.qa_file(folder / "train.json", "aa", 24, 1, length=20)
    toy.qa_file(folder / "valid.json", "aa", 8, 2)
    return folder


def trained(task, data, save_dir, *options):
    """Train in this process. options: more of them, strings. Returns exit status and log, see in_process.run."""
    return run(
        "train", [str(data), "--save-dir", str(save_dir)], TASKS[task].options.format(data=data), COMMON, *options
    )


def train(task, data, save_dir, options="", log=None):
    """A function that trains, for `forked`. options: more of them, a str; log: a file for what the run said."""

    def work():
        done = trained(task, data, save_dir, options)
        if log is not None:
            log.write_text(done.stdout)
        os._exit(done.returncode)

    return work


def in_two_processes(training, folder):
    """Data-parallel training over gloo, in two forked processes.

    training: a function of a rank (0 or 1) and of further options, a str, which trains and returns what
    tests.tasks.in_process.run does; folder: for what they say. Returns [(exit status, log)] of each.
    """
    processes, logs = start_two_processes(training, folder)
    statuses = [ended(process) for process in processes]
    return [(status, log.read_text("utf-8") if log.exists() else "") for status, log in zip(statuses, logs)]


def start_two_processes(training, folder):
    """The same without waiting for their end: ([number of each process], [path of what each will have said])."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = (
        "--cpu --distributed-world-size 2 --distributed-no-spawn --distributed-backend gloo --ddp-backend legacy_ddp "
        f"--distributed-init-method tcp://127.0.0.1:{port} --distributed-rank "
    )
    logs = [folder / f"log.{rank}" for rank in range(2)]

    def work(rank):
        log_to(logs[rank], lambda: training(rank, options + str(rank)))

    return [forked(functools.partial(work, rank)) for rank in range(2)], logs


def log_to(log, training):
    """Train, write what it said, or its traceback, to a file, and end this process as it ended."""
    try:
        done = training()
        said, status = done.stdout, done.returncode
    except BaseException:
        said, status = traceback.format_exc(), 1
    log.write_text(said, encoding="utf-8")
    os._exit(status)


def forked(work):
    """Start a process that does it, and ends with 0, or with 1 if it raises. Returns its number."""
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        os.setsid()
        torch.set_num_threads(1)  # the threads of this process are not in the new one, which would wait for them
        work()
        status = 0
    finally:
        os._exit(status)


def ended(process):
    """Wait for a process; returns its exit status, negative for a signal. One that hangs is killed: -SIGALRM."""
    status = []

    def has_ended():
        number, found = os.waitpid(process, os.WNOHANG)
        status[:] = [found] if number else []
        return bool(number)

    if not within_limit(has_ended):
        os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
        return -signal.SIGALRM
    return -os.WTERMSIG(status[0]) if os.WIFSIGNALED(status[0]) else os.WEXITSTATUS(status[0])


def within_limit(happened):
    """Wait until a function returns true; whether it did so before what waits for it must be taken to hang."""
    end = time.monotonic() + HANGS
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def losses(log):
    """The losses of a run's updates, in their order, as its log has them."""
    lines = re.findall(r"\| train_inner \| (\{.*\})", log.read_text())
    return [float(json.loads(line)["loss"]) for line in lines]


def check_same(one, other, path=""):
    """Everything in two checkpoints is equal, bit for bit, but for timers, folders and the options of the command.

    The official fairseq also saves copies of weights that it fills at every loading; these differ after a resume.
    """
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key in one:
            if key not in ("metrics", "previous_training_time", "save_dir", "cfg") and is_kept(str(key)):
                check_same(one[key], other[key], f"{path}/{key}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), path
        for number, pair in enumerate(zip(one, other)):
            check_same(*pair, f"{path}/{number}")
    elif torch.is_tensor(one):
        assert torch.equal(one, other), path
    else:
        assert one == other or (one != one and other != other), path
