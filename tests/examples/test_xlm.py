"""examples/xlm and examples/fast_xnli, at the smallest size, on toy text."""

import json
import lzma
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from crossinit_fairseq.data.dictionary import read_symbols
from tests import program_server
from tests.conftest import load
from tests.finetuning import toy
from tests.programs import run

ROOT = Path(__file__).parents[2]
LANGUAGES = ("en", "de", "hi")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """A folder of one's own, as examples/xlm/text.py describes it."""
    folder, rng = tmp_path_factory.mktemp("text"), np.random.default_rng(0)
    for seed, language in enumerate(LANGUAGES):
        lines = [" ".join(toy.words(rng, language, rng.integers(3, 10))) for _ in range(200)]
        (folder / f"mono.{language}").write_text("\n".join(lines) + "\n", "utf-8")
        (folder / f"aligned.{language}").write_text("\n".join(lines[:20]) + "\n", "utf-8")
        toy.nli_file(folder / f"nli.test.{language}.tsv", language, 12, seed)
        if language != "hi":  # as most languages of XNLI have no MLQA
            toy.qa_file(folder / f"qa.test.{language}.json", language, 4, seed)
    (folder / "words.en-de.txt").write_text("".join(f"e{k} d{k}\n" for k in range(12)), "utf-8")
    toy.nli_file(folder / "nli.train.en.tsv", "en", 40, 5)
    toy.nli_file(folder / "nli.dev.en.tsv", "en", 12, 6)
    toy.qa_file(folder / "qa.train.en.json", "en", 20, 7)
    toy.qa_file(folder / "qa.dev.en.json", "en", 4, 8)
    return folder


def recipe(name, *arguments):
    environment = {"VENV": str(program_server.environment()), "PYTHONPATH": str(ROOT)}
    return run("bash", ROOT / "examples" / name / "run.sh", *arguments, **environment)


def files(folder):
    """{path: when it was last written} of all that a run has."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


@pytest.fixture(scope="module")
def finished(text, tmp_path_factory):
    """A run of all steps from a random table."""
    out = tmp_path_factory.mktemp("xlm") / "out"
    done = recipe("xlm", "--text", text, "--preset", "smoke", "--init", "random", "--out", out)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return out, done


def test_xlm_ends_with_tables_of_all_tasks(finished):
    out, done = finished
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    for name, metrics, languages in (("xnli", ["accuracy"], LANGUAGES), ("qa", ["f1", "em"], ("en", "de"))):
        scores = summary[name]["systems"]["random"]
        assert list(scores) == metrics and list(scores[metrics[0]]["languages"]) == list(languages)
    retrieved = summary["retrieval"]["random"]
    assert set(retrieved["sentences"]) == {"en-de", "en-hi", "de-hi"} and set(retrieved["words"]) == {"en-de"}
    assert set(summary["minutes"]["random-1"]) == {"mlm", "retrieval", "xnli", "qa", "total"}
    for told in ("majority class", "word overlap", "sentence by word overlap", "best layer", "minutes a run"):
        assert told in done.stdout
    assert (out / "scores.txt").read_text("utf-8") in done.stdout


def test_a_second_call_repeats_nothing_and_other_tasks_repeat_no_training(finished, text):
    out = finished[0]
    before = files(out / "runs")
    command = ["--text", text, "--preset", "smoke", "--out", out]
    again = recipe("xlm", *command, "--inits", "random")
    assert again.returncode == 0 and again.stdout.count("done before") == 7, again.stdout
    fewer = recipe("xlm", *command, "--inits", "random", "--tasks", "retrieval")
    assert fewer.returncode == 0 and fewer.stdout.count("done before") == 5 and "XNLI" not in fewer.stdout
    changed = {path.name for path, when in files(out / "runs").items() if before.get(path) != when}
    assert changed == {"run.done"}
    # text that was moved is linked anew, and nothing more
    moved = text.rename(text.with_name("moved"))
    again = recipe("xlm", "--text", moved, *command[2:], "--inits", "random")
    assert again.returncode == 0 and again.stdout.count("done before") == 6, again.stdout
    assert (out / "text" / "mono.en").resolve() == moved.resolve() / "mono.en"
    moved.rename(text)


def test_fast_xnli(text, tmp_path):
    """From CrossInit; the random start is tested above."""
    options = ["--preset", "smoke", "--inits", "crossinit", "--seeds", "1"]
    done = recipe("fast_xnli", "--text", text, *options, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert set(summary["xnli"]["systems"]) == {"crossinit"} and "qa" not in summary
    assert "Table 3: XLM-tiny-3, CrossInit" in done.stdout
    logs = tmp_path / "out" / "runs" / "crossinit-1" / "logs"
    assert re.search(r"finetune_from_model': '?table/checkpoint_last.pt", (logs / "mlm.log").read_text("utf-8"))


def test_a_lexicon_and_a_file_of_embeddings_are_starts(text, tmp_path):
    """Half of the words are alike, so that there is a lexicon; rows of the file are found by their symbols."""
    folder = tmp_path / "text"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for language in ("en", "de"):
        numbers = np.minimum(rng.zipf(1.3, 4000), 400)
        words = [f"{'w' if number % 2 else language}{number}" for number in numbers]
        lines = [" ".join(words[at : at + 8]) for at in range(0, len(words), 8)]
        (folder / f"mono.{language}").write_text("\n".join(lines) + "\n", "utf-8")
        (folder / f"aligned.{language}").write_text("\n".join(lines[:20]) + "\n", "utf-8")
    vectors = tmp_path / "mine.vec"
    vectors.write_text("2 32\n1" + " 0.5" * 32 + "\nnowhere" + " 1" * 32 + "\n", "utf-8")
    options = ["--preset", "smoke", "--langs", "en,de", "--tasks", "retrieval", "--inits", f"lexicon,{vectors}"]
    done = recipe("xlm", "--text", folder, *options, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert set(summary["retrieval"]) == {"lexicon", "mine"}
    runs = tmp_path / "out" / "runs"
    saved = load(runs / "mine-1" / "table" / "checkpoint_last.pt")["model"]
    table = saved["encoder.sentence_encoder.embed_tokens.weight"]
    row = read_symbols(str(tmp_path / "out" / "data" / "dict.txt")).index("1")
    assert table[row].tolist() == [0.5] * 32 and (table == 0.5).all(1).sum() == 1
    assert "mutual" in (runs / "lexicon-1" / "table" / "en-de.tsv").read_text("utf-8")
    # what the table alone retrieves, from another folder than that of the run
    data, table = tmp_path / "out" / "data", runs / "lexicon-1" / "table" / "checkpoint_last.pt"
    aligned = [f"--sentences={language}={folder}/aligned.{language}" for language in ("en", "de")]
    module = [program_server.python(), "-m", "crossinit_fairseq.cli.retrieve"]
    done = run(*module, data, "--path", table, *aligned, PYTHONPATH=str(ROOT))
    assert done.returncode == 0 and done.stdout.split()[:3] == ["table", "layer", "0"], done.stderr


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((), "--text is needed"),
        (("--source", "there"), "--source is local or web, not there"),
        (("--source", "web", "--text", "TEXT"), "--text has no effect with --source web"),
        (("--text", "TEXT", "--preset", "paper"), "has no nli.test.fr.tsv, which the task xnli needs"),
        (("--text", "/nowhere"), "no folder /nowhere"),
        (("--text", "TEXT", "--langs", "de,en"), "--langs is en and others, such as en,de,hi, not de,en"),
        (("--text", "TEXT", "--langs", "en,fr"), "has no nli.test.fr.tsv, which the task xnli needs"),
        (("--text", "TEXT", "--langs", "en,../x"), "../x is no language code"),
        (("--text", "BARE", "--tasks", "retrieval"), "has neither aligned.LANG nor words.en-LANG.txt"),
        (("--text", "TEXT", "--preset", "huge"), "--preset is smoke, tiny, base or paper, not huge"),
        (("--text", "TEXT", "--init", "oracle"), "--inits names random, crossinit, lexicon, FILE.vec"),
        (("--text", "TEXT", "--inits", "random,random"), "two starts are called random"),
        (("--text", "TEXT", "--inits", "/nowhere/a.vec"), "there is no file /nowhere/a.vec"),
        (
            ("--text", "TEXT", "--inits", "random,WIDE"),
            "wide.vec has 48 dimensions, and the model of preset tiny has 128",
        ),
        (
            ("--text", "TEXT", "--inits", "random,NONE"),
            "none.vec does not begin with its numbers of rows and dimensions",
        ),
        (("--text", "TEXT", "--inits", "random", "--init", "random"), "give one of them"),
        (("--text", "TEXT", "--tasks", "xnli,squad"), "--tasks names retrieval, xnli and qa, not xnli,squad"),
        (("--text", "TEXT", "--seeds", "1,x"), "--seeds takes numbers and commas, not 1,x"),
        (("--text", "TEXT", "--jobs", "0"), "--jobs is a number, not 0"),
    ],
)
def test_wrong_options_are_one_sentence(text, tmp_path, arguments, message):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "mono.en").write_text("a\n", "utf-8")
    (tmp_path / "wide.vec").write_text("\ufeff2 48\r\n", "utf-8")
    (tmp_path / "none.vec").write_bytes(b"\x1f\x8b\x00")
    folders = {"TEXT": text, "BARE": tmp_path / "bare", "WIDE": tmp_path / "wide.vec", "NONE": tmp_path / "none.vec"}
    arguments = [re.sub(r"\b[A-Z]+\b", lambda name: str(folders[name.group()]), word) for word in arguments]
    done = recipe("xlm", *arguments, "--out", tmp_path / "out")
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_rules_that_do_not_know_a_language_are_refused_before_the_training(text, tmp_path):
    folder = tmp_path / "text"
    folder.mkdir()
    for path in text.iterdir():
        (folder / path.name).symlink_to(path)
    toy.qa_file(folder / "qa.test.fr.json", "fr", 4, 1)
    (folder / "nli.test.fr.tsv").symlink_to(text / "nli.test.de.tsv")
    done = run("bash", ROOT / "examples" / "xlm" / "run.sh", "--text", folder, "--langs", "en,fr", RULES="mlqa")
    assert done.returncode == 2 and "and " + str(folder) + " has qa.test.fr.json: give RULES=squad" in done.stderr


@pytest.mark.parametrize("name", ["xlm", "fast_xnli"])
def test_text_from_the_web_is_asked_for(name, tmp_path):
    """Of a proxy that is not there; tests/preparation/downloads/test_xlm_text.py has the rest."""
    pytest.importorskip("requests")
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    environment = {"VENV": str(program_server.environment()), "PYTHONPATH": str(ROOT), **nowhere}
    recipe = ROOT / "examples" / name / "run.sh"
    done = run("bash", recipe, "--source", "web", "--preset", "smoke", "--out", tmp_path / "out", **environment)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "wikimedia/wikipedia" in done.stderr and "cannot be fetched from huggingface.co" in done.stderr


@pytest.fixture
def samples(tmp_path):
    """A folder of samples: 14 premises of XNLI with 3 pairs each would be too few to choose by, so there are 300."""
    folder = tmp_path / "samples"
    for name in ("mono", "nli", "qa", "muse"):
        (folder / name).mkdir(parents=True)
    rows = ["pair_ID\tsentence_A\tsentence_B\tentailment_label"]
    rows += [f"{k}\tsick a{k}\tsick b{k}\tNEUTRAL" for k in range(9)]
    (folder / "nli" / "SICK.txt").write_text("\n".join(rows) + "\n", "utf-8")
    for language in ("en", "de"):
        pairs = [f"{language} premise {k // 3}\t{language} hypothesis {k}\tneutral\n" for k in range(900)]
        (folder / "nli" / f"dev.{language}.tsv").write_text("".join(pairs), "utf-8")
        lines = [f"{language} premise {k}" for k in (0, 299)] + [f"{language} text {k}" for k in range(5)]
        with lzma.open(str(folder / "mono" / f"general.{language}.txt.xz"), "wt", encoding="utf-8") as stream:
            stream.write("\n".join(lines) + "\n")
        articles = [{"title": f"{language} {k}", "paragraphs": []} for k in range(48)]
        (folder / "qa" / f"xquad.{language}.json").write_text(json.dumps({"data": articles}), "utf-8")
    (folder / "qa" / "dev.en.json").write_text(json.dumps({"data": [{"title": "mlqa", "paragraphs": []}]}), "utf-8")
    (folder / "muse" / "en-de.test.txt").write_text("cat Katze\n", "utf-8")
    return folder


def lay_out(samples, out):
    return run(
        sys.executable, ROOT / "examples" / "xlm" / "text.py", "--data", samples, "--langs", "en,de", "--out", out
    )


def test_no_translation_of_what_is_tested_is_trained_on(samples, tmp_path):
    out = tmp_path / "text"
    assert lay_out(samples, out).returncode == 0

    def premises(name):
        lines = (out / name).read_text("utf-8").splitlines()
        return {line.split("\t")[0].split()[-1] for line in lines if " premise " in line}

    # 900 pairs: the first 450 train, 345 choose, 105 test
    train, choose, test = premises("nli.train.en.tsv"), premises("nli.dev.en.tsv"), premises("nli.test.de.tsv")
    assert (len(train), len(choose), len(test)) == (150, 115, 35)
    assert not train & choose and not train & test and not choose & test and premises("nli.test.en.tsv") == test
    assert len((out / "nli.train.en.tsv").read_text("utf-8").splitlines()) == 450 + 9
    assert "en premise 299" not in (out / "mono.en").read_text("utf-8")
    assert "de premise 0\n" in (out / "mono.de").read_text("utf-8")
    titles = {
        name: {article["title"] for article in json.loads((out / name).read_text("utf-8"))["data"]}
        for name in ("qa.train.en.json", "qa.dev.en.json", "qa.test.en.json", "qa.test.de.json")
    }
    assert [len(found) for found in titles.values()] == [25, 6, 18, 18]
    numbers = [{title.split()[-1] for title in found} for found in titles.values()]
    assert not numbers[0] & numbers[3] and not numbers[1] & numbers[3] and numbers[2] == numbers[3]
    aligned = [(out / f"aligned.{language}").read_text("utf-8").split("\n")[:2] for language in ("en", "de")]
    assert aligned == [[f"{language} hypothesis {k}" for k in (795, 796)] for language in ("en", "de")]


def test_samples_that_lack_a_file_are_one_sentence(samples, tmp_path):
    os.remove(str(samples / "nli" / "SICK.txt"))
    done = lay_out(samples, tmp_path / "text")
    assert done.returncode == 1 and "SICK.txt cannot be read" in done.stderr and done.stderr.count("\n") == 1
    done = lay_out(tmp_path, tmp_path / "text")
    assert done.returncode == 1 and "has neither mono.en nor mono/general.en.txt.xz" in done.stderr
