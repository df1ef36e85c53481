"""examples/unmt_ro_en and examples/unmt_ne_en: what stops them, and what they say then."""

import os

import pytest

from tests.examples import small_text
from tests.examples.unmt_recipes import RECIPES, run


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
    for step in ("text", "prepare"):
        done = run("unmt_ro_en", "--text", tmp_path / "text", "--out", tmp_path / "out", "--step", step)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "prepare" / "data" / "1" / "ro" / "train.idx").exists()


@pytest.mark.parametrize(
    "given, message",
    [
        (["--init", "zero"], "--init names crossinit, lexicon, random, FILE.vec and FILE.safetensors, not zero"),
        (["--seeds", __file__], "--seeds belongs to --init lexicon, not to --init crossinit"),
        (["--init", "lexicon", "--seeds", "/nowhere/at/all"], "--seeds: there is no file"),
        (["--source", "tape"], "--source is local or web, not tape"),
        (["--text", "/nowhere/at/all"], "there is no folder /nowhere/at/all"),
        (["--prepared", "/nowhere/at/all"], "holds no prepared data"),
        (["--pieces", "/nowhere/at/all"], "there is no file"),
        (["--seed", "x"], "--seed is a number"),
        (["--size", "3"], "unknown option --size"),
        (["--step", "5_mbart"], "--step is none of the steps: 5_mbart"),
    ],
)
def test_wrong_options(tmp_path, given, message):
    done = run("unmt_ne_en", "--out", tmp_path / "out", *given)
    assert done.returncode == 2 and message in done.stderr


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("GPUS", "two", "GPUS says how many GPUs there are, in digits, not two"),
        ("GPUS", "-1", "in digits, not -1"),
        ("GPUS", "08", "in digits, not 08"),
        ("SLURM_NTASKS", "4(x2)", "SLURM_NTASKS is the number of tasks of a job, not 4(x2)"),
        ("SLURM_NTASKS", "0", "SLURM_NTASKS is the number of tasks of a job, not 0"),
    ],
)
def test_wrong_numbers_in_the_environment(tmp_path, name, value, message):
    done = run("unmt_ne_en", "--text", tmp_path, "--out", tmp_path / "out", preset="paper", **{name: value})
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_without_text_three_lines_say_what_to_give_and_its_cost(recipe, tmp_path):
    done = run(recipe, "--out", tmp_path / "out")
    first, text, web = done.stderr.splitlines()
    assert done.returncode == 2 and first.startswith("run.sh: there is no text yet")
    assert text.startswith("  --text DIR") and RECIPES[recipe][1] in text and "a few MB" in text
    assert web.startswith("  --source web") and "a few GB" in web and "GB of CC-100" in web
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_said(tmp_path):
    small_text.write_folder(str(tmp_path / "text"), ["en", "ro"], "other.en-ro")
    full = tmp_path / "df"
    full.write_text("#!/bin/sh\necho Filesystem Size Used Available\necho disk 100 100 0\n")
    full.chmod(0o755)
    path = "{}:{}".format(tmp_path, os.environ["PATH"])
    done = run("unmt_ro_en", "--text", tmp_path / "text", "--out", tmp_path / "out", PATH=path)
    assert done.returncode == 1 and "no space left" in done.stderr
