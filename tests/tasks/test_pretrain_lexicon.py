"""crossinit_pretrain with a lexicon, alone and beside the spans; and the end by --stop-directions."""

import re
import shutil

import numpy as np
import pytest
import torch
from fairseq.data import Dictionary

from tests.conftest import TINY_MODEL, WORDS, load, toy_sentences, weights, write_split
from tests.tasks.in_process import run

OPTIONS = (
    "--task crossinit_pretrain --criterion crossinit --arch mbart_base --batch-size 24 --updates-per-epoch 5 "
    "--valid-batches 3 --optimizer adam --lr 0.01 --num-workers 0 --data-buffer-size 0 --no-epoch-checkpoints "
    "--log-format json --log-interval 1 --seed 3 --required-batch-size-multiple 1 "
)
# the spans of the default are of more words than the text has: whatever looks at them must not be asked
LEXICON_ALONE = ""
DIMENSIONS = 16
TABLE = "encoder.embed_tokens.weight"


def align(data, save_dir, *arguments, check=True):
    done = run("train", [str(data), "--save-dir", str(save_dir)], OPTIONS, TINY_MODEL, *arguments)
    assert not check or done.returncode == 0, done.stdout[-3000:]
    return done


def written(path, one, other, words=range(40), language=None):
    """A lexicon of the toy languages: word k is word k. language: the codes of its header, if not the letters'."""

    def word(letter, k):
        return "{}{}{}".format(letter, k, {3: "s", 10: "t"}.get(k % 14, ""))

    header = "# languages: {} {}\n".format(*(language or (one * 2, other * 2)))
    path.write_text(header + "".join(f"{word(one, k)}\t{word(other, k)}\n" for k in words), "utf-8")
    return path


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory):
    return written(tmp_path_factory.mktemp("lexicon") / "aa-bb.tsv", "a", "b")


@pytest.fixture(scope="module")
def three_languages(tmp_path_factory):
    """A data folder of aa, bb and cc."""
    folder, rng = tmp_path_factory.mktemp("three"), np.random.default_rng(1)
    words = [f"\u2581{letter}{k}" for letter in "abc" for k in range(WORDS)]
    symbols = words + "s t . [aa] [bb] [cc] <mask>".split()
    (folder / "dict.txt").write_text("".join(symbol + " 1\n" for symbol in symbols), encoding="utf-8")
    dictionary = Dictionary.load(str(folder / "dict.txt"))
    for language in ("aa", "bb", "cc"):
        (folder / language).mkdir()
        write_split(dictionary, folder / language / "train", toy_sentences(rng, language, 400))
    return folder


def logged(done, key):
    """What the validations logged under a name, one number each."""
    return [float(value) for value in re.findall(f'"valid_{key}": "([^"]*)"', done.stdout)]


def test_partners_are_found_and_directions_stay(data_folder, lexicon, tmp_path):
    done = align(data_folder, tmp_path, LEXICON_ALONE, f"--max-update 60 --lexicon aa-bb={lexicon}")
    assert "aligning aa-bb over encoder.embed_tokens.weight" in done.stdout
    initial = align(
        data_folder, tmp_path / "initial", LEXICON_ALONE, f"--max-update 1 --lr 0 --lexicon aa-bb={lexicon}"
    )
    assert logged(initial, "accuracy")[0] < 0.3 and logged(done, "accuracy")[-1] > 0.95
    assert logged(done, "loss")[-1] < 0.2 * logged(initial, "loss")[0]
    assert logged(done, "directions")[-1] > DIMENSIONS / 2
    assert logged(done, "positive")[-1] > 0.7 and abs(logged(done, "negative")[-1]) < 0.2
    # rows that no pair holds are as they were
    before, after = (load(path / "checkpoint_last.pt")["model"][TABLE] for path in (tmp_path / "initial", tmp_path))
    dictionary = Dictionary.load(str(data_folder / "dict.txt"))
    changed = {dictionary.symbols[row] for row in (before != after).any(1).nonzero().flatten().tolist()}
    assert changed == {f"\u2581{letter}{k}" for letter in "ab" for k in range(40)} | {"s", "t"}


def test_starting_as_a_copier_is_what_later_stages_find(data_folder, lexicon, tmp_path):
    options = LEXICON_ALONE + f"--rescale --arch transformer --max-update 12 --lexicon aa-bb={lexicon}"
    align(data_folder, tmp_path / "copier", options, "--start-as-copier")
    align(data_folder, tmp_path / "other", options)
    copier, other = (weights(tmp_path / name / "checkpoint_last.pt") for name in ("copier", "other"))
    zero = {name: (model[TABLE][4:] == 0).all(0) for name, model in (("copier", copier), ("other", other))}
    # aligning has kept the dimensions of positions free, as set at the start
    assert 0 < int(zero["copier"].sum()) < 8 and not zero["other"].any()
    values = "decoder.layers.0.encoder_attn.v_proj.weight"
    assert copier[values].diag().min() > 2 > other[values].diag().max()


@pytest.mark.parametrize(
    "options", [LEXICON_ALONE + "--rescale", "--lexicon-beside-spans --span 10 --max-rank 40 --rescale"]
)
def test_resuming_in_mid_epoch_changes_no_bit(data_folder, lexicon, tmp_path, options):
    options += f" --save-interval-updates 3 --max-update 7 --lexicon aa-bb={lexicon}"
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    align(data_folder, whole, options)
    parts.mkdir()
    shutil.copy(str(whole / "checkpoint_1_3.pt"), str(parts / "checkpoint_last.pt"))
    assert "@ 3 updates" in align(data_folder, parts, options).stdout
    for path in (whole, parts):
        assert load(path / "checkpoint_last.pt")["optimizer_history"][-1]["num_updates"] == 7
    one, other = (weights(path / "checkpoint_last.pt") for path in (whole, parts))
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_two_workers_change_no_bit(data_folder, lexicon, tmp_path):
    options = LEXICON_ALONE + f"--max-update 5 --disable-validation --lexicon aa-bb={lexicon}"
    for workers in (0, 2):
        align(data_folder, tmp_path / str(workers), options, f"--num-workers {workers}")
    none, two = (load(tmp_path / workers / "checkpoint_last.pt")["model"][TABLE] for workers in "02")
    assert torch.equal(none, two)


def test_beside_the_spans(data_folder, lexicon, tmp_path):
    options = f"--span 10 --max-rank 40 --max-update 40 --lexicon-beside-spans --lexicon aa-bb={lexicon}"
    done = align(data_folder, tmp_path, options)
    assert "aligning aa, bb over" in done.stdout
    pairs, losses = logged(done, "pair_loss"), logged(done, "loss")
    assert pairs[-1] < 0.5 * pairs[0] and logged(done, "pair_accuracy")[-1] > 0.9
    # the loss of spans alone is 2 ln 2 at first
    assert losses[0] > pairs[0] + 1 and losses[-1] > pairs[-1]


def test_a_language_without_a_lexicon_is_said(three_languages, tmp_path):
    option = f"--max-update 1 --disable-validation --lexicon aa-cc={written(tmp_path / 'ca.tsv', 'c', 'a')} "
    done = align(three_languages, tmp_path / "out", LEXICON_ALONE, option)
    assert "no lexicon has bb, so words of it are not aligned: give all lexicons in one --lexicon" in done.stdout
    done = align(three_languages, tmp_path / "out2", "--span 5 --max-rank 20 --lexicon-beside-spans", option)
    assert "no lexicon has" not in done.stdout


def test_three_languages(three_languages, tmp_path):
    first = written(tmp_path / "ab.tsv", "a", "b")
    second = written(tmp_path / "ca.tsv", "c", "a", words=range(10, 30))
    option = f"--lexicon aa-bb={first},aa-cc={second}"
    done = align(three_languages, tmp_path / "out", LEXICON_ALONE, "--max-update 100", option)
    assert "aligning aa-bb, aa-cc over" in done.stdout and "no lexicon has" not in done.stdout
    table = load(tmp_path / "out" / "checkpoint_last.pt")["model"][TABLE]
    dictionary = Dictionary.load(str(three_languages / "dict.txt"))

    def rows(letter):
        ranks = [k for k in range(10, 30) if k % 14 not in (3, 10)]  # words of one piece
        return torch.nn.functional.normalize(table[[dictionary.index(f"\u2581{letter}{k}") for k in ranks]], dim=1)

    a, b, c = map(rows, "abc")
    itself = torch.arange(len(a))
    assert ((a @ b.t()).argmax(1) == itself).float().mean() > 0.9
    assert ((a @ c.t()).argmax(1) == itself).float().mean() > 0.9
    assert ((b @ c.t()).argmax(1) == itself).float().mean() > 0.8, "by way of aa"
    assert logged(done, "directions")[-1] > DIMENSIONS / 2


def test_ends_when_few_directions_are_left(data_folder, tmp_path):
    options = "--span 10 --max-rank 40 --lr 0.02 --max-update 60"
    plain = align(data_folder, tmp_path / "plain", options)
    directions = logged(plain, "directions")
    fallen = next(number for number, value in enumerate(directions) if value <= 4)
    assert 0 < fallen < len(directions) - 2, "or this test shows nothing"
    done = align(data_folder, tmp_path / "ended", options, "--stop-directions 4")
    (told,) = [line for line in done.stdout.splitlines() if "the run ends after one more update" in line]
    assert f"along {directions[fallen]:.2f} directions, --stop-directions is 4" in told
    # a validation every 5 updates
    updates = 5 * (fallen + 1) + 1
    history = load(tmp_path / "ended" / "checkpoint_last.pt")["optimizer_history"]
    assert history[-1]["num_updates"] == updates
    assert logged(done, "directions")[:-1] == directions[: fallen + 1]


def test_forms_of_one_word_are_several_pairs_of_which_nothing_is_negative(tmp_path):
    symbols = "\u2581a \u2581A \u2581b \u2581B [aa] [bb] <mask>".split()
    (tmp_path / "dict.txt").write_text("".join(symbol + " 1\n" for symbol in symbols), encoding="utf-8")
    dictionary = Dictionary.load(str(tmp_path / "dict.txt"))
    for language in ("aa", "bb"):
        (tmp_path / language).mkdir()
        sentences = [f"\u2581{language[0].upper()} \u2581{language[0]}"] * 9
        write_split(dictionary, tmp_path / language / "train", sentences)
    lexicon = tmp_path / "aa-bb.tsv"
    lexicon.write_text("# languages: aa bb\n# lowercase: yes\na\tb\n", "utf-8")
    done = align(tmp_path, tmp_path / "out", LEXICON_ALONE, f"--max-update 1 --lexicon aa-bb={lexicon}", check=False)
    assert done.returncode == 1 and done.stdout.splitlines()[-1] == (
        "crossinit_fairseq: error: the 2 pairs of the lexicon aa-bb whose words are in the training text are forms of "
        "a and b, which translate each other, so that nothing is Negative: give it pairs of other words, hundreds to "
        "learn from"
    )


@pytest.mark.parametrize(
    "options, told",
    [
        ("--lexicon aa-cc={lexicon}", "names the languages aa-cc, but this run has aa, bb"),
        ("--lexicon aa-bb={other}", "is a lexicon of aa and cc, not of aa and bb"),
        ("--lexicon aa-bb={lexicon}.no", "does not exist"),
        ("--lexicon aa-bb={unknown}", "no pair of the lexicon aa-bb has both of its words in the training text"),
        ("--lexicon aa-bb={single}", "the lexicon aa-bb has 1 mutual pairs"),
        ("--lexicon-beside-spans --span 10 --max-rank 40", "--lexicon-beside-spans needs --lexicon"),
        # of what is not drawn, or not counted
        ("--lexicon aa-bb={lexicon} --span 10", "--span has no effect with --lexicon, whose pairs stand in the place"),
        ("--lexicon aa-bb={lexicon} --max-rank 40", "--max-rank has no effect with --lexicon, whose pairs stand in"),
        ("--lexicon aa-bb={lexicon} --negatives sample", "--negatives has no effect with --lexicon, whose pairs"),
        ("--lexicon aa-bb={lexicon} --language-pairs any", "--language-pairs has no effect with --lexicon, whose"),
        ("--lexicon aa-bb={lexicon} --objective softmax", "--objective has no effect with --lexicon alone, as it is"),
        ("--lexicon aa-bb={lexicon} --temperature 2", "--temperature has no effect with --lexicon alone, as it is of"),
        ("--lexicon aa-bb={lexicon} --lexicon-weight 2", "--lexicon-weight has no effect without --lexicon-beside-sp"),
        ("--lexicon aa-bb={lexicon} --sentencepiece-model x", "--sentencepiece-model has no effect without --ranks, w"),
        ("--span 10 --max-rank 40 --lexicon-temperature 2", "--lexicon-temperature has no effect without --lexicon:"),
        ("--span 10 --max-rank 40 --lexicon-weight 2", "--lexicon-weight has no effect without --lexicon-beside-spans"),
        (
            "--span 10 --max-rank 40 --objective infonce --negatives sample",
            "--negatives has no effect with --objective",
        ),
        (
            "--ranks aa={lexicon},bb={lexicon} --langs aa,bb --sub-tokens none",
            "--sub-tokens has no effect where --rank",
        ),
        ("--stop-directions 2 --disable-validation", "--stop-directions has no effect with --disable-validation, as"),
        ("--start-as-copier --finetune-from-model {lexicon}", "--start-as-copier sets the weights of a new model, but"),
        ("--lexicon aa-bb={lexicon} --lexicon-beside-spans --span 5000 --max-rank 9000", "too few for a span of 5,000"),
        ("--lexicon aa-bb={lexicon} --lexicon-temperature 0", "--lexicon-temperature must be above 0, not 0.0"),
        ("--stop-directions -1", "--stop-directions is a number of directions, 0 or more, not -1.0"),
    ],
)
def test_refused_in_one_sentence(data_folder, lexicon, tmp_path, options, told):
    paths = {
        "lexicon": lexicon,
        "other": written(tmp_path / "other.tsv", "a", "b", language=("aa", "cc")),
        "unknown": written(tmp_path / "unknown.tsv", "x", "y", language=("aa", "bb")),
        "single": written(tmp_path / "single.tsv", "a", "b", words=[5]),
    }
    done = align(data_folder, tmp_path / "out", options.format(**paths), "--max-update 1", check=False)
    assert done.returncode == 1 and "Traceback" not in done.stdout
    (error,) = [line for line in done.stdout.splitlines() if "crossinit_fairseq: error: " in line]
    assert told in error
    assert not list((tmp_path / "out").glob("*.pt"))
