"""The task crossinit_unmt by itself: schedules, directions, resuming, restricted vocabulary, other programs, bad input."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.tasks.crossinit_unmt import _parse_directions
from tests.conftest import TINY_MODEL, USER_DIR, fairseq, toy_sentences, train, weights, write_split

OPTIONS = (
    "--task crossinit_unmt --criterion label_smoothed_cross_entropy --label-smoothing 0.1 --max-tokens 300 --arch mbart_base "
    "--lr 0.003"
)


def translate(data, save_dir, *arguments, **options):
    return train(data, save_dir, OPTIONS, TINY_MODEL, *arguments, **options)


def statistics(log, kind):
    return [json.loads(text) for text in re.findall(r"\| %s \| (\{.*\})" % kind, log)]


@pytest.fixture(scope="module")
def checkpoint(data_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("translation")
    translate(data_folder, folder, "--max-update 2 --disable-validation")
    return folder / "checkpoint_last.pt"


def test_weights_are_schedules(data_folder, tmp_path):
    log = translate(
        data_folder, tmp_path, "--max-update 4 --disable-validation --lambda-bt 0:0,1:0,2:1 --lambda-dae 0:1,1:1,2:0"
    ).stdout
    # fairseq goes on printing a meter that gets no more values
    kinds = [
        {key for key in ("dae_loss", "bt_loss") if stats.get(key) not in (None, "0")}
        for stats in statistics(log, "train_inner")
    ]
    # updates are counted from 0 by the schedule and from 1 in the log
    assert kinds == [{"dae_loss"}, {"dae_loss"}, {"bt_loss"}, {"bt_loss"}]


def test_what_is_generated_fits_the_encoder(data_folder, tmp_path):
    """An untrained model goes on to the limit; dressed as a source, that must not be one token too long."""
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


def test_resuming_in_mid_epoch_changes_no_bit(data_folder, tmp_path):
    options = "--save-interval-updates 2 --keep-interval-updates 1 --disable-validation"
    translate(data_folder, tmp_path / "whole", options, "--max-update 5")
    translate(data_folder, tmp_path / "parts", options, "--max-update 2")
    translate(data_folder, tmp_path / "parts", options, "--max-update 5")
    one, other = (weights(tmp_path / name / "checkpoint_last.pt") for name in ("whole", "parts"))
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_restricted_vocabulary(data_folder):
    from crossinit_fairseq.tasks.crossinit_unmt import CrossInitUnmtTask
    from crossinit_fairseq.tasks.unmt_config import CrossInitUnmtConfig

    config = CrossInitUnmtConfig()
    config.data, config.langs, config.seed, config.train_subset = str(data_folder), "aa,bb", 1, "train"
    config.restrict_vocab_updates = -1
    task = CrossInitUnmtTask.setup_task(config)
    task.load_dataset("train")
    allowed = [task.dictionary[int(index)] for index in task._allowed["bb"].nonzero().squeeze(1)]
    # words of bb, what the languages share, and the end of a sentence
    assert {symbol[:2] for symbol in allowed} == {"\u2581b", "s", "t", ".", "</"}


def test_interactive_translates_standard_input(data_folder, checkpoint):
    command = [sys.executable, "-m", "fairseq_cli.interactive", str(data_folder), "--user-dir", str(USER_DIR)]
    command += "--task crossinit_unmt -s aa -t bb --path {} --beam 2 --max-len-b 8".format(checkpoint).split()
    done = subprocess.run(
        command,
        input="\u2581a1 \u2581a2 .\n\u2581a3 t\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert len(re.findall(r"^D-\d+\t", done.stdout, re.M)) == 2


def test_hub_interface_translates(data_folder, checkpoint):
    from fairseq.models.transformer import TransformerModel

    hub = TransformerModel.from_pretrained(
        str(checkpoint.parent), checkpoint.name, str(data_folder), source_lang="aa", target_lang="bb"
    )
    translations = hub.translate(["\u2581a1 \u2581a2 .", "\u2581a4"], beam=1, max_len_b=6)
    assert len(translations) == 2 and all(isinstance(text, str) for text in translations)


def test_directions_are_parsed():
    assert _parse_directions(None, ["aa", "bb"]) == [("aa", "bb"), ("bb", "aa")]
    assert _parse_directions("ne-en,en-ne", ["en", "hi", "ne"]) == [("ne", "en"), ("en", "ne")]
    for wrong in ("aa", "aa-aa", "aa-xx", "aa-bb-aa"):
        with pytest.raises(InputError, match=wrong):
            _parse_directions(wrong, ["aa", "bb"])


def unequal(folder):
    from fairseq.data import Dictionary

    dictionary = Dictionary.load(str(folder / "dict.txt"))
    write_split(dictionary, folder / "valid.aa-bb.bb", toy_sentences(np.random.default_rng(0), "bb", 20))


def damage(folder):
    path = folder / "aa" / "train.bin"
    path.write_bytes(path.read_bytes()[:-2])


def nothing(folder):
    pass


@pytest.mark.parametrize(
    "harm, options, told",
    [
        (nothing, "--directions aa-xx", ["aa-xx", "aa, bb"]),
        (nothing, "--langs aa", ["two languages"]),
        (unequal, "", ["valid.aa-bb", "not aligned", "21", "20"]),
        (damage, "", ["train.bin", "binarise this text again"]),
        (nothing, "-s aa -t xx", ["dict.txt", "[xx]"]),
    ],
)
def test_bad_input_is_one_sentence_before_training(data_folder, tmp_path, harm, options, told):
    folder = tmp_path / "data"
    shutil.copytree(str(data_folder), str(folder))
    harm(folder)
    done = translate(folder, tmp_path / "out", options, "--max-update 1", check=False)
    assert done.returncode == 1 and "Traceback" not in done.stdout
    errors = [line for line in done.stdout.splitlines() if line.startswith("crossinit_fairseq: error: ")]
    assert len(errors) == 1
    for part in told:
        assert part in errors[0]


def test_an_encoder_alone_cannot_translate(data_folder, tmp_path):
    done = train(
        data_folder,
        tmp_path,
        OPTIONS.replace("mbart_base", "roberta_base"),
        "--max-update 1 --encoder-layers 1",
        check=False,
    )
    assert done.returncode == 1 and "encoder-decoder" in done.stdout


def test_generate_without_aligned_text_says_so(data_folder, checkpoint):
    done = fairseq(
        "generate",
        [str(data_folder)],
        "--user-dir {} --task crossinit_unmt -s aa -t bb --path {} --gen-subset nothere".format(USER_DIR, checkpoint),
        check=False,
    )
    assert done.returncode == 1 and "nothere.aa-bb" in done.stdout and "Traceback" not in done.stdout
