"""What every task does when numbers are no longer numbers, in one process and in two."""

import re

import pytest
import torch

from crossinit_fairseq.unmt import training_step
from tests import toy_runs
from tests.conftest import TINY_MODEL, load
from tests.tasks.in_process import OPTIONS, run, translate
from tests.toy_runs import in_two_processes

OWN = (
    "--optimizer adam --num-workers 0 --data-buffer-size 0 --no-epoch-checkpoints --log-format json --log-interval 1 "
    "--seed 3 --required-batch-size-multiple 1 --disable-validation"
)
PRETRAIN = (
    "--task crossinit_pretrain --criterion crossinit --span 10 --max-rank 40 --batch-size 8 --arch xlm_tiny_3 "
    "--encoder-layers 1 --encoder-embed-dim 16 --encoder-ffn-embed-dim 32 --encoder-attention-heads 2 "
    "--max-positions 64 "
)
MLM = PRETRAIN.replace(
    "crossinit_pretrain --criterion crossinit --span 10 --max-rank 40", "crossinit_mlm --criterion masked_lm"
)
MLM += "--tokens-per-sample 32 "
TASKS = {"crossinit_pretrain": PRETRAIN, "crossinit_mlm": MLM}


def error_of(done):
    assert done.returncode == 1 and "Traceback" not in done.stdout, done.stdout[-2000:]
    (error,) = [line for line in done.stdout.splitlines() if line.startswith("crossinit_fairseq: error: ")]
    return error


@pytest.mark.parametrize("task", sorted(toy_runs.TASKS))
def test_every_task_says_what_is_not_finite(task, data_folder, tmp_path):
    fine_tuned = toy_runs.TASKS[task].fine_tuned
    data = toy_runs.fine_tuning_folder(tmp_path) if fine_tuned else data_folder
    done = toy_runs.trained(task, data, tmp_path / "run", "--lr 1e38 --num-workers 0 --max-update 9")
    assert re.search(r"the (loss is (nan|inf)|gradient is not finite) in update \d, ", error_of(done))
    assert not list((tmp_path / "run").glob("*.pt"))


def test_pretraining_by_spans(data_folder, tmp_path):
    done = run("train", [str(data_folder), "--save-dir", str(tmp_path)], OWN, PRETRAIN, "--lr 1e38 --max-update 9")
    assert re.search(r"the loss is (nan|inf) in update \d, the draws of 8 spans", error_of(done))
    assert not list(tmp_path.glob("*.pt"))


def test_masked_language_model(data_folder, tmp_path):
    done = run("train", [str(data_folder), "--save-dir", str(tmp_path)], OWN, MLM, "--lr 1e38 --max-update 9")
    assert re.search(
        r"the loss is nan in update 2, a batch of 8 inputs, of which the first begins with '", error_of(done)
    )
    assert not list(tmp_path.glob("*.pt"))


def test_a_gradient_that_is_not_finite_though_the_loss_is(data_folder, tmp_path, monkeypatch):
    from fairseq.optim.adam import FairseqAdam

    backward = FairseqAdam.backward

    def broken(self, loss):
        backward(self, loss)
        next(self.params).grad.view(-1)[0] = float("inf")

    monkeypatch.setattr(FairseqAdam, "backward", broken)
    for options in TASKS.values():
        done = run("train", [str(data_folder), "--save-dir", str(tmp_path)], OWN, options, "--lr 0.001 --max-update 9")
        assert "the gradient is not finite in update 1, though the loss is" in error_of(done)
    done = translate(data_folder, tmp_path, "--max-update 9 --disable-validation", check=False)
    assert "the gradient is not finite in update 1, though the loss is" in error_of(done)
    assert not (tmp_path / "checkpoint_last.pt").exists()


def test_a_start_that_is_not_finite(data_folder, checkpoint, tmp_path):
    state = load(checkpoint)
    state["model"]["encoder.embed_tokens.weight"][7, 3] = float("nan")
    torch.save(state, str(tmp_path / "broken.pt"))
    start = "--max-update 9 --disable-validation --finetune-from-model {}".format(tmp_path / "broken.pt")
    done = translate(data_folder, tmp_path / "made", start, check=False)
    assert "embed_tokens.weight of the model that training starts from holds 1 values" in error_of(done)


def test_a_table_that_explodes_is_warned_of(data_folder, tmp_path):
    done = run("train", [str(data_folder), "--save-dir", str(tmp_path)], OWN, PRETRAIN, "--lr 1e4 --max-update 12")
    (said,) = re.findall(r"WARNING.*(update \d+: the table explodes: .*)", done.stdout)
    assert re.match(r"update 11: the table explodes: the norm of random words is \S+, and was \S+ when this run", said)


def broken_in_the_second_step(stock, rank):
    """unmt.training_step.compute_loss, by which the second process has a loss that is no number."""

    def compute_loss(model, criterion, sample):
        loss, size, logs = stock(model, criterion, sample)
        return loss * (float("nan") if rank and criterion.task.watch.update == 1 else 1), size, logs

    return compute_loss


def test_one_of_two_processes_ends_both_with_the_reason(data_folder, tmp_path):
    options = OPTIONS.replace("--max-tokens 300", "--batch-size 40") + " --max-update 5 --disable-validation"

    def training(rank, distributed):
        training_step.compute_loss = broken_in_the_second_step(training_step.compute_loss, rank)
        return run("train", [str(data_folder), "--save-dir", str(tmp_path)], options, TINY_MODEL, distributed)

    expected = (
        "crossinit_fairseq: error: in process 1 of 2 (numbered from 0), the loss is nan in update 2, denoising "
        "of language aa"
    )
    for status, log in in_two_processes(training, tmp_path):
        assert status == 1 and expected in log and "Traceback" not in log, log[-3000:]
    assert not (tmp_path / "checkpoint_last.pt").exists()
