"""crossinit_fairseq/tasks/crossinit_unmt.py in two processes: fairseq's own data-parallel training over gloo."""

import hashlib
import json
import re

import pytest
import torch
from fairseq.trainer import Trainer

from tests.conftest import TINY_MODEL, load, weights
from tests.tasks.in_process import OPTIONS, run
from tests.toy_runs import in_two_processes


def watched(stock, rank):
    """Trainer.train_step that prints what a process learns from and where it ends; in its first step, the second
    generates nothing."""

    def train_step(self, samples, **options):
        items = [(sample or {}).get("update") for sample in samples]
        got = self.task.back_translation
        if rank and self.get_num_updates() == 0:
            text_tokens = got.text_tokens
            got.text_tokens = text_tokens & False  # no token counts as text
        log = stock(self, samples, **options)
        if rank and self.get_num_updates() == 1:
            got.text_tokens = text_tokens
        digest = hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in self.model.parameters())).hexdigest()
        print("WORKER", self.get_num_updates(), items, digest)
        return log

    return train_step


def run_two(data_folder, save_dir, options, watch=False):
    """Train in two processes. Returns what each has logged."""
    own = OPTIONS.replace("--max-tokens 300", "") + " --sampling-alpha 0.5 " + options

    def training(rank, distributed):
        if watch:
            Trainer.train_step = watched(Trainer.train_step, rank)
        return run("train", [str(data_folder), "--save-dir", str(save_dir)], own, TINY_MODEL, distributed)

    ends = in_two_processes(training, save_dir)
    assert [status for status, _ in ends] == [0, 0], "".join(log[-3000:] for _, log in ends)
    return [log for _, log in ends]


@pytest.fixture(scope="module")
def outputs(data_folder, tmp_path_factory):
    return run_two(data_folder, tmp_path_factory.mktemp("parallel"), "--batch-size 140 --max-epoch 1", watch=True)


def steps(output):
    return re.findall(r"^WORKER (\d+) \[(\S+)\] (\w+)", output, re.M)


def test_both_processes_end_with_the_same_weights(outputs):
    one, other = map(steps, outputs)
    assert len(one) == len(other) == 2
    assert [digest for _, _, digest in one] == [digest for _, _, digest in other]
    assert one[0][2] != one[1][2], "and each step changed them"


def test_each_learns_from_other_batches_and_the_last_from_none(outputs):
    # 400 sentences of each language, 140 at a time: three updates, for two processes
    items = [[item for _, item, _ in steps(output)] for output in outputs]
    assert sorted(items[0] + items[1]) == ["0", "1", "2", "None"] and items[1][1] == "None"


def test_the_log_is_of_both(outputs):
    first, last = [json.loads(text) for text in re.findall(r"\| train_inner \| (\{.*\})", outputs[0])]
    # two languages' batches in each process, to denoise; the second had nothing to translate back
    assert float(first["bt_empty"]) == pytest.approx(0.5, abs=0.1)
    assert 400 < float(first["bsz"]) < 900 and 0 < float(last["bsz"]) < 600
    assert "left out of back-translation" in outputs[0] and "left out of back-translation" not in outputs[1]
    (valid,) = [json.loads(text) for text in re.findall(r"\| valid \| (\{.*\})", outputs[0])]
    assert {"valid_bleu_aa-bb", "valid_round_trip_bleu"} <= set(valid)


def test_resuming_inside_a_group_of_translations_changes_no_bit(data_folder, tmp_path):
    """--bt-ahead: the first process saves what both have translated for updates to come."""
    options = "--batch-size 50 --bt-ahead 4 --disable-validation --save-interval-updates 1 --max-update 3"
    run_two(data_folder, tmp_path, options)
    # 400 sentences of each language make 8 items; after two updates of both processes, 4 to 7 are to come
    kept = load(tmp_path / "checkpoint_1_2.pt")["extra_state"]["train_iterator"]["ahead"]
    assert sorted(kept) == [4, 5, 6, 7]
    run_two(data_folder, tmp_path / "parts", f"{options} --restore-file {tmp_path / 'checkpoint_1_2.pt'}")
    one, other = (weights(folder / "checkpoint_last.pt") for folder in (tmp_path, tmp_path / "parts"))
    assert all(torch.equal(one[name], other[name]) for name in one)
