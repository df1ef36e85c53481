"""examples/evidence: its tables against fairseq-train's, its dictionaries and figures by hand, and the recipe at its
smallest."""

import json
import math
import os
import random
import shutil
from pathlib import Path

import pytest
import torch

from crossinit_fairseq.export.checkpoint import Checkpoint
from crossinit_fairseq.lexicon.lexicon_file import FORWARD, Lexicon, Pair
from crossinit_fairseq.text_files import read_lines
from tests import program_server
from tests.conftest import TINY_MODEL, train, write_split
from tests.programs import modules_of, run

ROOT = Path(__file__).parents[2]
EVIDENCE = ROOT / "examples" / "evidence"
SOME = "random,spans-flat,spans-stop,spans-within,lexicon-exchanged,words-within,lexicon-then-spans,oracle"
pytest.importorskip("safetensors", reason="needs the extra export")


def program(name):
    """A program of the example, as a module."""
    return modules_of(EVIDENCE, name)[0]


@pytest.fixture(scope="module")
def tables():
    return program("tables")


@pytest.fixture(scope="module")
def lexicon():
    """a0 to a39 and b0 to b39, of like counts; a0 has a second translation, which is not mutual."""
    pairs = [Pair(f"a{k}", f"b{k}", 0.9, (100 - k, 90 - k)) for k in range(40)]
    return Lexicon("aa", "bb", pairs + [Pair("a0", "b1", 0.5, (100, 89), FORWARD)], {"lowercase": "yes"})


def test_tables_are_those_of_fairseq_train(data_folder, tmp_path, tables, lexicon):
    """The same draws, loss, clipping, rates and scale, from the same start: equal up to rounding."""
    lexicon.save(str(tmp_path / "lexicon.tsv"))
    options = (
        "--task crossinit_pretrain --criterion crossinit --arch transformer --seed 3 --span 5 --max-rank 40 --rescale "
    )
    options += "--lexicon-beside-spans --batch-size 16 --updates-per-epoch 4 --max-update 6 --optimizer adam --lr 0.02 "
    options += (
        f"--clip-norm 1.0 --langs aa,bb --lexicon aa-bb={tmp_path}/lexicon.tsv --num-workers 0 --data-buffer-size 0"
    )
    train(data_folder, tmp_path / "save", options, TINY_MODEL)
    words = tables.Words(str(data_folder), ("aa", "bb"), 3)
    checkpoint = Checkpoint(str(tmp_path / "save" / "checkpoint_last.pt")).table(words.symbols).values
    start = tables.random_table(words.symbols, 16, 3)
    setting = tables.Setting(draws=16, updates=6, epoch=4, rate=0.02)
    got = tables.Run(words, start, setting, words.spans(5, 40), words.pairs(lexicon)).go().rescaled()
    assert (checkpoint - start).abs().max() > 0.05
    torch.testing.assert_close(got, checkpoint, rtol=1e-3, atol=1e-5)


def test_within_draws_no_pair_across(data_folder, tables, lexicon):
    words = tables.Words(str(data_folder), ("aa", "bb"), 1)
    sampler, _ = words.spans(5, 40, within=True)
    draws = sampler.draw(64, 1, 0)
    assert (draws.left == draws.right).all() and set(draws.left) == {0, 1}
    assert (draws.high - draws.low).max() == 5
    own = words.with_themselves(lexicon)
    assert [one.source for one in own.lexicons] == [one.target for one in own.lexicons] == ["aa", "bb"]
    for one, letter in zip(own.lexicons, "ab"):
        assert all(pair.source == pair.target for pair in one.pairs)
        # of 14 numbers in a row two have another word in the toy text, a3s for a3
        assert {pair.words[0] for pair in one.pairs} == {f"{letter}{k}" for k in range(40) if k % 14 not in (3, 10)}


def test_exchanged_translations_are_of_like_counts(tables):
    pairs = [Pair(f"a{k}", f"b{k}", 0.9, (1000 - k, 900 - k)) for k in range(250)]
    lexicon = Lexicon("aa", "bb", list(reversed(pairs)), {"lowercase": "yes"})
    mixed = tables.exchanged(lexicon, 1)
    assert mixed.lowercase and len(mixed.mutual()) == 250
    numbers = [(int(pair.source[1:]), int(pair.target[1:])) for pair in mixed.pairs]
    # groups of 100, 100 and 50: each word once, and from its own group
    assert sorted(right for _, right in numbers) == list(range(250))
    assert all(left // 100 == right // 100 for left, right in numbers)
    assert sum(left == right for left, right in numbers) < 20
    assert tables.exchanged(lexicon, 1) == mixed != tables.exchanged(lexicon, 2)


def test_flat_is_three_validations_without_a_step_down(tables):
    losses = [1.0, 0.9, 0.899, 0.898, 0.89, 0.8899, 0.8898, 0.8897]

    class Run:
        def valid_loss(self):
            return losses.pop(0)

    ends = tables.until_flat()
    # in steps of 0.005: 1.0, 0.9, 0.9, 0.9, 0.89, 0.89, 0.89, 0.89: the third without a step down is the eighth
    assert [ends(Run()) for _ in range(8)] == [False] * 7 + [True]


def test_dictionary_in_both_directions(tmp_path):
    (tmp_path / "aligned.en").write_text("the dog\nthe cat\n" * 3, encoding="utf-8")
    (tmp_path / "aligned.fr").write_text("le chien\nle chat\n" * 3, encoding="utf-8")
    arguments = ["--langs", "en,fr", "--aligned", str(tmp_path / "aligned"), "--out", str(tmp_path)]
    program("dictionary").main(arguments)
    # the and le stand in every line, so chance has them together as often
    assert sorted(read_lines(str(tmp_path / "en-fr.txt"))) == ["cat chat", "dog chien"]
    assert sorted(read_lines(str(tmp_path / "fr-en.txt"))) == ["chat cat", "chien dog"]
    with pytest.raises(SystemExit, match="dictionary.py: .*nowhere.en cannot be read"):
        program("dictionary").main(["--langs", "en,fr", "--aligned", "nowhere", "--out", str(tmp_path)])


def claim(what, table, value, verdict="evidence: above every control"):
    controls = [{"name": name, "value": 0.01, "limit": 0.02} for name in ("random table", "rank-only table", "words")]
    first = {"variant": "as it is", "value": value, "controls": controls}
    return {
        "what": what,
        "table": table,
        "verdict": verdict,
        "findings": [first, {"variant": "less", "value": value / 2}],
    }


def write_report(out, seed, shift):
    (out / f"look-{seed}").mkdir()
    (out / f"tables-{seed}").mkdir()
    (out / f"tables-{seed}" / "updates.tsv").write_text(f"x\t{100 + seed}\n", encoding="utf-8")
    ways = [(metric, way) for metric in ("cosine", "CSLS") for way in ("en to fr", "fr to en")]
    claims = [claim(f"P@1 by {metric}, {way}", "x", 0.5 + shift) for metric, way in ways[1:]]
    claims.append(claim("P@1 by cosine, en to fr", "x", 0.3 + shift, "no evidence: reached by words (0.9)"))
    claims.append(claim("keeps its shape, CKA, en", "x", 0.7))
    claims.append(claim("cos(a - b + c, d (en))", "x", 0.2))
    claims.append(claim("cos(a - b + c, d (fr))", "x", 0.6, "no evidence: reached by words (0.9)"))
    spread = {"table": "x", "directions": 50.0, "isotropy": 0.25}
    band = {"table": "x", "metric": "cosine", "1-100 (9)": 0.4 + shift}
    sections = [
        {"title": "How the words are spread", "parts": ["text", {"table": "", "rows": [spread]}]},
        {"title": "Words found from en to fr", "parts": [{"table": "P@1 by rank of the source word", "rows": [band]}]},
    ]
    report = json.dumps({"claims": claims, "sections": sections})
    (out / f"look-{seed}" / "report.json").write_text(report, encoding="utf-8")


def test_results_worked_by_hand(tmp_path, capsys):
    write_report(tmp_path, 1, 0.0)
    write_report(tmp_path, 2, 0.2)
    program("results").main(["--out", str(tmp_path), "--langs", "en,fr", "--seeds", "1,2"])
    told = capsys.readouterr().out
    # 0.3 and 0.5: mean 0.4, deviation sqrt(2) / 10; three of four P@1 are evidence
    deviation = f"{100 * math.sqrt(2) / 10:.1f}"
    assert f"| x | 40.0 \u00b1 {deviation} | 60.0 \u00b1 {deviation} |" in told
    assert "| 75.0 \u00b1 0.0 | 50.0 \u00b1 0.0 | 25.0 \u00b1 0.0 | 101.5 \u00b1 0.7 |" in told
    assert "| rank-only table | 1.0 \u00b1 0.0 |" in told
    assert f"| table | en-fr 1-100 (9) |\n| --- | --- |\n| x | 50.0 \u00b1 {deviation} |" in told
    assert "keeps its shape, CKA, en, figure: x 70.0" in told
    assert "analogies in all mixes, mean cosine: x 40.0" in told and "in all mixes, evidence: x 50.0" in told
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert summary["tables"]["x"]["P@1 cosine en-fr"] == [0.3, 0.5] and summary["tables"]["x"]["updates"] == [101, 102]
    with pytest.raises(SystemExit, match="the report of seed 3 cannot be read"):
        program("results").main(["--out", str(tmp_path), "--langs", "en,fr", "--seeds", "3"])


@pytest.mark.parametrize(
    "options, told",
    [
        (["--langs", "en"], "--langs is two languages"),
        (["--langs", "en,../x"], "--langs: ../x is no language code"),
        (["--seeds", "1,x"], "--seeds takes numbers"),
        (["--tables", "spans,half"], "--tables: there is no half"),
        (["--stops", "many"], "--stops takes numbers"),
        (["--stops", "4,0"], "--stops takes numbers from 1 on"),
        (["--wide", "0"], "--wide is a number"),
        (["--cldr", "maybe"], "--cldr is yes or no"),
        (["--analogy", "en=king"], "--analogy takes LANG=A,B,C,D of en or fr"),
        (["--analogy", "de=a,b,c,d"], "--analogy takes LANG=A,B,C,D of en or fr"),
        (["--text", "/nowhere"], "no folder /nowhere"),
        (["--run", "/nowhere"], "/nowhere holds no data/en/train.bin; run.sh of examples/captions"),
        (["--induction", "--restarts 1", "--tables", "random,spans"], "--induction has no effect without a lexicon"),
        (["--text", "/", "--run", "/"], "give one of them"),
    ],
)
def test_wrong_options_are_told_before_anything_runs(options, told):
    done = run("bash", EVIDENCE / "run.sh", *options)
    assert done.returncode == 2 and told in done.stderr and done.stdout == ""


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    """What another recipe leaves: lines of 220 words in English, and in a cipher of them that keeps one word in six."""
    sentencepiece = pytest.importorskip("sentencepiece")
    from fairseq.data import Dictionary

    from crossinit_fairseq.data.dictionary import pieces_of, write_dictionary

    folder, rng = tmp_path_factory.mktemp("run"), random.Random(1)
    letters = "bcdfgklmnprstvz"
    syllables = [first + vowel for first in letters for vowel in "aeiou"]
    got = list(dict.fromkeys("".join(rng.sample(syllables, 2)) for _ in range(600)))
    english, other = got[:220], got[220:440]
    cipher = {word: word if at % 6 == 5 else other[at] for at, word in enumerate(english)}
    # three topics: company tells words apart
    weights = [1 / (at + 3) for at in range(220)]
    lines = []
    for _ in range(5000):
        topic = rng.randrange(3)
        own = [weight * (6 if at % 3 == topic else 1) for at, weight in enumerate(weights)]
        lines.append(rng.choices(english, own, k=rng.randrange(4, 9)))
    for name in ("text", "pieces", "data/en", "data/el"):
        (folder / name).mkdir(parents=True)
    texts = {
        "en": [" ".join(line) for line in lines],
        "el": [" ".join(cipher[word] for word in line) for line in lines],
    }
    for at, (language, text) in enumerate(texts.items()):
        for name, part in (("aligned", text), ("mono", text[at::2])):
            path = folder / "text" / f"{name}.{language}"
            path.write_text("".join(line + "\n" for line in part), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=",".join(str(folder / "text" / f"mono.{language}") for language in texts),
        model_prefix=str(folder / "pieces" / "spm"), vocab_size=500, model_type="bpe", minloglevel=2
    )  # fmt: skip
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "pieces" / "spm.model"))
    write_dictionary(str(folder / "data" / "dict.txt"), pieces_of(model), ["en", "el"])
    dictionary = Dictionary.load(str(folder / "data" / "dict.txt"))
    for at, (language, text) in enumerate(texts.items()):
        pieces = [" ".join(model.encode(line, out_type=str)) for line in text[at::2]]
        write_split(dictionary, folder / "data" / language / "train", pieces)
    return folder


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_text_of_a_translation_recipe_and_given_pairs(tmp_path, finished_run):
    """examples/unmt_* have the same files in other places, and dev and test sets in place of aligned text."""
    recipe = tmp_path / "recipe" / "prepare"
    shutil.copytree(str(finished_run / "data"), str(recipe / "data" / "0"))
    shutil.copytree(str(finished_run / "pieces"), str(recipe / "pieces"))
    (recipe / "clean").mkdir()
    for language in ("en", "el"):
        shutil.copy(str(finished_run / "text" / f"mono.{language}"), str(recipe / "clean" / f"{language}.txt"))
        lines = (finished_run / "text" / f"aligned.{language}").read_text(encoding="utf-8").splitlines()
        for name, part in (("dev", lines[:500]), ("test", lines[500:2000])):
            (recipe / "clean" / f"{name}.{language}").write_text("\n".join(part) + "\n", encoding="utf-8")
    texts = [(recipe / "clean" / f"test.{language}").read_text(encoding="utf-8").split() for language in ("en", "el")]
    given = tmp_path / "pairs.txt"
    given.write_text("".join(f"{a}\t{b}\n" for a, b in sorted(set(zip(*texts)))), encoding="utf-8")
    command = ["bash", EVIDENCE / "run.sh", "--langs", "en,el", "--run", tmp_path / "recipe", "--seeds", "1"]
    command += ["--tables", "random,oracle,lexicon", "--words", "220", "--out", tmp_path / "out"]
    command += ["--induction", f"--restarts 1 --rounds 2 --seeds {os.path.relpath(str(given))}"]
    done = run(*command, VENV=program_server.environment())
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    tables = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["tables"]
    assert all(tables["oracle"][f"P@1 cosine {way}"][0] > 0.9 for way in ("en-el", "el-en"))
    commands = (tmp_path / "out" / "logs" / "commands.sh").read_text("utf-8")
    assert f"--seeds {given}" in commands
    again = run(*command, VENV=program_server.environment())
    assert again.returncode == 0 and again.stdout.count("done before") == 5
    given.write_text("".join(given.read_text(encoding="utf-8").splitlines(True)[:100]), encoding="utf-8")
    again = run(*command, VENV=program_server.environment())
    assert again.returncode == 0 and again.stdout.count("done before") == 2, "other pairs, another lexicon"
    mono = (finished_run / "text" / "mono.en").read_text(encoding="utf-8")
    assert (tmp_path / "out" / "text" / "text" / "mono.en").read_text(encoding="utf-8") == mono


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_smallest_run(tmp_path, finished_run):
    """Only what knows translations finds words, and the report says that the others are no evidence."""
    pytest.importorskip("matplotlib")
    command = ["bash", EVIDENCE / "run.sh", "--langs", "en,el", "--run", finished_run, "--seeds", "1", "--span", "3"]
    command += ["--wide", "20", "--stops", "2,32", "--tables", SOME, "--words", "220", "--out", tmp_path / "out"]
    done = run(*command, VENV=program_server.environment())
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    tables = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["tables"]
    found = {name: min(own[f"P@1 cosine {way}"][0] for way in ("en-el", "el-en")) for name, own in tables.items()}
    print(found)
    assert found["oracle"] > 0.9
    without = (
        "random",
        "spans-within",
        "words-within",
        "lexicon-exchanged",
        "rank-only table",
        "spans-flat",
        "spans-stop-32",
    )
    assert all(found[name] < 0.5 for name in without)
    assert tables["oracle"]["evidence"] == [1.0] and tables["random"]["evidence"] == [0.0]
    assert "| oracle |" in done.stdout and (tmp_path / "out" / "look-1" / "report.html").exists()
    again = run(*command, VENV=program_server.environment())
    assert again.returncode == 0 and again.stdout.count("done before") == 5
