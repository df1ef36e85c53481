"""scripts/bench/lexicon_criterion.py"""

import json
import pathlib

import numpy as np
import pytest

from tests.programs import modules_of

PATH = pathlib.Path(__file__).parents[2] / "scripts" / "bench" / "lexicon_criterion.py"
(script,) = modules_of(PATH.parent, "lexicon_criterion")


def row(precision, agreement, share, similarity):
    return dict(zip((script.PRECISION,) + script.CRITERIA, (precision, agreement, share, similarity)))


def test_correlations_hand_worked():
    # the agreement rises with the precision, the share falls; of (1, 2, 4, 3) against (1, 2, 3, 4): 1 - 6 * 2 / 60 =
    # 0.8
    rows = [row(0.1, 0.2, 0.9, 1.0), row(0.2, 0.3, 0.8, 2.0), row(0.3, 0.5, 0.7, 4.0), row(0.4, 0.9, 0.1, 3.0)]
    assert script.correlations(rows) == {"agreement": 1.0, "mutual share": -1.0, "mean similarity": 0.8}
    assert set(script.correlations(rows[:3]).values()) == {None}, "three are too few"
    assert script.correlations([dict(one, agreement=0.5) for one in rows])["agreement"] is None


def sentences(language, seed, count):
    """Sentences of made-up words, translations of each other word for word: word 7 is w7en and w7xx."""
    rng = np.random.default_rng(seed)
    chain = rng.integers(0, 300, size=(300, 4))
    lines = []
    for _ in range(count):
        word = int(300 * rng.random() ** 3)
        line = []
        for _ in range(8):
            line.append("".join("bdfgklmnprst"[int(digit)] + vowel for digit, vowel in zip(f"{word:03}", language)))
            word = int(chain[word, rng.integers(4)])
        lines.append(" ".join(line))
    return lines


def test_a_larger_text_is_seen_to_give_the_better_lexicon(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(script, "SHARES", (0.2, 1.0))
    monkeypatch.setattr(script, "STARTS", {"ranks": {"anchors": "ranks", "spelling_weight": 0.0, "rounds": 4}})
    for language, vowels in (("en", "aei"), ("de", "oua")):
        (tmp_path / language).write_text("\n".join(sentences(vowels, 1, 3000)) + "\n", "utf-8")
    pair = f"en={tmp_path / 'en'},de={tmp_path / 'de'}"
    script.main(["--pair", pair, "--json", str(tmp_path / "found.json"), "--seeds", "1,2"])
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))
    rows = found["lexicons"]
    assert [(one["share"], one["seed"]) for one in rows] == [(0.2, 1), (0.2, 2), (1.0, 1), (1.0, 2)]
    assert all(0 <= one[name] <= 1 for one in rows for name in ("agreement", "mutual share", script.PRECISION))
    assert set(found["spearman"]) == {"en-de", "all"} and found["spearman"]["en-de"] == found["spearman"]["all"]
    assert "| en-de | ranks | 20% | 1 |" in capsys.readouterr().out


def test_halves_are_disjoint_and_in_one_language_each():
    lines = [str(number) for number in range(11)]
    first, second = script.halves((lines, [line + "x" for line in lines]))
    assert len(first) == 5 and len(second) == 6
    assert sorted(first + [line[:-1] for line in second], key=int) == lines and all(line[-1] == "x" for line in second)


@pytest.mark.parametrize(
    "pair, message",
    [
        ("en=A", "--pair is A=FILE,B=FILE"),
        ("en=A,de=B,en=A,fr=B", "--pair is A=FILE,B=FILE"),
        ("en=A,de=short", "they are not aligned"),
        ("en=A,de=nothing", "nothing"),
    ],
)
def test_texts_that_cannot_be_used(tmp_path, monkeypatch, pair, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "A").write_text("one\ntwo\n")
    (tmp_path / "B").write_text("eins\nzwei\n")
    (tmp_path / "short").write_text("eins\n")
    with pytest.raises(SystemExit) as end:
        script.main(["--pair", pair])
    assert message in str(end.value)


def test_seeds_that_are_no_numbers(tmp_path):
    for name, line in (("A", "one two\n"), ("B", "eins zwei\n")):
        (tmp_path / name).write_text(line * 60)
    with pytest.raises(SystemExit) as end:
        script.main(["--pair", f"en={tmp_path / 'A'},de={tmp_path / 'B'}", "--seeds", "a"])
    assert "--seeds takes whole numbers" in str(end.value)


def test_texts_that_give_no_lexicon(tmp_path):
    """Enough to judge by, too little to induce from."""
    for language, vowels in (("en", "aei"), ("de", "oua")):
        (tmp_path / language).write_text("\n".join(sentences(vowels, 1, 60)) + "\n", "utf-8")
    with pytest.raises(SystemExit) as end:
        script.main(["--pair", f"en={tmp_path / 'en'},de={tmp_path / 'de'}"])
    assert "no lexicon could be induced" in str(end.value)
