"""examples/cipher: its programs, and that translation is learnt there without parallel text."""

import collections
import json
import random
import sys
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
import torch

from tests import program_server
from tests.conftest import USER_DIR, fairseq, load
from tests.programs import modules_of, run

ROOT = Path(__file__).parents[2]
CIPHER = ROOT / "examples" / "cipher"
MARGIN = 10  # BLEU; measured: 47.8 and 47.7 where the best of what has not learnt has 21.8 and 19.4


def program(name):
    """A program of the example, as a module."""
    return modules_of(CIPHER, name)[0]


def write_text(out, *options):
    return run(sys.executable, CIPHER / "text.py", "--out", out, *options)


def read(path):
    return [line.split() for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """What text.py writes, of the grammar."""
    folder = tmp_path_factory.mktemp("cipher") / "text"
    done = write_text(folder, "--sentences", 8000, "--vocabulary", 200, "--dev", 30, "--test", 40)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_languages_share_no_word_and_no_sentence(text):
    cipher = dict(read(text / "cipher.tsv"))
    assert len(set(cipher.values())) == len(cipher) == 200 and not set(cipher) & set(cipher.values())
    plain = {word: word for word in cipher}
    plain.update({secret: word for word, secret in cipher.items()})
    sentences = {path.name: [tuple(plain[w] for w in words) for words in read(path)] for path in text.glob("*.??")}
    # held-out text is aligned, text to learn from is not: no sentence is in two sets
    assert sentences["dev.en"] == sentences["dev.xx"] and sentences["test.en"] == sentences["test.xx"]
    apart = [sentences[name] for name in ("train.en", "valid.en", "train.xx", "valid.xx", "dev.en", "test.en")]
    assert len(apart[-2]) == 30 and len(apart[-1]) == 40 and min(map(len, apart)) >= 30
    assert len(set().union(*apart)) == sum(map(len, apart))
    symbols = [line[0] for line in read(text / "dict.txt")]
    assert symbols[-3:] == ["[en]", "[xx]", "<mask>"] and set(symbols[:-3]) == set(plain)


def test_text_is_the_same_for_the_same_seed_only(text, tmp_path):
    options = ["--sentences", 8000, "--vocabulary", 200, "--dev", 30, "--test", 40]
    write_text(tmp_path / "same", *options)
    write_text(tmp_path / "other", *options, "--seed", 2)
    for name in ("train.en", "train.xx", "cipher.tsv"):
        assert (tmp_path / "same" / name).read_bytes() == (text / name).read_bytes()
        assert (tmp_path / "other" / name).read_bytes() != (text / name).read_bytes()


def test_own_text(tmp_path):
    # 3,000 sentences of three words out of 20, with punctuation, capitals and a word beyond the vocabulary
    words = ["w" + "abcdefghijklmnopqrst"[k] for k in range(20)]
    lines = [f"{a.upper()}, {b} {c}!" for a in words for b in words for c in words][:3000] + ["rare wa wb"]
    (tmp_path / "mine").write_text("\n".join(lines), encoding="utf-8")
    done = write_text(tmp_path / "out", "--text", tmp_path / "mine", "--vocabulary", 20, "--dev", 50, "--test", 50)
    assert done.returncode == 0 and "1,305 sentences of en" in done.stdout, done.stderr
    assert {word for words in read(tmp_path / "out" / "train.en") for word in words} <= set(words)


@pytest.mark.parametrize(
    "content, told",
    [
        (b"one two three\n", "leaves 1 sentences of 3 to 15 words"),
        (b"caf\xe9 au lait\n", "is not UTF-8"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_bad_text_is_one_sentence(tmp_path, content, told):
    if content is not None:
        (tmp_path / "mine").write_bytes(content)
    done = write_text(tmp_path / "out", "--text", tmp_path / "mine")
    assert done.returncode == 1 and told in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_sentences_of_the_grammar():
    got = program("grammar").sentences(random.Random(1), 3000)
    words = collections.Counter(word for sentence in got for word in sentence)
    assert len({tuple(sentence) for sentence in got}) > 2500 and len(words) > 600
    assert words.most_common(1)[0][0] == "the"
    assert all(word.isalpha() and word == word.lower() for word in words)
    follows = {pair for sentence in got for pair in zip(sentence, sentence[1:])}
    assert ("a", "apple") not in follows and ("i", "is") not in follows and ("they", "wants") not in follows


@pytest.mark.parametrize(
    "options, told",
    [
        (["--preset", "huge"], "--preset is smoke or default"),
        (["--inits", "random,zero"], "--inits names random, crossinit, rank, oracle, FILE.vec"),
        (["--inits", ","], "--inits names nothing"),
        (["--seeds", "1,x"], "--seeds takes numbers"),
        (["--text", "/nowhere"], "no file /nowhere"),
        (["--jobs", "0"], "--jobs is a number"),
        (["--wrong"], "unknown option --wrong"),
        (["--out"], "--out needs a value"),
    ],
)
def test_wrong_options_are_told_before_anything_runs(options, told):
    done = run("bash", CIPHER / "run.sh", *options)
    assert done.returncode == 2 and told in done.stderr and done.stdout == ""


@pytest.fixture(scope="module")
def tables(text, tmp_path_factory):
    """{init: (float [200, 32] of the English words, the same of their ciphers)} and the checkpoints they are in."""
    folder = tmp_path_factory.mktemp("tables")
    symbols = ["<s>", "<pad>", "</s>", "<unk>"] + [line[0] for line in read(text / "dict.txt")]
    torch.manual_seed(0)
    model = {"encoder.embed_tokens.weight": torch.randn(len(symbols), 32), "other": torch.randn(3)}
    torch.save({"model": model}, str(folder / "in.pt"))
    pairs = read(text / "cipher.tsv")
    found = {}
    for init in ("random", "crossinit", "rank", "oracle"):
        out = folder / (init + ".pt")
        options = ["--checkpoint", str(folder / "in.pt"), "--text", str(text), "--out", str(out)]
        program("table").main([init] + options)
        written = load(out)["model"]
        assert torch.equal(written["other"], model["other"]), "only the words' rows change"
        table = written["encoder.embed_tokens.weight"]
        assert torch.equal(table[:4], model["encoder.embed_tokens.weight"][:4])
        found[init] = [table[[symbols.index(pair[side]) for pair in pairs]] for side in (0, 1)]
    return found, model["encoder.embed_tokens.weight"], symbols, pairs


def test_tables_are_of_one_scale_and_aligned_as_they_should_be(tables):
    found, before, symbols, pairs = tables
    nearest = {}
    for init, (words, ciphers) in found.items():
        assert torch.cat([words, ciphers]).pow(2).mean().sqrt().item() == pytest.approx(0.06, rel=1e-4)
        cosines = torch.nn.functional.normalize(words, dim=1) @ torch.nn.functional.normalize(ciphers, dim=1).T
        better = (cosines > cosines.diagonal()[:, None]).sum(1)
        nearest[init] = better.float().median().item()
    # of 200 words, how many stand nearer to a word than its cipher does: half of them, where nothing is known
    assert nearest["oracle"] == 0
    assert 0 < nearest["rank"] < 40
    assert 60 < nearest["random"] < 140 and 60 < nearest["crossinit"] < 140
    # the checkpoint's own, here noise, but for its scale
    own = before[[symbols.index(word) for word, _ in pairs]]
    ratio = found["crossinit"][0] / own
    assert ratio.std().item() < 1e-6 * ratio.mean().item() + 1e-7


def test_what_needs_no_learning_worked_by_hand(tmp_path):
    texts = {
        "train.en": "a a a b b c\n" * 2,
        "train.xx": "x x x y y z\nx y z x y x\n",
        "test.en": "a b c a\n",
        "test.xx": "x y z x\n",
    }
    for name, content in texts.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    program("baselines").main(["--text", str(tmp_path), "--out", str(tmp_path / "out.json")])
    scores = json.loads((tmp_path / "out.json").read_text("utf-8"))["en-xx"]
    assert scores["copy"] == 0
    assert scores["by_rank"] == pytest.approx(100)
    # x x x x: 2 of 4 words, no pair of 3, none of 2 threes, no four; sacreBLEU halves the count of none each time
    assert scores["frequent"] == pytest.approx(100 * (1 / 2 * 1 / 2 / 3 * 1 / 4 / 2 * 1 / 8 / 1) ** 0.25, rel=1e-3)
    nearest = program("baselines").nearest(
        [0.0, 1.0], {2: np.array([[1.0, 1.0], [0.0, 0.5]])}, {2: [["far"], ["near"]]}
    )
    assert nearest == ["near"]


def test_learns_to_translate_without_parallel_text(tmp_path):
    """CrossInit's table, 150 words, 400 updates: a score that nothing reaches which has not learnt to translate."""
    done = run(
        *["bash", CIPHER / "run.sh", "--preset", "smoke", "--inits", "crossinit", "--jobs", "1", "--out", tmp_path],
        *["--vocabulary", "150"],
        VENV=program_server.environment(),
        MAX_UPDATE="400",
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    for source, target in (("en", "xx"), ("xx", "en")):
        direction = f"{source}-{target}"
        unlearnt = dict(summary["without_learning"][direction], untrained=untrained(tmp_path, source, target))
        assert set(unlearnt) == {"copy", "frequent", "unrelated", "by_rank", "nearest", "untrained"}
        bleu = summary["bleu"]["crossinit"][direction]["mean"]
        print(direction, "BLEU", bleu, "without learning", unlearnt)
        assert bleu >= max(unlearnt.values()) + MARGIN, unlearnt


def untrained(folder, source, target):
    """BLEU of the model that training started from."""
    done = fairseq(
        "generate",
        [str(folder / "data"), "--user-dir", str(USER_DIR), "--task", "crossinit_unmt", "-s", source, "-t", target],
        ["--path", str(folder / "runs" / "crossinit-1" / "table" / "start.pt")],
        "--beam 1 --max-len-a 1.3 --max-len-b 5 --max-tokens 4000 --required-batch-size-multiple 1 --num-workers 0",
    )
    got = dict(line[2:].split("\t")[::2] for line in done.stdout.splitlines() if line.startswith("D-"))
    references = (folder / "text" / ("test." + target)).read_text("utf-8").splitlines()
    assert len(got) == len(references)
    hypotheses = [got[str(number)] for number in range(len(got))]
    return sacrebleu.corpus_bleu(hypotheses, [references], tokenize="none", force=True).score
