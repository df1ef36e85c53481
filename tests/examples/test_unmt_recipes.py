"""examples/unmt_ro_en and examples/unmt_ne_en: every step at the smallest size, and what stops them."""

import itertools
import json
import lzma
import os
import sys
from pathlib import Path

import pytest
from fairseq import options

from tests import programs
from tests.examples import small_text

ROOT = Path(__file__).parents[2]
REAL_TEXT = ROOT.parent / "shared" / "data"
RECIPES = {
    "unmt_ro_en": (["en", "ro"], "newstest2016.en-ro"),
    "unmt_ne_en": (["ne", "hi", "en"], "flores.devtest.ne-en"),
}


def run(recipe, *given, step="run.sh", preset="smoke", **environment):
    command = ["bash", ROOT / "examples" / recipe / step, "--preset", preset]
    return programs.run(*command, *given, **dict({"VENV": sys.prefix}, **environment))


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_every_step_to_the_score_table(recipe, tmp_path):
    languages, test = RECIPES[recipe]
    pair = test.rsplit(".", 1)[-1].split("-")
    small_text.write_folder(str(tmp_path / "text"), languages, test)
    aligned = tmp_path / "crossinit"
    done = run(recipe, "--text", tmp_path / "text", "--out", aligned)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Table 7" in done.stdout and "tok:13a" in done.stdout  # published figures beside, signatures
    check_summary(aligned, "crossinit", pair)
    report = json.loads((aligned / "prepare" / "report.json").read_text("utf-8"))
    assert all(language in json.dumps(report) for language in languages)
    assert (aligned / "score" / ("-".join(pair) + ".txt")).read_text("utf-8").count("\nD-") == 40

    # the same data from random embeddings; then nothing is done twice
    given = ("--init", "random", "--prepared", aligned, "--out", tmp_path / "random")
    done = run(recipe, *given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CrossInit: the embeddings" not in done.stdout
    check_summary(tmp_path / "random", "random", pair)
    again = run(recipe, *given)
    assert again.returncode == 0 and again.stdout.count("done before") == 3, again.stdout + again.stderr


@pytest.mark.skipif(not (REAL_TEXT / "mono").is_dir(), reason="there is no real text in ../shared/data")
@pytest.mark.parametrize("recipe, init", [("unmt_ro_en", "lexicon"), ("unmt_ne_en", "lexicon")])
def test_real_text_with_sentences_longer_than_the_model(recipe, init, tmp_path):
    languages, test = RECIPES[recipe]
    pair = test.rsplit(".", 1)[-1].split("-")
    write_real_text(tmp_path / "text", languages, test)
    given = []
    if pair[0] == "ne":
        frequent = ["लागि for", "एक one", "काम work", "समय time", "नाम name", "नयाँ new", "सबै all"]
        (tmp_path / "seeds").write_text("\n".join(frequent) + "\n", "utf-8")
        given = ["--seeds", tmp_path / "seeds"]
    done = run(recipe, "--text", tmp_path / "text", "--init", init, "--out", tmp_path / "out", *given)
    assert done.returncode == 0, done.stdout + done.stderr
    check_summary(tmp_path / "out", init, pair)
    if given:
        lexicon = (tmp_path / "out" / "lexicon" / "seeds.hi-en.tsv").read_text("utf-8")
        assert "# bridge: ne" in lexicon and "\ttime\t" in lexicon
    # in 180 pieces many sentences are too long: left out of training and validation, cut to be translated
    screen = done.stdout
    assert "invalid sizes and will be skipped" in screen
    assert "translation: prepare/data/0/en/valid: skipped 0 empty and" in screen
    assert "sentences are cut to 126 sub-tokens" in (tmp_path / "out" / "logs" / "score.log").read_text("utf-8")


def write_real_text(folder, languages, test, lines=3000, test_lines=60):
    """The first lines of the real text and of its test set."""
    for name in ("mono", "test"):
        (folder / name).mkdir(parents=True)
    for language in languages:
        with lzma.open(str(REAL_TEXT / "mono" / f"general.{language}.txt.xz"), "rt", encoding="utf-8") as text:
            (folder / "mono" / f"general.{language}.txt").write_text("".join(itertools.islice(text, lines)), "utf-8")
    for language in test.rsplit(".", 1)[-1].split("-"):
        with open(REAL_TEXT / "test" / f"{test}.{language}", encoding="utf-8") as text:
            (folder / "test" / f"{test}.{language}").write_text("".join(itertools.islice(text, test_lines)), "utf-8")


def check_summary(folder, init, pair):
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert set(summary["bleu"]) == {"-".join(pair), "-".join(reversed(pair))}
    assert all(0 <= score <= 100 for score in summary["bleu"].values())
    assert all(direction["chrf"]["score"] > 0 for direction in summary["scores"].values())
    assert set(summary["baselines"]) == ({"copying", "word_by_word"} if init == "lexicon" else {"copying"})
    assert summary["init"] == init and summary["minutes"]["total"] > 0


def test_a_changed_test_set_name_is_missed(tmp_path):
    small_text.write_folder(str(tmp_path / "text"), ["en", "ro"], "other.en-ro")
    done = run("unmt_ro_en", "--text", tmp_path / "text", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "newstest2016.en-ro.en" in done.stderr and "Traceback" not in done.stderr


def test_unequal_test_set(tmp_path):
    small_text.write_folder(str(tmp_path / "text"), ["en", "ro"], "newstest2016.en-ro")
    path = tmp_path / "text" / "test" / "newstest2016.en-ro.ro"
    path.write_text("".join(path.read_text("utf-8").splitlines(True)[1:]), "utf-8")
    done = run("unmt_ro_en", "--text", tmp_path / "text", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "not aligned" in done.stderr and "40 lines" in done.stderr and "39 lines" in done.stderr


def test_swapped_sides_end_the_preparation(tmp_path):
    small_text.write_folder(str(tmp_path / "text"), ["en", "ro"], "newstest2016.en-ro")
    mono = tmp_path / "text" / "mono"
    (mono / "toy.en.txt").rename(mono / "keep")
    (mono / "toy.ro.txt").rename(mono / "toy.en.txt")
    (mono / "keep").rename(mono / "toy.ro.txt")
    done = run("unmt_ro_en", "--text", tmp_path / "text", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "looks like ro, not en" in done.stderr
    # put right, the same command goes on
    (mono / "toy.en.txt").rename(mono / "keep")
    (mono / "toy.ro.txt").rename(mono / "toy.en.txt")
    (mono / "keep").rename(mono / "toy.ro.txt")
    for step in ("1_text.sh", "2_prepare.sh"):
        done = run("unmt_ro_en", "--text", tmp_path / "text", "--out", tmp_path / "out", step=step)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "prepare" / "data" / "1" / "ro" / "train.idx").exists()


@pytest.mark.parametrize(
    "given, message",
    [
        (["--init", "zero"], "--init is crossinit, lexicon or random, not zero"),
        (["--seeds", __file__], "--seeds belongs to --init lexicon, not to --init crossinit"),
        (["--init", "lexicon", "--seeds", "/nowhere/at/all"], "--seeds: there is no file"),
        (["--source", "tape"], "--source is local or web, not tape"),
        (["--text", "/nowhere/at/all"], "there is no folder /nowhere/at/all"),
        (["--prepared", "/nowhere/at/all"], "holds no prepared data"),
        (["--pieces", "/nowhere/at/all"], "there is no file"),
        (["--seed", "x"], "--seed is a number"),
        (["--size", "3"], "unknown option --size"),
    ],
)
def test_wrong_options(tmp_path, given, message):
    done = run("unmt_ne_en", "--out", tmp_path / "out", *given)
    assert done.returncode == 2 and message in done.stderr


@pytest.fixture
def training_options(tmp_path):
    """A function: what a step would hand to fairseq-train, as fairseq reads it."""
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    programs = {
        "python": 'exec "{}" "$@"'.format(sys.executable),
        "fairseq-train": 'printf "%s\\n" "$@" > "{}"'.format(tmp_path / "given"),
    }
    for name, line in programs.items():
        (environment / "bin" / name).write_text("#!/bin/sh\n{}\n".format(line))
        (environment / "bin" / name).chmod(0o755)

    def read(recipe, preset, step, init="crossinit", **variables):
        done = run(
            recipe,
            "--source",
            "web",
            "--out",
            tmp_path / "out",
            "--init",
            init,
            preset=preset,
            step=step,
            VENV=str(environment),
            **variables,
        )
        assert done.returncode == 0, done.stderr
        parser = options.get_training_parser()
        return options.parse_args_and_arch(parser, (tmp_path / "given").read_text().splitlines())

    return read


@pytest.mark.parametrize("recipe", sorted(RECIPES))
@pytest.mark.parametrize("preset", ["tiny", "base", "paper"])
def test_fairseq_reads_the_options_of_every_preset(recipe, preset, training_options):
    languages = ",".join(RECIPES[recipe][0])
    crossinit, mbart, translation = (
        training_options(recipe, preset, step, GPUS="8")
        for step in ("4_crossinit.sh", "5_mbart.sh", "6_translation.sh")
    )
    assert crossinit.langs == mbart.langs == translation.langs == languages
    assert mbart.finetune_from_model == "crossinit/checkpoint_last.pt"
    assert translation.finetune_from_model == "mbart/checkpoint_best.pt"
    sizes = {(args.arch, args.encoder_layers, args.decoder_embed_dim) for args in (crossinit, mbart, translation)}
    assert len(sizes) == 1
    if recipe == "unmt_ne_en":
        assert translation.directions == "ne-en,en-ne,hi-en,en-hi"
    if preset == "paper":
        check_paper(crossinit, mbart, translation)


@pytest.mark.parametrize("recipe, pairs", [("unmt_ro_en", 1), ("unmt_ne_en", 3)])
@pytest.mark.parametrize("preset", ["tiny", "base", "paper"])
def test_the_lexicon_goes_into_alignment_and_into_translation(recipe, pairs, preset, training_options):
    crossinit, mbart, translation = (
        training_options(recipe, preset, step, init="lexicon")
        for step in ("4_crossinit.sh", "5_mbart.sh", "6_translation.sh")
    )
    assert len(crossinit.lexicon.split(",")) == pairs and not crossinit.ranks
    assert mbart.finetune_from_model == "crossinit/checkpoint_last.pt"
    # a direction without a lexicon would be generated from the first update on
    directions = (translation.directions or "en-ro,ro-en").split(",")
    named = [one.split("=")[0].split("-") for one in translation.lexicon.split(",")]
    assert {"-".join(pair) for pair in named} | {"-".join(pair[::-1]) for pair in named} == set(directions)
    assert 0 < translation.lexicon_bt_updates < translation.max_update


def check_paper(crossinit, mbart, translation):
    """Sections 3.2, 3.3, 4.2 and 5.3 of the paper; on 8 GPUs."""
    assert (mbart.arch, mbart.encoder_layers, mbart.encoder_embed_dim, mbart.dropout) == ("mbart_large", 12, 1024, 0.1)
    assert (crossinit.lr, crossinit.max_rank) == ([1e-4], 20000)
    assert (eval(mbart.adam_betas), mbart.adam_eps, mbart.lr, mbart.warmup_updates) == (
        (0.9, 0.99),
        1e-6,
        [1e-4],
        30000,
    )
    assert mbart.multilang_sampling_alpha == 0.5
    assert 8 * mbart.batch_size * mbart.update_freq[0] == 256 == 8 * translation.batch_size * translation.update_freq[0]
    assert eval(translation.adam_betas) == (0.9, 0.997) and translation.adam_eps == 1e-9
    assert (translation.lr, translation.warmup_updates, translation.dropout) == ([7e-4], 8000, 0.1)
    assert (translation.criterion, translation.label_smoothing) == ("label_smoothed_cross_entropy", 0.1)


def test_a_full_disk_is_said(tmp_path):
    small_text.write_folder(str(tmp_path / "text"), ["en", "ro"], "other.en-ro")
    full = tmp_path / "df"
    full.write_text("#!/bin/sh\necho Filesystem Size Used Available\necho disk 100 100 0\n")
    full.chmod(0o755)
    path = "{}:{}".format(tmp_path, os.environ["PATH"])
    done = run("unmt_ro_en", "--text", tmp_path / "text", "--out", tmp_path / "out", PATH=path)
    assert done.returncode == 1 and "no space left" in done.stderr
