"""Every task trained by fairseq-train on a GPU, beside the CPU, and taken up again; without a GPU a rehearsal."""

import json
import re

import numpy as np
import pytest
import torch

from tests.tasks.in_process import run
from tests.toy_runs import COMMON, TASKS

CUDA = torch.cuda.is_available()
TRAINED = sorted(TASKS) if CUDA else ["crossinit_pretrain"]
PRECISIONS = {"single": "", "bf16": "--bf16", **({"fp16": "--fp16 --fp16-init-scale 4"} if CUDA else {})}
NO_DROPOUT = "--dropout 0 --attention-dropout 0"
pytestmark = pytest.mark.gpu


def losses(task, data, save_dir, options):
    """The losses of a training's updates, float64 [updates]."""
    # --rescale wants the table in single precision
    words = TASKS[task].options.format(data=data).replace("--rescale ", "")
    done = run("train", [str(data), "--save-dir", str(save_dir)], words, COMMON, "--num-workers 0", options)
    assert done.returncode == 0, done.stdout[-3000:]
    lines = re.findall(r"\| train_inner \| (\{.*\})", done.stdout)
    return np.array([float(json.loads(line)["loss"]) for line in lines])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("task", TRAINED)
def test_losses_are_those_of_the_cpu(task, precision, data_of, tmp_path):
    options = f"--max-update 6 --no-save {NO_DROPOUT} "
    expected = losses(task, data_of(task), tmp_path, options + "--cpu")
    found = losses(task, data_of(task), tmp_path, options + PRECISIONS[precision])
    assert len(found) == 6
    # half precision rounds, and may turn a translation where two tokens are as probable
    np.testing.assert_allclose(found, expected, rtol={"single": 0.002, "fp16": 0.05, "bf16": 0.1}[precision])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("task", TRAINED)
def test_a_training_goes_on_as_if_it_had_not_stopped(task, precision, data_of, tmp_path):
    data, options = data_of(task), PRECISIONS[precision] + " --save-interval-updates 3 --max-update "
    whole = losses(task, data, tmp_path / "whole", options + "6")
    parts = [losses(task, data, tmp_path / "parts", options + end) for end in ("3", "6")]
    # sums on a GPU have no fixed order
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0.002)
