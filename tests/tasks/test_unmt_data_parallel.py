"""crossinit_fairseq/tasks/crossinit_unmt.py in two processes: fairseq's own data-parallel training over gloo."""

import json
import re
import socket
import subprocess
import sys

import pytest

from tests.conftest import TINY_MODEL, USER_DIR
from tests.tasks.in_process import OPTIONS

# prints what each process learns from and where it ends; in its first step, the second generates nothing
WORKER = """
import hashlib, sys
from fairseq_cli.train import cli_main  # first: it sets up the log
from fairseq import trainer

rank = int(sys.argv[sys.argv.index("--distributed-rank") + 1])

def watch(stock):
    def train_step(self, samples, **options):
        items = [(sample or {}).get("update") for sample in samples]
        made = self.task.back_translation
        if rank and self.get_num_updates() == 0:
            text_tokens = made.text_tokens
            made.text_tokens = text_tokens & False  # no token counts as text
        log = stock(self, samples, **options)
        if rank and self.get_num_updates() == 1:
            made.text_tokens = text_tokens
        digest = hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in self.model.parameters())).hexdigest()
        print("WORKER", self.get_num_updates(), items, digest, flush=True)
        return log
    return train_step

trainer.Trainer.train_step = watch(trainer.Trainer.train_step)
cli_main()
"""


@pytest.fixture(scope="module")
def outputs(data_folder, tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", WORKER, str(data_folder), "--user-dir", str(USER_DIR)]
    command += OPTIONS.replace("--max-tokens 300", "--batch-size 140").split() + TINY_MODEL
    command += (
        "--save-dir {} --max-epoch 1 --cpu --distributed-world-size 2 --distributed-no-spawn --distributed-backend gloo "
        "--ddp-backend legacy_ddp --sampling-alpha 0.5 --distributed-init-method tcp://127.0.0.1:{}".format(
            tmp_path_factory.mktemp("parallel"), port
        )
    ).split()
    processes = [
        subprocess.Popen(command + ["--distributed-rank", str(rank)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=180)[0].decode("utf-8") for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs[0][-3000:] + outputs[1][-3000:]
    return outputs


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
