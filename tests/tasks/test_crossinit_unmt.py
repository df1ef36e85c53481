"""The task crossinit_unmt in training: schedules, directions, resuming, restricted vocabulary, what is logged."""

import json
import re
import shutil

import torch
from fairseq.logging import progress_bar

from tests.conftest import weights
from tests.tasks.in_process import translate


def statistics(log, kind):
    return [json.loads(text) for text in re.findall(rf"\| {kind} \| (\{{.*\}})", log)]


def test_weights_are_schedules(data_folder, tmp_path):
    log = translate(
        data_folder, tmp_path, "--max-update 4 --disable-validation --lambda-bt 0:1,1:1,2:0 --lambda-dae 0:0,1:0,2:1"
    ).stdout
    # fairseq goes on printing a meter that gets no more values
    kinds = [
        {key for key in ("dae_loss", "bt_loss") if stats.get(key) not in (None, "0")}
        for stats in statistics(log, "train_inner")
    ]
    # updates are counted from 0 by the schedule and from 1 in the log
    assert kinds == [{"bt_loss"}, {"bt_loss"}, {"dae_loss"}, {"dae_loss"}]


def test_what_is_generated_fits_the_encoder(data_folder, tmp_path):
    """An untrained model goes on to the limit; with special tokens, as a source, it must not be one token too long."""
    log = translate(
        data_folder, tmp_path, "--max-update 2 --bt-max-len-b 99 --max-source-positions 20 --max-target-positions 20"
    ).stdout
    assert "done training" in log


def test_only_the_directions_asked_for(data_folder, tmp_path):
    log = translate(data_folder, tmp_path, "--max-update 1 --directions aa-bb --valid-round-trip 5").stdout
    (valid,) = statistics(log, "valid")
    assert "valid_bleu_aa-bb" in valid and "valid_bleu_bb-aa" not in valid
    assert not any(key.startswith("valid_round_trip") for key in valid), "there is no way back"


def test_without_aligned_text_the_round_trip_is_what_is_measured(data_folder, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(str(data_folder), str(folder), ignore=shutil.ignore_patterns("valid.aa-bb*"))
    log = translate(
        folder,
        tmp_path / "out",
        "--max-update 2 --valid-round-trip 10 --best-checkpoint-metric round_trip_bleu "
        "--maximize-best-checkpoint-metric",
    ).stdout
    valid = statistics(log, "valid")[-1]
    assert float(valid["valid_loss"]) > 0 and "valid_round_trip_bleu" in valid and "valid_bleu" not in valid
    assert (tmp_path / "out" / "checkpoint_best.pt").exists()


def test_sampling_is_the_same_for_the_same_seed(data_folder, tmp_path):
    options = "--max-update 2 --disable-validation --bt-sampling --bt-sampling-topk 9 --bt-temperature 0.8"
    first, again, greedy = (
        weights(translate_to(data_folder, tmp_path / name, text) / "checkpoint_last.pt")
        for name, text in (("first", options), ("again", options), ("greedy", "--max-update 2 --disable-validation"))
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], greedy[name]) for name in first)


def translate_to(data_folder, save_dir, options):
    translate(data_folder, save_dir, options)
    return save_dir


def test_back_translation_by_beam(data_folder, tmp_path):
    """A beam must not stay in the model: training and greedy validation follow."""
    options = "--max-update 2 --valid-round-trip 5 --bt-beam 3"
    assert "valid_round_trip_bleu" in statistics(translate(data_folder, tmp_path, options).stdout, "valid")[-1]


def test_restricted_vocabulary(data_folder):
    from crossinit_fairseq.tasks.crossinit_unmt import CrossInitUnmtTask
    from crossinit_fairseq.tasks.crossinit_unmt_config import CrossInitUnmtConfig

    config = CrossInitUnmtConfig()
    config.data, config.langs, config.seed, config.train_subset = str(data_folder), "aa,bb", 1, "train"
    task = CrossInitUnmtTask.setup_task(config)
    task.load_dataset("train")
    allowed = [task.dictionary[int(index)] for index in task.vocabularies()["bb"].nonzero().squeeze(1)]
    # words of bb, what the languages share, and the end of a sentence
    assert {symbol[:2] for symbol in allowed} == {"\u2581b", "s", "t", ".", "</"}


def test_what_is_logged(data_folder, tmp_path):
    log = translate(
        data_folder,
        tmp_path,
        "--max-update 2 --lr 0 --valid-samples 2 --valid-round-trip 5 "
        "--valid-round-trip-vocab all --sampling-alpha 0.5 --tensorboard-logdir {}".format(tmp_path / "board"),
    ).stdout
    training, valid = statistics(log, "train_inner")[-1], statistics(log, "valid")[-1]
    for key in ("loss", "dae_loss", "bt_loss", "bt_copied", "bt_in_target", "bt_empty", "gen_wps", "wps"):
        assert float(training[key]) >= 0, key
    for direction in ("aa-bb", "bb-aa"):
        for key in ("bleu_", "round_trip_", "copied_", "in_target_", "copied_forward_"):
            assert "valid_" + key + direction in valid
        assert len(re.findall(rf"\| bleu_{direction} \| source: .* \| output: .* \| reference: ", log)) == 2
        assert len(re.findall(rf"\| round_trip_{direction} \| source: .* \| ..: .* \| back: ", log)) == 2
    assert "valid_bleu" in valid and "valid_round_trip_bleu" in valid
    progress_bar._close_writers()  # fairseq does so when its program ends
    progress_bar._tensorboard_writers.clear()
    board = b"".join(path.read_bytes() for path in (tmp_path / "board").rglob("events.*"))
    for tag in (b"dae_loss", b"bt_loss", b"bt_copied", b"gen_wps", b"round_trip_bleu", b"bleu_aa-bb", b"copied_aa-bb"):
        assert tag in board, tag
