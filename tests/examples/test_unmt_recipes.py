"""examples/unmt_ro_en and examples/unmt_ne_en: every step at the smallest size, and what every size trains."""

import itertools
import json
import lzma
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import sacrebleu
import yaml
from fairseq import options

from tests import programs
from tests.examples import small_text
from tests.examples.paper import BATCH, CARD, PAPER, SPANS, value
from tests.examples.unmt_recipes import RECIPES, run

ROOT = Path(__file__).parents[2]
REAL_TEXT = ROOT.parent / "shared" / "data"
LEAKED = 7  # lines of the test set that stand in the monolingual text


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_every_step_to_the_score_table(recipe, tmp_path):
    languages, test = RECIPES[recipe]
    pair = test.rsplit(".", 1)[-1].split("-")
    small_text.write_folder(str(tmp_path / "text"), languages, test, leaked=LEAKED)
    aligned = tmp_path / "crossinit"
    done = run(recipe, "--text", tmp_path / "text", "--out", aligned)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Table 7" in done.stdout and "tok:13a" in done.stdout  # published figures beside, signatures
    check_summary(aligned, "crossinit", pair)
    check_training_text(aligned, languages, pair)
    report = json.loads((aligned / "prepare" / "report.json").read_text("utf-8"))
    assert all(language in json.dumps(report) for language in languages)
    assert (aligned / "score" / ("-".join(pair) + ".txt")).read_text("utf-8").count("\nD-") == 40

    if recipe == "unmt_ne_en":
        return  # what follows is of scripts/unmt, which both recipes run
    # the same data from random embeddings; then nothing is done twice
    given = ("--init", "random", "--prepared", aligned, "--out", tmp_path / "random")
    done = run(recipe, *given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CrossInit: the embeddings" not in done.stdout
    check_summary(tmp_path / "random", "random", pair)
    again = run(recipe, *given)
    assert again.returncode == 0 and again.stdout.count("done before") == 3, again.stdout + again.stderr
    noted = (aligned / "logs" / "commands.sh").read_text("utf-8")
    # what was moved is linked anew, and nothing more
    (tmp_path / "text").rename(tmp_path / "other text")
    again = run(recipe, "--text", tmp_path / "other text", "--out", aligned)
    assert again.returncode == 0 and again.stdout.count("done before") == 6, again.stdout + again.stderr
    aligned.rename(tmp_path / "prepared")
    again = run(recipe, "--init", "random", "--prepared", tmp_path / "prepared", "--out", tmp_path / "random")
    assert again.returncode == 0 and again.stdout.count("done before") == 3, again.stdout + again.stderr
    # what has changed is not what was done before
    with open(str(next((tmp_path / "other text" / "mono").iterdir())), "a", encoding="utf-8") as stream:
        stream.write("one more\n")
    again = run(recipe, "--text", tmp_path / "other text", "--out", tmp_path / "prepared", VENV="/nowhere")
    assert "its settings changed" in again.stdout and "done before" not in again.stdout
    assert noted.count("\nfairseq-train ") == 3 and noted.count("\nfairseq-generate ") == 2


@pytest.mark.skipif(not (REAL_TEXT / "mono").is_dir(), reason="there is no real text in ../shared/data")
def test_real_text_with_sentences_longer_than_the_model(tmp_path):
    recipe, init = "unmt_ro_en", "lexicon"
    languages, test = RECIPES[recipe]
    write_real_text(tmp_path / "text", languages, test)
    done = run(recipe, "--text", tmp_path / "text", "--init", init, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    check_summary(tmp_path / "out", init, ["en", "ro"])
    # in 180 pieces many sentences are too long: left out of training and validation, cut to be translated
    screen = done.stdout
    assert re.search(r"mBART: prepare/data/0/\w\w/valid: skipped 0 empty and [1-9]", screen)
    assert re.search(r"translation: prepare/data/0/\w\w/valid: skipped 0 empty and [1-9]", screen)
    assert "sentences are cut to 126 sub-tokens" in (tmp_path / "out" / "logs" / "score.log").read_text("utf-8")


@pytest.mark.skipif(not (REAL_TEXT / "mono").is_dir(), reason="there is no real text in ../shared/data")
def test_seeds_of_one_language_become_those_of_another(tmp_path):
    """The step `lexicon` alone: seeds of Nepali and English, through the words that Nepali shares with Hindi."""
    write_real_text(tmp_path / "text", *RECIPES["unmt_ne_en"])
    clean = tmp_path / "out" / "prepare" / "clean"
    clean.mkdir(parents=True)
    for language in ("ne", "hi", "en"):
        shutil.copy(str(tmp_path / "text" / "mono" / f"general.{language}.txt"), str(clean / f"{language}.txt"))
    frequent = ["लागि for", "एक one", "काम work", "समय time", "नाम name", "नयाँ new", "सबै all"]
    (tmp_path / "seeds").write_text("\n".join(frequent) + "\n", "utf-8")
    given = ["--text", tmp_path / "text", "--init", "lexicon", "--seeds", tmp_path / "seeds", "--step", "lexicon"]
    done = run("unmt_ne_en", "--out", tmp_path / "out", *given)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = tmp_path / "out" / "lexicon"
    lexicon = (folder / "seeds.hi-en.tsv").read_text("utf-8")
    assert "# bridge: ne" in lexicon and "\ttime\t" in lexicon
    for pair in ("ne-hi", "hi-en", "ne-en"):
        assert f"# languages: {pair.replace('-', ' ')}\n" in (folder / f"{pair}.tsv").read_text("utf-8")


def write_real_text(folder, languages, test, lines=2000, test_lines=60):
    """The first lines of the real text and of its test set."""
    for name in ("mono", "test"):
        (folder / name).mkdir(parents=True)
    for language in languages:
        with lzma.open(str(REAL_TEXT / "mono" / f"general.{language}.txt.xz"), "rt", encoding="utf-8") as text:
            (folder / "mono" / f"general.{language}.txt").write_text("".join(itertools.islice(text, lines)), "utf-8")
    for language in test.rsplit(".", 1)[-1].split("-"):
        with open(REAL_TEXT / "test" / f"{test}.{language}", encoding="utf-8") as text:
            (folder / "test" / f"{test}.{language}").write_text("".join(itertools.islice(text, test_lines)), "utf-8")


def check_training_text(folder, languages, pair):
    """No line of the test set is trained on: as many were dropped as the monolingual text holds."""
    for language in languages:
        text = (folder / "prepare" / "clean" / f"{language}.txt").read_text("utf-8").splitlines()
        counts = json.loads((folder / "prepare" / "clean" / f"{language}.json").read_text("utf-8"))
        if language in pair:
            test = (folder / "prepare" / "clean" / f"test.{language}").read_text("utf-8").splitlines()
            assert len(test) == 40 and not set(test) & set(text)
            assert counts["dropped"]["in the test sets"] == LEAKED
        assert len(text) == 500 == counts["lines"]


def check_summary(folder, init, pair):
    """The figures of the summary are those of the files that were scored, by sacreBLEU itself."""
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    for source, target in (pair, pair[::-1]):
        translations = [
            line.split("\t", 2)
            for line in (folder / "score" / f"{source}-{target}.txt").read_text("utf-8").splitlines()
            if line.startswith("D-")
        ]
        lines = [text for _, _, text in sorted(translations, key=lambda line: int(line[0][2:]))]
        references = (folder / "text" / f"test.{target}").read_text("utf-8").splitlines()
        expected = sacrebleu.corpus_bleu(lines, [references], force=True).score
        assert summary["bleu"][f"{source}-{target}"] == pytest.approx(expected, abs=0.01)
    assert set(summary["bleu"]) == {"-".join(pair), "-".join(reversed(pair))}
    assert all(direction["chrf"]["score"] > 0 for direction in summary["scores"].values())
    assert set(summary["baselines"]) == ({"copying", "word_by_word"} if init == "lexicon" else {"copying"})
    assert summary["init"] == init and summary["minutes"]["total"] > 0


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_the_first_screen_of_the_help_has_a_line_to_copy(recipe):
    shown = run(recipe, "--help").stdout.splitlines()[:24]
    assert f"  bash examples/{recipe}/run.sh --preset smoke --text DIR" in shown


@pytest.fixture
def environment(tmp_path):
    """A Python environment whose programs do nothing but make the files that the next one wants."""
    folder = tmp_path / "an environment" / "bin"
    folder.mkdir(parents=True)
    for name in ("train", "preprocess", "generate"):
        write_program(folder / f"fairseq-{name}", "exit")
    for name in ("ranks", "lexicon", "score"):
        write_program(folder / f"crossinit-{name}", "exit")
    write_program(
        folder / "crossinit-prepare",
        "mkdir -p prepare/clean prepare/pieces prepare/data/0 prepare/data/1 text; touch prepare/pieces/dict.txt "
        "prepare/clean/test.en prepare/clean/test.ro prepare/clean/test.ne",
    )
    write_program(folder / "python", f'case $1 in */summary.py) ;; *) exec "{sys.executable}" "$@" ;; esac')
    return str(folder.parent)


def write_program(path, line):
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def noted_commands(folder):
    """The commands of logs/commands.sh as lists of arguments."""
    text = (folder / "logs" / "commands.sh").read_text("utf-8").replace("\\\n", " ")
    return [shlex.split(line, comments=True) for line in text.splitlines() if shlex.split(line, comments=True)]


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_paths_with_blanks(recipe, tmp_path, environment):
    checkout = tmp_path / "a check out"
    checkout.mkdir()
    for name in ("scripts", "examples"):
        shutil.copytree(str(ROOT / name), str(checkout / name), ignore=shutil.ignore_patterns("out*", "__pycache__"))
    (tmp_path / "my text").mkdir()
    (tmp_path / "my seeds").write_text("one un\n")
    given = ["--init", "lexicon", "--seeds", tmp_path / "my seeds", "--text", tmp_path / "my text"]
    command = ["bash", checkout / "examples" / recipe / "run.sh", "--preset", "smoke", "--out", tmp_path / "my run"]
    done = programs.run(*command, *given, VENV=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    commands = noted_commands(tmp_path / "my run")
    assert {command[-1] for command in commands if command[0] == "cd"} == {str(tmp_path / "my run")}
    trained = [command for command in commands if command[0] == "fairseq-train"]
    assert [command[command.index("--task") + 1] for command in trained] == [
        "crossinit_pretrain",
        "crossinit_denoising",
        "crossinit_unmt",
    ]
    for one in trained:
        assert one[one.index("--user-dir") + 1] == str(checkout / "crossinit_fairseq")
    assert any(str(tmp_path / "my seeds") in command for command in commands)
    assert ["crossinit-prepare", "local", str(tmp_path / "my text")] in [command[:3] for command in commands]


@pytest.fixture
def training_options(tmp_path, environment):
    """A function: what a step would hand to fairseq-train, as fairseq reads it."""

    def read(recipe, preset, step, init="crossinit", **variables):
        given = ("--source", "web", "--out", tmp_path / "out", "--init", init, "--step", step)
        done = run(recipe, *given, preset=preset, **dict(variables, VENV=environment))
        assert done.returncode == 0, done.stderr
        parser = options.get_training_parser()
        read.given = noted_commands(tmp_path / "out")[-1][1:]
        return options.parse_args_and_arch(parser, list(read.given))

    return read


@pytest.mark.parametrize("recipe", sorted(RECIPES))
@pytest.mark.parametrize("preset", ["tiny", "base", "paper"])
def test_fairseq_reads_the_options_of_every_preset(recipe, preset, training_options):
    languages = ",".join(RECIPES[recipe][0])
    crossinit, mbart, translation = (
        training_options(recipe, preset, step, GPUS="8") for step in ("crossinit", "mbart", "translation")
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
    crossinit, translation = (
        training_options(recipe, preset, step, init="lexicon") for step in ("crossinit", "translation")
    )
    assert len(crossinit.lexicon.split(",")) == pairs and not crossinit.ranks
    assert crossinit.arch == translation.arch
    if preset == "tiny":  # which has no mBART between
        assert translation.finetune_from_model == "crossinit/checkpoint_last.pt"
        assert crossinit.start_as_copier
    else:
        mbart = training_options(recipe, preset, "mbart", init="lexicon")
        assert mbart.finetune_from_model == "crossinit/checkpoint_last.pt"
        assert translation.finetune_from_model == "mbart/checkpoint_best.pt"
    # a direction without a lexicon would be generated from the first update on
    directions = (translation.directions or "en-ro,ro-en").split(",")
    named = [one.split("=")[0].split("-") for one in translation.lexicon.split(",")]
    assert {"-".join(pair) for pair in named} | {"-".join(pair[::-1]) for pair in named} == set(directions)
    assert 0 < translation.lexicon_bt_updates < translation.max_update


def test_a_step_that_the_preset_does_not_have(tmp_path, environment):
    given = ("--source", "web", "--out", tmp_path / "out", "--init", "lexicon", "--step", "mbart")
    done = run("unmt_ro_en", *given, preset="tiny", VENV=environment)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "run.sh: --step mbart: preset tiny has none with --init lexicon; translation, which denoises too, comes next"
    )


def check_paper(crossinit, mbart, translation):
    """The preset has the paper's numbers; on 8 GPUs."""
    for stage, args in (("crossinit", crossinit), ("mbart", mbart), ("translation", translation)):
        for key, expected in PAPER[stage].items():
            assert value(getattr(args, key)) == expected, (stage, key)
        for key, expected in CARD.items():
            assert getattr(args, key) == expected, (stage, key)
        assert args.arch == "mbart_large"
    assert crossinit.span in SPANS and mbart.multilang_sampling_alpha == 0.5
    assert 8 * crossinit.batch_size == BATCH
    assert (
        8 * mbart.batch_size * mbart.update_freq[0] == BATCH == 8 * translation.batch_size * translation.update_freq[0]
    )


def test_the_yaml_file_is_the_preset_on_one_gpu(training_options):
    translation = training_options("unmt_ro_en", "paper", "translation", GPUS="1")
    config = yaml.safe_load((ROOT / "examples" / "config" / "unmt_paper.yaml").read_text("utf-8"))
    names = {
        "task": "task",
        "model": "arch",
        "criterion": "criterion",
        "optimizer": "optimizer",
        "lr_scheduler": "lr_scheduler",
    }
    # of the machine and of the run
    left_out = {"user_dir", "data", "save_dir", "finetune_from_model", "langs", "directions", "fp16", "base_layers"}
    compared = 0
    for section, settings in config.items():
        assert settings.pop("_name", None) == (getattr(translation, names[section]) if section in names else None)
        for key in settings.keys() - left_out:
            assert value(getattr(translation, key)) == value(settings[key]), (section, key)
            compared += 1
    assert compared > 40
    # and nothing that the recipe gives is missing in the file
    keys = {key for settings in config.values() for key in settings} | left_out
    given = {word[2:].replace("-", "_") for word in training_options.given if word.startswith("--")}
    assert given - keys - set(names.values()) - {"share_all_embeddings"} == set()


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 6, 8, 16, 32, 64, 128, 256, 300])
def test_the_papers_batch_on_any_number_of_gpus(workers):
    script = 'GPUS=$1 HALF= INIT=crossinit; source "$2"; echo "$BATCH|$EACH"'
    preset = ROOT / "scripts" / "unmt" / "presets" / "paper.sh"
    done = programs.run("bash", "-euc", script, "bash", str(workers), preset)
    batch, pairs = done.stdout.strip().split("|")
    sentences, frequency = (int(word) for word in batch.split()[1::2])
    together = workers * sentences * frequency
    if BATCH % workers == 0:
        assert together == BATCH == workers * int(pairs) and sentences <= 8 and done.stderr == ""
    else:
        # no other number of whole batches of 8 is nearer
        assert abs(together - BATCH) <= 4 * workers or (workers > BATCH and together == workers)
        assert f"a batch is {together} sentences" in done.stderr
