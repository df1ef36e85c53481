"""tasks/crossinit_denoising.py: that it resumes exactly, and where its checkpoints load."""

import json
import re
import shutil

import pytest
import torch
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.options import get_training_parser, parse_args_and_arch
from fairseq.tasks import setup_task

from crossinit_fairseq.checkpoint_files import load_checkpoint_file
from tests.conftest import TINY_MODEL, load, weights
from tests.helpers import is_kept
from tests.tasks.denoising import OPTIONS, denoise, denoise_in_two_processes
from tests.tasks.in_process import run, translate
from tests.toy_runs import check_same


@pytest.fixture(scope="module")
def whole(data_folder, tmp_path_factory):
    """Twelve updates, three epochs, with a checkpoint after each. Returns (folder, log)."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, denoise(data_folder, folder, "--max-update 12 --save-interval-updates 1").stdout


def checkpoint_after(folder, updates):
    """The file that was saved after that many updates."""
    inside = list(folder.glob(f"checkpoint_*_{updates}.pt"))
    return inside[0] if inside else folder / f"checkpoint{updates // 5}.pt"


def check_end(one, other):
    states = [load_checkpoint_file(str(path / "checkpoint_last.pt")) for path in (one, other)]
    for state in states:
        state["optimizer_history"] = state["optimizer_history"][-1:]  # has an entry for each start
    check_same(*states)


@pytest.mark.parametrize("updates", [5, 11])
def test_resuming_changes_no_bit(data_folder, whole, tmp_path, updates):
    """At the end of an epoch, and before the last update; tests/test_resuming.py resumes within epochs."""
    saved = checkpoint_after(whole[0], updates)
    assert load(saved)["optimizer_history"][-1]["num_updates"] == updates
    shutil.copy(str(saved), str(tmp_path / "checkpoint_last.pt"))
    denoise(data_folder, tmp_path, "--max-update 12 --save-interval-updates 1")
    check_end(tmp_path, whole[0])


def test_resuming_with_two_workers_changes_no_bit(data_folder, whole, tmp_path):
    shutil.copy(str(checkpoint_after(whole[0], 7)), str(tmp_path / "checkpoint_last.pt"))
    denoise(data_folder, tmp_path, "--max-update 12 --save-interval-updates 1 --num-workers 2")
    check_end(tmp_path, whole[0])


def test_shards_are_read_in_turn_and_resumed(data_folder, with_long_sentences, tmp_path):
    data = f"{data_folder}:{with_long_sentences}"
    whole = denoise(data, tmp_path / "whole", "--max-update 8").stdout
    assert whole.count("skipped 1 empty") == 1, "the second folder's text, in the second epoch alone"
    for stop in ("5", "6", "8"):
        denoise(data, tmp_path / "parts", f"--max-update {stop}")
    check_end(tmp_path / "parts", tmp_path / "whole")


def test_it_learns_and_validates_each_language(whole):
    log = whole[1]
    losses = [float(loss) for loss in re.findall(r'\{"epoch": \d+, "update": \S+ "loss": "([0-9.]+)"', log)]
    assert losses[0] == pytest.approx(7.02, abs=0.2), "a guess among 130 symbols"
    assert losses[-1] < losses[0] - 0.3
    valid = [json.loads(text) for text in re.findall(r"\| valid \| (\{.*\})", log)]
    for stats in valid:
        parts = [float(stats["valid_loss_" + language]) for language in ("aa", "bb")]
        assert min(parts) <= float(stats["valid_loss"]) <= max(parts) and parts[0] != parts[1]


def test_two_processes_share_an_epoch_and_resume(data_folder, tmp_path):
    one, other = denoise_in_two_processes(data_folder, tmp_path / "whole", "--max-update 5")
    digests = [digest for _, digest in one]
    assert digests == [digest for _, digest in other] and len(set(digests)) == 5
    # three updates of two batches each are an epoch; the second process has none in the third
    assert sorted(number for steps in (one, other) for numbers, _ in steps[:3] for number in numbers) == list(
        range(800)
    )
    assert other[2][0] == []
    for stop in (2, 5):
        parts = denoise_in_two_processes(data_folder, tmp_path / "parts", f"--max-update {stop}")
    assert parts == [one[2:], other[2:]]


# --- the stages after


def test_translation_starts_from_the_bits_that_it_saved(data_folder, whole, tmp_path):
    start = f"--finetune-from-model {whole[0]}/checkpoint_last.pt --lr 0 --max-update 1 --disable-validation"
    translate(data_folder, tmp_path, start)
    saved, begun = weights(whole[0] / "checkpoint_last.pt"), weights(tmp_path / "checkpoint_last.pt")
    assert set(saved) == set(begun) and all(torch.equal(value, begun[name]) for name, value in saved.items())


def test_stock_fine_tuning_takes_its_parameters(data_folder, whole, tmp_path):
    """Those of translation_from_pretrained_bart. (Training by that task fails: it asks for what it no longer has.)"""
    for language in ("aa", "bb"):
        shutil.copy(str(data_folder / "dict.txt"), str(tmp_path / f"dict.{language}.txt"))
    words = "--task translation_from_pretrained_bart -s aa -t bb --langs aa,bb --arch mbart_base".split() + TINY_MODEL
    args = parse_args_and_arch(get_training_parser(), [str(tmp_path)] + words)
    cfg = convert_namespace_to_omegaconf(args)
    model = setup_task(cfg.task).build_model(cfg.model)
    saved = load(whole[0] / "checkpoint_last.pt")["model"]
    model.load_state_dict(saved, strict=True, model_cfg=cfg.model)
    assert all(torch.equal(value, saved[name]) for name, value in model.state_dict().items() if is_kept(name))


def test_its_checkpoint_and_the_stock_tasks_hold_the_same(data_folder, whole, tmp_path):
    options = OPTIONS.replace("crossinit_denoising", "multilingual_denoising") + " --sample-break-mode eos --mask 0.35 "
    options += "--replace-length 1 --rotate 0 --permute-sentences 0 --tokens-per-sample 64 --max-update 1 "
    options += "--no-epoch-checkpoints"
    done = run("train", [str(data_folder), "--save-dir", str(tmp_path)], options, TINY_MODEL)
    assert done.returncode == 0, done.stdout[-3000:]
    stock, own = (load(folder / "checkpoint_last.pt") for folder in (tmp_path, whole[0]))
    assert {name: value.shape for name, value in stock["model"].items()} == {
        name: value.shape for name, value in own["model"].items()
    }
    assert set(stock) == set(own)
    # either goes on from the other
    denoise(data_folder, tmp_path / "on", f"--finetune-from-model {tmp_path}/checkpoint_last.pt --max-update 1 --lr 0")
    begun = weights(tmp_path / "on" / "checkpoint_last.pt")
    assert all(torch.equal(value, begun[name]) for name, value in weights(tmp_path / "checkpoint_last.pt").items())


def test_a_checkpoint_of_another_dictionary_is_refused(data_folder, whole, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(str(data_folder), str(folder))
    lines = (folder / "dict.txt").read_text(encoding="utf-8").splitlines()
    lines[0], lines[1] = lines[1], lines[0]
    (folder / "dict.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    start = f"--max-update 1 --finetune-from-model {whole[0]}/checkpoint_last.pt"
    done = denoise(folder, tmp_path / "run", start, check=False)
    assert done.returncode == 1 and "was trained with another dictionary" in done.stdout
