"""The task crossinit_unmt by itself: schedules, directions, resuming, restricted vocabulary, other programs, bad input."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from fairseq.logging import progress_bar

from tests.conftest import USER_DIR, toy_sentences, weights, write_split
from tests.tasks.in_process import OPTIONS, run, translate

STOCK = "--max-tokens" + OPTIONS.split("--max-tokens")[1]  # without task and criterion


def statistics(log, kind):
    return [json.loads(text) for text in re.findall(r"\| %s \| (\{.*\})" % kind, log)]


@pytest.fixture(scope="module")
def checkpoint(data_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("translation")
    translate(data_folder, folder, "--max-update 2 --disable-validation")
    return folder / "checkpoint_last.pt"


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
    from crossinit_fairseq.tasks.unmt_config import CrossInitUnmtConfig

    config = CrossInitUnmtConfig()
    config.data, config.langs, config.seed, config.train_subset = str(data_folder), "aa,bb", 1, "train"
    task = CrossInitUnmtTask.setup_task(config)
    task.load_dataset("train")
    allowed = [task.dictionary[int(index)] for index in task.target_tokens()["bb"].nonzero().squeeze(1)]
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


WORDS = ["\u2581a1 \u2581a2 .", "\u2581a4", "\u2581a3 s \u2581a9 \u2581a10 t \u2581a1 ."]


class NoPieces:
    """In place of a sub-word model: text is given and written in sub-tokens."""

    def encode(self, text):
        return text

    decode = encode


def hub(kind, data_folder, checkpoint, **languages):
    loaded = kind.from_pretrained(str(checkpoint.parent), checkpoint.name, str(data_folder), bpe=None, **languages)
    loaded.bpe = NoPieces()
    return loaded


@pytest.mark.parametrize("source, target", [("aa", "bb"), ("bb", "aa")])
def test_hub_interfaces_translate_as_training_does(data_folder, checkpoint, source, target):
    """BART's own interface writes <s> itself, and hands sentences to the task twice."""
    from fairseq.models.bart import BARTModel
    from fairseq.models.transformer import TransformerModel

    from crossinit_fairseq.translation.greedy import generate_greedily

    sentences = [text.replace("a", source[0]) for text in WORDS]
    loaded = hub(TransformerModel, data_folder, checkpoint, source_lang=source, target_lang=target)
    task, model = loaded.task, loaded.models[0]
    model.eval()
    tokens = [task.dictionary.encode_line(text, add_if_not_exist=False).long() for text in sentences]
    expected = []
    for sentence in tokens:  # the limit is of the longest sentence of a batch
        dressed = task.convention.dress(sentence, source).unsqueeze(0)
        made = generate_greedily(model, dressed, target, task.convention, max_len_a=0, max_len_b=6)
        expected.append(task.dictionary.string(made[0]))
    for kind in (TransformerModel, BARTModel):
        loaded = hub(kind, data_folder, checkpoint, source_lang=source, target_lang=target)
        made = loaded.translate(sentences, beam=1, max_len_a=0, max_len_b=7)  # it counts the <s>
        assert made == expected, kind
        assert len(loaded.translate(sentences, beam=3, max_len_b=7)) == 3
        assert loaded.translate(sentences, beam=1, max_len_a=0, max_len_b=7) == expected, "also after a beam"


def test_hub_interface_without_languages_says_so(data_folder, checkpoint):
    from fairseq.models.transformer import TransformerModel

    with pytest.raises(SystemExit, match="source_lang= and target_lang= for from_pretrained"):
        hub(TransformerModel, data_folder, checkpoint).translate(WORDS)


def test_translations_of_the_target_language_only(data_folder, checkpoint):
    from fairseq.models.transformer import TransformerModel

    languages = dict(source_lang="aa", target_lang="bb")
    free = hub(TransformerModel, data_folder, checkpoint, **languages)
    held_back = hub(TransformerModel, data_folder, checkpoint, generation_vocab="target", **languages)
    for options in (dict(beam=1), dict(beam=4), dict(beam=2, sampling=True)):
        options = dict(options, max_len_a=0, max_len_b=12, min_len=6)
        foreign = re.compile("\u2581a|\\[")  # words of aa, language tokens
        assert foreign.search(" ".join(free.translate(WORDS, **options))), "or this test shows nothing"
        made = " ".join(held_back.translate(WORDS, **options))
        assert "\u2581b" in made and not foreign.search(made), options


def test_the_target_language_is_known_by_its_text(data_folder, checkpoint, tmp_path):
    from fairseq.models.transformer import TransformerModel

    (tmp_path / "dict.txt").write_text((data_folder / "dict.txt").read_text("utf-8"), "utf-8")
    loaded = hub(TransformerModel, tmp_path, checkpoint, source_lang="aa", target_lang="bb", generation_vocab="target")
    with pytest.raises(SystemExit, match="train.idx is missing"):
        loaded.translate(WORDS)


def test_from_pretrained_takes_the_user_dir(data_folder, checkpoint):
    program = (
        "from fairseq.models.transformer import TransformerModel\n"
        "hub = TransformerModel.from_pretrained({!r}, {!r}, {!r}, user_dir={!r}, source_lang='aa', target_lang='bb')\n"
        "print(len(hub.translate({!r}, max_len_b=5)))"
    ).format(str(checkpoint.parent), checkpoint.name, str(data_folder), str(USER_DIR), WORDS)
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=str(checkpoint.parent)
    )
    assert done.stdout.split()[-1:] == [b"3"], done.stderr[-2000:]


# --- watching


def test_what_is_logged(data_folder, tmp_path):
    log = translate(
        data_folder,
        tmp_path,
        "--max-update 2 --lr 0 --valid-samples 2 --valid-round-trip 5 --valid-round-trip-vocab all --sampling-alpha 0.5 "
        "--tensorboard-logdir {}".format(tmp_path / "board"),
    ).stdout
    training, valid = statistics(log, "train_inner")[-1], statistics(log, "valid")[-1]
    for key in ("loss", "dae_loss", "bt_loss", "bt_copied", "bt_in_target", "bt_empty", "gen_wps", "wps"):
        assert float(training[key]) >= 0, key
    for direction in ("aa-bb", "bb-aa"):
        for key in ("bleu_", "round_trip_", "copied_", "in_target_", "copied_there_"):
            assert "valid_" + key + direction in valid
        assert len(re.findall(r"\| bleu_{} \| source: .* \| output: .* \| reference: ".format(direction), log)) == 2
        assert len(re.findall(r"\| round_trip_{} \| source: .* \| ..: .* \| back: ".format(direction), log)) == 2
    assert "valid_bleu" in valid and "valid_round_trip_bleu" in valid
    progress_bar._close_writers()  # fairseq does so when its program ends
    progress_bar._tensorboard_writers.clear()
    board = b"".join(path.read_bytes() for path in (tmp_path / "board").rglob("events.*"))
    for tag in (b"dae_loss", b"bt_loss", b"bt_copied", b"gen_wps", b"round_trip_bleu", b"bleu_aa-bb", b"copied_aa-bb"):
        assert tag in board, tag


# --- checkpoints of another dictionary


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
    start = "--max-update 1 --disable-validation --finetune-from-model {}".format(checkpoint)
    check_refused(translate(turned_around, tmp_path, start, check=False), *told)
    start = "--max-update 1 --restore-file {} --reset-optimizer --reset-dataloader".format(checkpoint)
    check_refused(translate(turned_around, tmp_path, start, check=False), *told)
    shutil.copy(str(checkpoint), str(tmp_path))
    check_refused(translate(turned_around, tmp_path, "--max-update 3", check=False), *told)


def test_training_from_a_stock_checkpoint_of_another_order_is_refused(data_folder, turned_around, tmp_path):
    mbart = (
        "--task multilingual_denoising --criterion cross_entropy --langs aa,bb --add-lang-token --sample-break-mode eos "
        "--tokens-per-sample 64 --mask 0.3 --mask-length span-poisson --replace-length 1 --rotate 0 --permute-sentences 0"
    )
    translate(data_folder, tmp_path / "mbart", "--max-update 1 --disable-validation", mbart, options=STOCK)
    start = "--max-update 1 --disable-validation --finetune-from-model {}/mbart/checkpoint_last.pt".format(tmp_path)
    translate(data_folder, tmp_path / "right", start)
    check_refused(translate(turned_around, tmp_path / "wrong", start, check=False), "[aa] is row 127 there")
    # and the other way: a stock task starts from a checkpoint of this one, record and all
    start = start.replace("mbart/checkpoint", "right/checkpoint")
    assert "done training" in translate(data_folder, tmp_path / "back", start, mbart, options=STOCK).stdout


def test_generation_from_another_order_of_languages_is_refused(turned_around, checkpoint):
    options = "--task crossinit_unmt -s aa -t bb --path {}".format(checkpoint)
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
    options = "--task crossinit_unmt -s aa -t bb --path {} --gen-subset nothere".format(checkpoint)
    check_refused(run("generate", [str(data_folder)], options), "nothere.aa-bb")


def test_sentences_over_the_limit_are_refused_or_cut_as_asked(data_folder, checkpoint, tmp_path):
    options = (
        "--task crossinit_unmt -s aa -t bb --path {} --gen-subset valid --max-len-b 3 --max-source-positions 6".format(
            checkpoint
        )
    )
    with pytest.raises(Exception, match="is invalid"):
        run("generate", [str(data_folder)], options)
    done = run("generate", [str(data_folder)], options, "--truncate-source --required-batch-size-multiple 1")
    assert done.returncode == 0, done.stdout
    whole = run(
        "generate",
        [str(data_folder)],
        options.replace(" --max-source-positions 6", ""),
        "--required-batch-size-multiple 1",
    )
    assert "are cut to 4 sub-tokens" in done.stdout and "are cut" not in whole.stdout
    assert len(re.findall("^D-", done.stdout, re.M)) == len(re.findall("^D-", whole.stdout, re.M)) > 0
    assert max(len(line.split()) - 1 for line in re.findall("^S-.*", done.stdout, re.M)) <= 4
