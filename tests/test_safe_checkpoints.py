"""crossinit_fairseq/safe_checkpoints.py, and what stock fairseq does in its place; see test_safe_starts.py too."""

import os
import subprocess
import sys

import pytest
import torch
from fairseq import checkpoint_utils

from crossinit_fairseq import safe_checkpoints
from crossinit_fairseq.checkpoint_files import load_checkpoint_file
from tests.conftest import USER_DIR, crossinit, fairseq, load

PLAIN = {
    "args": None,
    "cfg": None,
    "model": {"w": torch.zeros(2000)},
    "extra_state": {"train_iterator": {"epoch": 1}, "epoch": 1},
    "optimizer_history": [{"optimizer_name": "", "num_updates": 7, "lr_scheduler_state": {}}],
}


def save(path, updates=7):
    history = [dict(PLAIN["optimizer_history"][0], num_updates=updates)]
    checkpoint_utils.torch_persistent_save(dict(PLAIN, optimizer_history=history), str(path))
    return path


def cut(path):
    """Leave two thirds of a file."""
    os.truncate(str(path), os.path.getsize(str(path)) * 2 // 3)


def stock(code, *arguments):
    """Run Python with fairseq alone. Returns (exit status, output)."""
    done = subprocess.run(
        [sys.executable, "-c", code] + [str(argument) for argument in arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    return done.returncode, done.stdout


STOCK_COPY = """
import os, sys
from fairseq.checkpoint_utils import PathManager
one, other = sys.argv[1:]
os.link(other, other + ".witness")
PathManager.copy(one, other, overwrite=True)
print("in place" if os.path.samefile(other, other + ".witness") else "renamed")
"""
STOCK_LOAD = "import sys; from fairseq.checkpoint_utils import load_checkpoint_to_cpu as load; load(sys.argv[1])"


def test_stock_fairseq_still_copies_in_place_and_names_no_damaged_file(tmp_path):
    """When this fails, fairseq does by itself what safe_checkpoints does for it."""
    one, other = save(tmp_path / "one.pt"), save(tmp_path / "other.pt")
    assert stock(STOCK_COPY, one, other) == (0, "in place\n")
    cut(one)
    status, said = stock(STOCK_LOAD, one)
    assert status == 1 and "Traceback" in said and "one.pt" not in said.replace(STOCK_LOAD, "")


def test_the_other_names_are_links_and_a_new_file_leaves_them_alone(tmp_path):
    one, last = save(tmp_path / "checkpoint1.pt", 1), tmp_path / "checkpoint_last.pt"
    assert checkpoint_utils.PathManager.copy(str(one), str(last), overwrite=True)
    assert os.path.samefile(str(one), str(last))
    two = save(tmp_path / "checkpoint2.pt", 2)
    before = os.stat(str(one)).st_ino
    checkpoint_utils.PathManager.copy(str(two), str(last), overwrite=True)
    assert os.stat(str(one)).st_ino == before and os.path.samefile(str(two), str(last))
    assert [load(path)["optimizer_history"][0]["num_updates"] for path in (one, last)] == [1, 2]
    assert sorted(os.listdir(str(tmp_path))) == ["checkpoint1.pt", "checkpoint2.pt", "checkpoint_last.pt"]


def test_where_there_are_no_links_it_is_a_copy_under_another_name_first(tmp_path, monkeypatch):
    def refuse(*unused):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(safe_checkpoints.os, "link", refuse)
    one, last = save(tmp_path / "checkpoint1.pt", 1), save(tmp_path / "checkpoint_last.pt", 0)
    witness = open(str(last), "rb")
    checkpoint_utils.PathManager.copy(str(one), str(last), overwrite=True)
    assert one.read_bytes() == last.read_bytes() != witness.read()
    assert sorted(os.listdir(str(tmp_path))) == ["checkpoint1.pt", "checkpoint_last.pt"]


FULL = """
import resource, signal, sys, torch
import crossinit_fairseq, fairseq
from crossinit_fairseq import safe_checkpoints
from fairseq import checkpoint_utils
safe_checkpoints._PAUSE = 0
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
if len(sys.argv) > 2:
    def refuse(*unused):
        raise OSError(95, "Operation not supported")
    safe_checkpoints.os.link = refuse
    torch.save({"a": torch.zeros(3000)}, sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
if len(sys.argv) > 2:
    checkpoint_utils.PathManager.copy(sys.argv[2], sys.argv[1], overwrite=True)
else:
    checkpoint_utils.torch_persistent_save({"a": torch.zeros(3000)}, sys.argv[1])
"""


@pytest.mark.parametrize("copied", [False, True])
def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path, copied):
    path = tmp_path / "run" / "checkpoint_last.pt"
    path.parent.mkdir()
    path.write_text("old")
    status, said = stock(FULL, path, *([tmp_path / "one.pt"] if copied else []))
    assert status == 1 and said.count("trying again") == 2
    (sentence,) = [line for line in said.splitlines() if "error: " in line]
    start = f"crossinit_fairseq: error: {path} cannot be written: File too large; the checkpoints before it are whole"
    assert sentence.startswith(start)
    assert "Traceback" not in said
    assert path.read_text() == "old" and os.listdir(str(path.parent)) == ["checkpoint_last.pt"]


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_model_that_has_diverged_is_not_written_over_a_good_one(tmp_path, value):
    last = save(tmp_path / "checkpoint_last.pt")
    before = last.read_bytes()
    weights = {"n": torch.arange(3), "w": torch.tensor([1.0, value])}
    said = f"{last} is not written: w holds values that are not finite"
    with pytest.raises(SystemExit, match=said):
        checkpoint_utils.torch_persistent_save(dict(PLAIN, model=weights), str(last))
    assert last.read_bytes() == before and os.listdir(str(tmp_path)) == ["checkpoint_last.pt"]


@pytest.mark.parametrize(
    "state, said",
    [
        (None, "gone.pt: there is no such file; give a checkpoint of fairseq"),
        ([1], "gone.pt is no checkpoint of fairseq: it holds no model"),
        ({"weight": torch.ones(2)}, "gone.pt is no checkpoint of fairseq: it holds no model"),
        ({"model": {}, "optimizer_history": []}, "it does not say how its model was trained"),
    ],
)
def test_what_it_cannot_translate_with_is_one_sentence(tmp_path, state, said):
    for name in ("gone.pt", "gone.bin"):  # whatever it is called
        path = str(tmp_path / name)
        if state is not None:
            torch.save(state, path)
        with pytest.raises(SystemExit, match="^crossinit_fairseq: error: .*" + said.replace("gone.pt", name)) as caught:
            checkpoint_utils.load_model_ensemble([path])
        assert "\n" not in str(caught.value)


def test_a_checkpoint_in_parts_is_there(tmp_path):
    torch.save({"model": {}}, str(tmp_path / "a-shard0.pt"))
    with pytest.raises(SystemExit, match="a-shard0.pt is no checkpoint of fairseq: it does not say how"):
        checkpoint_utils.load_model_ensemble([str(tmp_path / "a.pt")])
    with pytest.raises(SystemExit, match="b.pt: there is no such file"):
        checkpoint_utils.load_model_ensemble([str(tmp_path / "b.pt")])


def test_the_programs(data_folder, tmp_path):
    """fairseq-train goes on from the newest whole checkpoint; one that it or fairseq-generate is given is refused."""
    run = tmp_path / "run"
    crossinit(data_folder, run, "--max-update 6 --save-interval-updates 2 --keep-interval-updates 9")
    assert os.path.samefile(str(run / "checkpoint_2_6.pt"), str(run / "checkpoint_last.pt"))
    whole = load_checkpoint_file(str(run / "checkpoint_last.pt"))["optimizer_history"][-1]["num_updates"]
    assert whole == 6
    cut(run / "checkpoint_last.pt")  # which is the same file as checkpoint_2_6.pt
    done = crossinit(data_folder, run, "--max-update 8 --save-interval-updates 2 --keep-interval-updates 9")
    assert "checkpoint_1_4.pt instead, which was saved after 4 updates" in done.stdout
    assert load_checkpoint_file(str(run / "checkpoint_last.pt"))["optimizer_history"][-1]["num_updates"] == 8
    broken = tmp_path / "broken.pt"
    broken.write_bytes((run / "checkpoint_last.pt").read_bytes()[:-3000])
    generate = [str(data_folder), "--user-dir", str(USER_DIR), "--path", str(broken)]
    for done in (
        crossinit(data_folder, tmp_path / "new", "--restore-file", [str(broken)], check=False),
        crossinit(data_folder, tmp_path / "new", "--finetune-from-model", [str(broken)], check=False),
        fairseq("generate", generate, "--task crossinit_unmt --langs aa,bb -s aa -t bb", check=False),
    ):
        assert done.returncode == 1 and "Traceback" not in done.stdout
        assert f"crossinit_fairseq: error: {broken} is damaged (" in done.stdout.splitlines()[-1]
