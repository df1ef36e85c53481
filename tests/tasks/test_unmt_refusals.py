"""What crossinit_unmt refuses, in one sentence: checkpoints of another dictionary, and bad input."""

import shutil

import numpy as np
import pytest

from tests.conftest import toy_sentences, write_split
from tests.tasks.in_process import OPTIONS, run, translate

STOCK = "--max-tokens" + OPTIONS.split("--max-tokens")[1]  # without task and criterion


@pytest.fixture(scope="module")
def turned_around(data_folder, tmp_path_factory):
    """The same data with [bb] before [aa] in dict.txt."""
    folder = tmp_path_factory.mktemp("turned") / "data"
    shutil.copytree(str(data_folder), str(folder))
    text = (folder / "dict.txt").read_text("utf-8")
    (folder / "dict.txt").write_text(text.replace("[aa] 1\n[bb] 1\n", "[bb] 1\n[aa] 1\n"), encoding="utf-8")
    return folder


def check_refused(done, *told):
    assert done.returncode == 1 and "Traceback" not in done.stdout, done.stdout[-2000:]
    (error,) = [line for line in done.stdout.splitlines() if line.startswith("crossinit_fairseq: error: ")]
    for part in told:
        assert part in error


def test_training_from_another_order_of_languages_is_refused(turned_around, checkpoint, tmp_path):
    told = ("checkpoint_last.pt", "[aa] is row 127 there and row 128 here", "[bb] is row 128 there and row 127 here")
    start = f"--max-update 1 --disable-validation --finetune-from-model {checkpoint}"
    check_refused(translate(turned_around, tmp_path, start, check=False), *told)
    start = f"--max-update 1 --restore-file {checkpoint} --reset-optimizer --reset-dataloader"
    check_refused(translate(turned_around, tmp_path, start, check=False), *told)
    shutil.copy(str(checkpoint), str(tmp_path))
    check_refused(translate(turned_around, tmp_path, "--max-update 3", check=False), *told)


def test_training_from_a_stock_checkpoint_of_another_order_is_refused(data_folder, turned_around, tmp_path):
    mbart = (
        "--task multilingual_denoising --criterion cross_entropy --langs aa,bb --add-lang-token "
        "--sample-break-mode eos --tokens-per-sample 64 --mask 0.3 --mask-length span-poisson --replace-length 1 "
        "--rotate 0 --permute-sentences 0"
    )
    translate(data_folder, tmp_path / "mbart", "--max-update 1 --disable-validation", mbart, options=STOCK)
    start = f"--max-update 1 --disable-validation --finetune-from-model {tmp_path}/mbart/checkpoint_last.pt"
    translate(data_folder, tmp_path / "right", start)
    check_refused(translate(turned_around, tmp_path / "wrong", start, check=False), "[aa] is row 127 there")
    # and the other way: a stock task starts from a checkpoint of this one, record and all
    start = start.replace("mbart/checkpoint", "right/checkpoint")
    assert "done training" in translate(data_folder, tmp_path / "back", start, mbart, options=STOCK).stdout


def test_generation_from_another_order_of_languages_is_refused(turned_around, checkpoint):
    options = f"--task crossinit_unmt -s aa -t bb --path {checkpoint}"
    check_refused(run("generate", [str(turned_around)], options), "the checkpoint was trained with another dictionary")


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
        (nothing, "--sampling-alpha -1", ["--sampling-alpha", "0 or more"]),
        (nothing, "--bt-sampling --bt-beam 2", ["either sampling or a beam of 2"]),
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
    options = [str(data_folder), "--save-dir", str(tmp_path)]
    done = run("train", options, OPTIONS.replace("mbart_base", "roberta_base"), "--max-update 1 --encoder-layers 1")
    assert done.returncode == 1 and "encoder-decoder" in done.stdout


def test_generate_without_aligned_text_says_so(data_folder, checkpoint):
    options = f"--task crossinit_unmt -s aa -t bb --path {checkpoint} --gen-subset nothere"
    check_refused(run("generate", [str(data_folder)], options), "nothere.aa-bb")
