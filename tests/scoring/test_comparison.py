"""scoring/comparison.py, and what results.py says of copies: the scores themselves."""

import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU

from crossinit_fairseq.scoring import compare, metrics_for, read_output
from crossinit_fairseq.scoring.normalisation import MissingExtra
from crossinit_fairseq.scoring.results import copied_shares
from tests.helpers import settings
from tests.scoring.generate_output import write_generate

WORDS = "casa cas\u0103 \u0219i \u021bara mare mic\u0103 este un o , . 12".split()


def sentences(count, seed):
    draw = random.Random(seed)
    return [" ".join(draw.choice(WORDS) for _ in range(draw.randint(3, 12))) for _ in range(count)]


def test_by_hand():
    # n-grams in common 5/6 3/5 2/4 1/3, product 1/12; characters: 1 of 2, pairs 0 of 1, mean precision = recall = 1/4
    scores, _ = compare({"a": ["the cat sat on the mat"]}, ["the cat sat on a mat"], metrics_for("en"), samples=0)
    assert scores["a"]["bleu"]["score"] == pytest.approx(100 * (1 / 12) ** 0.25)
    scores, _ = compare({"a": ["ab"]}, ["ac"], metrics_for("en"), samples=0)
    assert scores["a"]["chrf"]["score"] == pytest.approx(25)


def test_chinese_by_hand():
    # letters, each a word of sacreBLEU's zh: 5 of 6 are right, pairs 3 of 5, threes 2 of 4, fours 1 of 3
    scores, _ = compare(
        {"a": ["\u4e00\u4e8c\u4e09\u56db\u4e94\u516d"]},
        ["\u4e00\u4e8c\u4e09\u56db\u4e03\u516d"],
        metrics_for("zho_Hans"),
        samples=0,
    )
    assert scores["a"]["bleu"]["score"] == pytest.approx(100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25)
    assert "|tok:zh|" in scores["a"]["bleu"]["signature"]
    # Thai: 8 letters, the last of which is wrong
    scores, _ = compare(
        {"a": ["\u0e01\u0e02\u0e04\u0e06\u0e07\u0e08\u0e09\u0e0a"]},
        ["\u0e01\u0e02\u0e04\u0e06\u0e07\u0e08\u0e09\u0e0b"],
        metrics_for("th"),
        samples=0,
    )
    assert scores["a"]["bleu"]["score"] == pytest.approx(100 * (7 / 8 * 6 / 7 * 5 / 6 * 4 / 5) ** 0.25)
    assert "|tok:char|" in scores["a"]["bleu"]["signature"]


def test_same_as_the_command_sacrebleu(tmp_path):
    reference, a, b = (sentences(60, seed) for seed in range(3))
    a[::2], b[::3] = reference[::2], reference[::3]
    for name, lines in (("ref", reference), ("a", a), ("b", b)):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def sacrebleu(*arguments):
        command = [sys.executable, "-m", "sacrebleu", "ref", "-m", "bleu", "chrf", "-f", "json", "-i"] + list(arguments)
        done = subprocess.run(command, cwd=str(tmp_path), stdout=subprocess.PIPE, encoding="utf-8", check=True)
        return json.loads(done.stdout)

    alone, _ = compare({"a": a}, reference, metrics_for("en"), samples=0)
    for score, told in zip(alone["a"].values(), sacrebleu("a", "-w", "9")):
        assert round(score["score"], 9) == told["score"] and score["signature"] == told["signature"]
    scores, _ = compare({"a": a, "b": b}, reference, metrics_for("en"), samples=50)
    for name, told in zip("ab", sacrebleu("a", "b", "--paired-bs", "--paired-bs-n", "50")):
        for key, title in (("bleu", "BLEU"), ("chrf", "chrF2")):
            wanted = {field: value for field, value in told[title].items() if value is not None}
            assert {field: scores[name][key][field] for field in wanted} == pytest.approx(wanted)
            assert set(scores[name][key]) == set(wanted) | {"signature"}
            assert "|bs:50|seed:12345|" in scores[name][key]["signature"]
    again, _ = compare({"a": a, "b": b}, reference, metrics_for("en"), samples=50)
    other, _ = compare({"a": a, "b": b}, reference, metrics_for("en"), samples=50, seed=7)
    assert again == scores and other["a"]["bleu"]["mean"] != scores["a"]["bleu"]["mean"]
    assert "SACREBLEU_SEED" not in os.environ


def test_paired_bootstrap_is_koehns():
    """The slow reference: resample the sentences, score the whole, compare the differences."""
    reference, a, b = (sentences(30, seed) for seed in (5, 6, 7))
    a[::3], b[::2] = reference[::3], reference[::2]
    score = compare({"a": a, "b": b}, reference, metrics_for("en", ["bleu"]), samples=40, seed=3)[0]["b"]["bleu"]
    drawn = np.random.default_rng(3).choice(30, size=(40, 30), replace=True)

    def bleu(lines, rows):
        return BLEU().corpus_score([lines[row] for row in rows], [[reference[row] for row in rows]]).score

    of_b = np.array([bleu(b, rows) for rows in drawn])
    differences = np.abs(of_b - [bleu(a, rows) for rows in drawn])
    seen = abs(bleu(b, range(30)) - bleu(a, range(30)))
    assert score["mean"] == pytest.approx(of_b.mean())
    assert score["p_value"] == pytest.approx((1 + (differences - differences.mean() > seen).sum()) / 41)


def test_romanian_ways_of_scoring():
    pytest.importorskip("sacremoses")
    reference = [
        "Ace\u0219ti copii mergeau \u00eencet spre \u021bara lor.",
        "\u201eBine\u201d, a spus mama copiilor \u0219i a plecat.",
    ]
    cedilla = [line.replace("\u0219", "\u015f").replace("\u021b", "\u0163") for line in reference]
    plain = ["Acesti copii mergeau incet spre tara lor.", '"Bine", a spus mama copiilor si a plecat.']
    scores, left_out = compare({"c": cedilla, "p": plain, "r": reference}, reference, metrics_for("ro"), samples=0)
    table = {name: {key: round(score["score"], 6) for key, score in row.items()} for name, row in scores.items()}
    assert left_out == {} and set(table["r"].values()) == {100.0}
    assert table["c"]["bleu"] < 60 and table["c"]["bleu_ro_normalised"] == table["c"]["bleu_ro_no_diacritics"] == 100
    assert table["p"]["bleu"] == table["p"]["bleu_ro_normalised"] < 40 and table["p"]["bleu_ro_no_diacritics"] == 100
    signatures = [score["signature"] for score in scores["c"].values()]
    assert "crossinit" not in signatures[0] + signatures[1] and len(set(signatures)) == 4
    assert signatures[2] == signatures[0] + "|crossinit.norm:ro-comma-below"
    assert (
        "|tok:none|smooth:none|" in signatures[3] and "|crossinit.tok:moses-ro|crossinit.sacremoses:" in signatures[3]
    )


def test_nepali_tokens():
    pytest.importorskip("indicnlp")
    reference, other = ["\u0918\u0930, \u0930 \u092c\u0928\u0964"], ["\u0918\u0930, \u0930 \u092e\u0928\u0964"]
    scores = compare({"a": other}, reference, metrics_for("ne"), samples=0)[0]["a"]
    # five tokens, comma and danda apart; 1-grams 4/5, 2-grams 2/4, 3-grams 1/3, no 4-gram: unsmoothed 0, as multi-bleu
    assert scores["bleu_flores"]["score"] == 0 < scores["bleu"]["score"]
    assert (
        scores["bleu_flores"]["signature"].endswith("0.92")
        or "crossinit.tok:indic-ne" in scores["bleu_flores"]["signature"]
    )
    # the same after seven words: 12 tokens, of which one is wrong
    lead = "\u0915 \u0916 \u0917 \u0918 \u0919 \u091a \u091b "
    scores = compare({"a": [lead + other[0]]}, [lead + reference[0]], metrics_for("ne"), samples=0)[0]["a"]
    wanted = 11 / 12 * 9 / 11 * 8 / 10 * 7 / 9
    assert scores["bleu_flores"]["score"] == pytest.approx(100 * wanted**0.25)


def test_missing_library_is_said_or_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    scores, left_out = compare({"a": ["x"]}, ["y"], metrics_for("ro"), samples=0)
    assert list(scores["a"]) == ["bleu", "chrf", "bleu_ro_normalised"]
    assert list(left_out) == ["bleu_ro_no_diacritics"] and "pip install" in left_out["bleu_ro_no_diacritics"]
    with pytest.raises(MissingExtra):
        compare({"a": ["x"]}, ["y"], metrics_for("ro"), samples=0, demand=True)


@settings(max_examples=20)
@given(st.permutations(range(8)), st.integers(0, 5))
def test_order_of_the_lines_does_not_matter(tmp_path_factory, order, seed):
    reference, hypotheses = sentences(8, 100), sentences(8, seed)
    path = write_generate(tmp_path_factory.mktemp("g") / "out", hypotheses, reference, reference, order)
    metrics = metrics_for("en")
    read = read_output(path, 8).hypotheses
    assert compare({"a": read}, reference, metrics, samples=0) == compare(
        {"a": hypotheses}, reference, metrics, samples=0
    )


def test_copied_shares():
    # line 2 is copied; words: 1 of 2, 2 of 2, "a a" once, nothing
    shares = copied_shares(["x b", "c  d", "a a", ""], ["b", "c d", "a", ""])
    assert shares == {"lines": 1 / 4, "words": 4 / 6}
    assert copied_shares([""], ["a"]) == {"lines": 0, "words": 0}


def test_equal_systems_do_not_differ():
    reference, other = sentences(20, 0), sentences(20, 1)
    # the copy is the baseline again; of words that the reference lacks BLEU is 0, which differ and score alike
    systems = {"a": other, "copy": list(other), "b": ["x y z w"] * 20, "c": ["v w x y z"] * 20}
    scores, _ = compare(systems, reference, metrics_for("en"), samples=50)
    assert {score["p_value"] for score in scores["copy"].values()} == {1.0}
    assert scores["b"]["bleu"]["p_value"] < 0.05
    del systems["a"], systems["copy"]
    scores, _ = compare(systems, reference, metrics_for("en"), samples=50)
    assert (scores["c"]["bleu"]["score"], scores["c"]["bleu"]["p_value"]) == (0, 1.0)
