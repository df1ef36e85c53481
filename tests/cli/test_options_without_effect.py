"""Options of the console commands that would have no effect beside others: they are refused, not passed over."""

import importlib
import os
import pathlib
import subprocess

import pytest

SCORE = "score --pair en-ro --reference test.ro"


@pytest.mark.parametrize(
    "words, said",
    [
        (
            "analyze t.vec --ranks en=en.tsv --out o --table decoder.embed_tokens.weight",
            "--table has no effect without",
        ),
        ("analyze a=t.vec b=t.safetensors --ranks en=en.tsv --out o --dict d", "--dict has no effect without a checkp"),
        ("score --task xnli --reference en=x --tokenizer zh s", "--tokenizer has no effect with --task xnli"),
        ("score --task mlqa --reference en=x --bootstrap 9 s", "--bootstrap has no effect with --task mlqa"),
        ("score --task mlqa --reference en=x --seed 9 s", "--seed has no effect with --task mlqa"),
        ("score --task mlqa --reference en=x --train en=t s", "--train has no effect with --task mlqa"),
        ("score --task xnli --reference en=x --rules mlqa s", "--rules has no effect with --task xnli"),
        (f"{SCORE} --rules mlqa out", "--rules has no effect without --task xnli or mlqa"),
        (f"{SCORE} --train en=t out", "--train has no effect without --task xnli or mlqa"),
        ("prepare download --recipe ro-en --list --yes", "--yes has no effect with --list, which fetches nothing"),
        ("prepare download --recipe ro-en --list --out text", "--out has no effect with --list"),
        (
            "ranks count --lang en --wordfreq --lowercase",
            "--lowercase has no effect with --wordfreq, all of whose words",
        ),
        ("score --table a.json --seed 3", "--seed has no effect with --table"),
        ("score --table a.json --bootstrap 1000", "--bootstrap has no effect with --table"),
        (f"{SCORE} --bootstrap 0 --seed 12345 out", "--seed has no effect with --bootstrap 0"),
        (f"{SCORE} --metrics chrf --tokenizer char out", "--tokenizer has no effect without bleu among --metrics"),
        ("ranks count --lang en --list --workers 2 words", "--workers has no effect on a ready list"),
        ("ranks count --lang en --wordfreq --workers 2", "--workers has no effect on a ready list"),
        ("ranks count --lang en --dask tcp://a:1 --workers 2 text", "--workers has no effect on a cluster"),
        (
            "lexicon induce --text en=a --text ro=b --dask tcp://a:1 --workers 2",
            "--workers has no effect on a cluster",
        ),
        (
            "prepare vocabulary --langs en --model m --out o --size 9",
            "--size has no effect with --model, which is ready",
        ),
        ("prepare vocabulary --langs en --model m --out o --alpha 0.5", "--alpha has no effect with --model"),
        ("prepare vocabulary --langs en --model m --out o --text t", "--text has no effect with --model"),
        ("retrieve d --path c --words en-ro=w --max-sentences 9", "--max-sentences has no effect without --sentences"),
    ],
)
def test_they_are_refused(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, *arguments = words.split()
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"crossinit_fairseq.cli.{name}").main(arguments)
    assert ended.value.code == 2 and said in capsys.readouterr().err and not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words, said",
    [
        # the same without what made the option idle goes on, to a file that is not there
        ("analyze x.pt --ranks en=en.tsv --out o --table decoder.embed_tokens.weight", "en.tsv cannot be read"),
        (f"{SCORE} --bootstrap 9 --seed 12345 --metrics bleu,chrf --tokenizer char out", "test.ro cannot be read"),
        (f"{SCORE} --seed 0 out", "test.ro cannot be read"),
        ("retrieve d --path c --sentences en=a --sentences ro=b --max-sentences 9", "a cannot be read"),
        ("ranks count --lang en --workers 2 text", "text does not exist"),
    ],
)
def test_where_they_have_an_effect_they_are_taken(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, *arguments = words.split()
    assert importlib.import_module(f"crossinit_fairseq.cli.{name}").main(arguments) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, said",
    [
        ("captions --inits random,oracle --induction x", "--induction has no effect without lexicon among --inits"),
        ("evidence --tables oracle,spans-flat --span 9", "--span has no effect without short spans among --tables"),
        ("evidence --tables spans --wide 9", "--wide has no effect without spans-flat or spans-stop among"),
        ("evidence --tables spans-flat,spans --stops 9", "--stops has no effect without spans-stop among"),
        ("unmt_ro_en --source web --text .", "--text has no effect with --source web: leave it out"),
        # where they have one, what is wrong is another
        ("captions --inits lexicon,oracle --induction x --seeds x", "--seeds takes numbers"),
        ("evidence --tables spans-within,spans-stop --span 9 --wide 9 --stops 9 --cldr x", "--cldr is yes or no"),
        ("unmt_ro_en --source local --text . --seed x", "--seed is a number"),
        ("unmt_ro_en --source web --seed x", "--seed is a number"),  # $CROSSINIT_TEXT is no option
    ],
)
def test_recipes_refuse_them_too(words, said, tmp_path):
    name, *options = words.split()
    script = pathlib.Path(__file__).parents[2] / "examples" / name / "run.sh"
    done = subprocess.run(
        ["bash", str(script), *options, "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env={**os.environ, "CROSSINIT_TEXT": str(tmp_path), "VENV": str(tmp_path)},
    )
    assert done.returncode == 2 and said in done.stderr and not any(tmp_path.iterdir())


def test_the_doctor_looks_at_what_the_command_names(tmp_path, capsys):
    """Not at another folder, given before --."""
    doctor = importlib.import_module("crossinit_fairseq.cli.doctor").main
    words = ["--", "fairseq-train", str(tmp_path), "--save-dir", f"{tmp_path}/save"]
    assert doctor([str(tmp_path / "other"), *words]) == 1
    assert f"the data folder is {tmp_path}/other before --, and {tmp_path} in the com" in capsys.readouterr().err
    assert doctor(["--save-dir", str(tmp_path), *words]) == 1
    assert f"--save-dir is {tmp_path} before --, and {tmp_path}/save in the command" in capsys.readouterr().err


@pytest.mark.parametrize("pieces", ["", "own.model"])
def test_the_recipes_give_none_of_them(pieces, tmp_path, monkeypatch, capsys):
    """`--pieces FILE` of the translation recipes stands in place of training a model."""
    monkeypatch.chdir(tmp_path)
    steps = pathlib.Path(__file__).parents[2] / "scripts" / "unmt" / "steps.sh"
    script = 'run() { echo "$@"; }; source "$1"; prepare'
    settings = dict(PIECES=pieces, LANGS="en,ro", VOCABULARY="90", SEED="1", SHARDS="1", VALID="1", LINES="")
    done = subprocess.run(
        ["bash", "-c", script, "bash", str(steps)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        universal_newlines=True,
        env={**os.environ, **settings},
    )
    (words,) = [line.split() for line in done.stdout.splitlines() if line.startswith("crossinit-prepare vocabulary")]
    assert (pieces in words) == ("--size" not in words)
    assert importlib.import_module("crossinit_fairseq.cli.prepare").main(words[1:]) == 1
    assert "does not exist" in capsys.readouterr().err
