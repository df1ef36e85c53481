"""crossinit_fairseq/safe_checkpoints.py: what training starts from, and the folder that it writes to."""

import logging
import os
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from fairseq import checkpoint_utils
from fairseq.dataclass.configs import CheckpointConfig
from omegaconf import OmegaConf

from crossinit_fairseq.data import dictionary_record
from crossinit_fairseq.folder_lock import holder_of
from crossinit_fairseq.tasks.base import CrossInitTask
from tests.test_safe_checkpoints import PLAIN, cut, save


class Trainer:
    """Remembers what training was to start from."""

    data_parallel_rank, data_parallel_world_size, checkpoint_suffix, device = 0, 1, "", None
    task = SimpleNamespace()

    def load_checkpoint(self, path, reset_optimizer, *unused, **options):
        self.loaded, self.reset = (path, reset_optimizer) if os.path.exists(path) else (None, None)
        return None

    def get_train_iterator(self, **unused):
        return SimpleNamespace(epoch=1)

    def lr_step(self, epoch):
        pass


def start(folder, suffix="", **options):
    """(name of the file that training starts from, whether the optimizer is reset)."""
    cfg = OmegaConf.structured(CheckpointConfig(save_dir=str(folder), **options))
    trainer = Trainer()
    trainer.checkpoint_suffix = suffix
    checkpoint_utils.load_checkpoint(cfg, trainer)
    return trainer.loaded and os.path.basename(trainer.loaded), trainer.reset


def test_training_starts_as_fairseq_says(tmp_path):
    run = tmp_path / "run"
    assert start(run) == (None, None) and os.listdir(str(run)) == [".lock"]
    other = save(tmp_path / "other.pt")
    assert start(run, finetune_from_model=str(other)) == ("other.pt", True)
    assert start(run, restore_file=str(other)) == ("other.pt", False)
    save(run / "checkpoint_last.pt")
    assert start(run, finetune_from_model=str(other)) == ("checkpoint_last.pt", False)
    assert holder_of(str(run)) is None  # it is this process


@pytest.mark.parametrize("finetune", [None, "other.pt"])
def test_an_unreadable_last_one_is_passed_over_for_the_newest_whole_one(tmp_path, caplog, finetune):
    for name, updates in (("checkpoint_1_5", 5), ("checkpoint_best", 6), ("checkpoint_1_7", 7), ("checkpoint_last", 8)):
        save(tmp_path / f"{name}.pt", updates)
    for name in ("checkpoint_last", "checkpoint_1_7"):
        cut(tmp_path / f"{name}.pt")
    with caplog.at_level(logging.WARNING):
        assert start(tmp_path, finetune_from_model=finetune) == ("checkpoint_best.pt", False)
    assert "checkpoint_last.pt is damaged" in caplog.text
    assert f"going on from {tmp_path}/checkpoint_best.pt instead, which was saved after 6 updates" in caplog.text


def test_files_of_a_process_are_its_own(tmp_path, caplog):
    for name in ("checkpoint1-shard0", "checkpoint2", "checkpoint_last-shard0"):
        save(tmp_path / f"{name}.pt")
    cut(tmp_path / "checkpoint_last-shard0.pt")
    assert start(tmp_path, suffix="-shard0") == ("checkpoint1-shard0.pt", False)


@pytest.mark.parametrize(
    "options, said",
    [
        (dict(), "checkpoint_last.pt is damaged .* no other checkpoint there is whole: remove it to start from the"),
        (dict(restore_file="{}/broken.pt"), "broken.pt is damaged"),
        (dict(restore_file="{}/nothere.pt"), "--restore-file .*nothere.pt: there is no such file"),
        (dict(save_dir="{}/new", finetune_from_model="{}/broken.pt"), "broken.pt is damaged"),
        (dict(save_dir="{}/new", finetune_from_model="{}/nothere.pt"), "--finetune-from-model .*: there is no such"),
        (dict(save_dir="{}/new", finetune_from_model="{}/text.pt"), "text.pt is no checkpoint of fairseq"),
        (dict(save_dir="{}/new", finetune_from_model="{}/code.pt"), "code.pt was not loaded: it names .*print"),
    ],
)
def test_what_it_cannot_start_from_is_one_sentence(tmp_path, options, said):
    class Code:
        def __reduce__(self):
            return print, ("it runs",)

    for name in ("checkpoint_last", "broken"):
        cut(save(tmp_path / f"{name}.pt"))
    (tmp_path / "text.pt").write_text("text")
    torch.save(dict(PLAIN, extra_state=Code()), str(tmp_path / "code.pt"))
    options = {key: value.format(tmp_path) for key, value in options.items()}
    with pytest.raises(SystemExit, match="^crossinit_fairseq: error: .*" + said) as caught:
        start(options.pop("save_dir", tmp_path), **options)
    assert "\n" not in str(caught.value)


def run_of(folder, name, *languages, **options):
    """Start a task in a folder that may hold a checkpoint; returns what it starts from."""
    trainer = Trainer()
    trainer.task = SimpleNamespace(name=name, languages=languages)
    trainer.task.check_same_run = partial(CrossInitTask.check_same_run, trainer.task)
    checkpoint_utils.load_checkpoint(OmegaConf.structured(CheckpointConfig(save_dir=str(folder), **options)), trainer)
    return trainer.loaded


@pytest.mark.parametrize("last", ["checkpoint_last", "checkpoint_1_7"])
def test_a_folder_of_an_earlier_run_of_another_kind_is_refused(tmp_path, last):
    """Also where the newest whole checkpoint stands for a damaged last one."""
    state = dict(PLAIN, cfg={"task": {"_name": "crossinit_unmt"}})
    record = dictionary_record.record_of(["a", "[en]", "[ro]"], ["[en]", "[ro]"])
    state["task_state"] = {dictionary_record.NAME: record}
    torch.save(state, str(tmp_path / f"{last}.pt"))
    if last != "checkpoint_last":
        (tmp_path / "checkpoint_last.pt").write_bytes(b"")
    path = str(tmp_path / f"{last}.pt")
    assert run_of(tmp_path, "crossinit_unmt", "ro", "en") == path
    with pytest.raises(
        SystemExit, match=rf"{last}.pt is of a run of the languages en, ro, not en, fr, and this one wo"
    ):
        run_of(tmp_path, "crossinit_unmt", "en", "fr")
    with pytest.raises(SystemExit, match=rf"{last}.pt is of a run of --task crossinit_unmt, not crossinit_mlm, and"):
        run_of(tmp_path, "crossinit_mlm", "en", "ro")
    # where it is meant
    assert run_of(tmp_path, "crossinit_mlm", "en", restore_file=path) == path
    assert run_of(tmp_path, "crossinit_mlm", "en", reset_optimizer=True) == path
    new = tmp_path / "new"
    assert run_of(new, "crossinit_mlm", "en", finetune_from_model=path) == path


def test_what_a_killed_run_left_is_removed(tmp_path, caplog):
    save(tmp_path / "checkpoint_last.pt")
    for name in ("checkpoint_1_5.pt.0123456789abcdef.part", "mine.part"):
        (tmp_path / name).write_text("")
    start(tmp_path)
    assert sorted(os.listdir(str(tmp_path))) == [".lock", "checkpoint_last.pt", "mine.part"]
    assert "checkpoint_1_5.pt.0123456789abcdef.part, which an interrupted run had not finished" in caplog.text


def test_what_steers_a_terminal_is_logged_as_its_code(tmp_path, caplog):
    folder = tmp_path / "a\x1b[31m"
    folder.mkdir()
    save(folder / "checkpoint1.pt")
    cut(save(folder / "checkpoint_last.pt"))
    (folder / "checkpoint_1_5.pt.0123456789abcdef.part").write_text("")
    start(folder)
    assert "\x1b" not in caplog.text and r"\x1b[31m/checkpoint1.pt instead" in caplog.text
    assert r"\x1b[31m/checkpoint_1_5.pt.0123456789abcdef.part, which" in caplog.text


HOLD = """
import sys, time
from crossinit_fairseq.folder_lock import lock_folder
lock_folder(sys.argv[1])
print(flush=True)
time.sleep(99)
"""


@pytest.mark.parametrize(
    "name, said",
    [("file", "Not a directory"), ("file/below", "Not a directory"), ("link", "File exists|No such file"), ("new", "")],
)
def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path, name, said):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "more")
    if not said:
        checkpoint_utils.verify_checkpoint_directory(str(tmp_path / name))
        assert os.listdir(str(tmp_path / name)) == []
        return
    with pytest.raises(SystemExit, match=f"--save-dir {tmp_path}/{name} cannot be written to: ({said}); name another"):
        checkpoint_utils.verify_checkpoint_directory(str(tmp_path / name))


def test_a_folder_of_another_run_is_refused(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        with pytest.raises(SystemExit, match=rf"error: another run writes to {tmp_path} \(process {other.pid} on"):
            start(tmp_path)
        assert start(tmp_path, no_save=True) == (None, None)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
