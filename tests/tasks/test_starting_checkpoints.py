"""Every task refuses to start from a checkpoint of another dictionary, before it trains."""

import os

import pytest
import torch
from fairseq import options, tasks
from fairseq.data import Dictionary
from fairseq.dataclass.utils import convert_namespace_to_omegaconf

from crossinit_fairseq.data.dictionary_record import NAME, record_of
from tests.toy_runs import COMMON, TASKS

LANGUAGES = ["[aa]", "[bb]"]


def build_model(task, data, *given):
    """Build a task's model as fairseq-train does."""
    words = [str(data)] + TASKS[task].options.format(data=data).split() + COMMON.split() + list(given)
    words = [word for word in words if word != "--start-as-copier"]  # of new models alone
    cfg = convert_namespace_to_omegaconf(options.parse_args_and_arch(options.get_training_parser(), words))
    return tasks.setup_task(cfg.task).build_model(cfg.model)


def checkpoint_of(data, path, swapped):
    """A checkpoint with no weights, whose dictionary is that of `data`, or has its first two words exchanged."""
    symbols = list(Dictionary.load(str(data / "dict.txt")).symbols)
    if swapped:
        symbols[4], symbols[5] = symbols[5], symbols[4]
    torch.save({"model": {}, "task_state": {NAME: record_of(symbols, LANGUAGES)}}, str(path))
    return str(path)


@pytest.mark.parametrize("option", ["--finetune-from-model", "--restore-file"])
@pytest.mark.parametrize("task", list(TASKS))
def test_another_dictionary(data_of, tmp_path, task, option):
    data = data_of(task)
    given = ["--save-dir", str(tmp_path / "run"), option]
    build_model(task, data, *given, checkpoint_of(data, tmp_path / "same.pt", swapped=False))
    with pytest.raises(SystemExit, match="other.pt was trained with another dictionary"):
        build_model(task, data, *given, checkpoint_of(data, tmp_path / "other.pt", swapped=True))


@pytest.mark.parametrize("task", list(TASKS))
def test_the_last_checkpoint_of_the_folder(data_of, tmp_path, task):
    data = data_of(task)
    checkpoint_of(data, os.path.join(str(tmp_path), "checkpoint_last.pt"), swapped=True)
    with pytest.raises(SystemExit, match="checkpoint_last.pt was trained with another dictionary"):
        build_model(task, data, "--save-dir", str(tmp_path))


def test_the_one_that_stands_for_a_damaged_last_one(data_folder, tmp_path, caplog):
    checkpoint_of(data_folder, tmp_path / "checkpoint1.pt", swapped=True)
    (tmp_path / "checkpoint_last.pt").write_bytes((tmp_path / "checkpoint1.pt").read_bytes()[:-100])
    with pytest.raises(SystemExit, match="checkpoint1.pt was trained with another dictionary"):
        build_model("crossinit_mlm", data_folder, "--save-dir", str(tmp_path))
    checkpoint_of(data_folder, tmp_path / "checkpoint1.pt", swapped=False)
    build_model("crossinit_mlm", data_folder, "--save-dir", str(tmp_path))
    assert "is not known" not in caplog.text
