"""Judging a lexicon: by a dictionary, and by one that is taken from aligned text."""

import pathlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon import Lexicon, Pair
from crossinit_fairseq.lexicon.dictionary_from_aligned import dictionary_from_aligned
from crossinit_fairseq.lexicon.evaluation import Precision, evaluate, fold_dictionary
from tests import helpers  # noqa: F401  the profile of hypothesis

SHARED = pathlib.Path(__file__).parents[3] / "shared" / "data"


def lexicon_of(*pairs, **settings):
    return Lexicon("en", "fr", [Pair(*pair) for pair in pairs], settings)


SMALL = lexicon_of(
    ("the", "la", 0.9, (60, 50), "mutual"),
    ("the", "le", 0.5, (60, 70), "backward"),
    ("cat", "chat", 0.8, (20, 10), "mutual"),
    ("dog", "chat", 0.7, (10, 10), "forward"),
    ("dog", "chien", 0.6, (10, 5), "backward"),
    ("zebra", "zèbre", 0.4, (10, 9), "mutual"),
    **{"running words en": "200"},
)


def test_evaluate():
    # the: le alone is right, the second candidate; cat right; dog: the second candidate; zebra is not judged
    one = evaluate(
        SMALL, {"the": {"le"}, "cat": {"chat", "matou"}, "dog": {"chien"}, "cow": {"vache"}, "pig": {"porc"}}
    )
    assert one.at_1 == Precision(judged=3, right=1, judged_running=90, right_running=20)
    assert one.at_1.by_types == 1 / 3 and one.at_1.by_running_words == 20 / 90
    assert one.at_5 == Precision(3, 3, 90, 90) and one.several == 2
    # of the mutual pairs, the-la and cat-chat are judged
    assert one.mutual == Precision(2, 1, 80, 20)
    assert (one.dictionary_words, one.covered, one.coverage) == (5, 3, 3 / 5)
    assert (one.not_judged, one.not_judged_running) == (1, 10)
    assert one.text_covered == 100 / 200
    assert one.bands[0] == (1, 100, one.at_1) and one.bands[-1] == (2001, None, Precision())
    # turned around, le and chien chose the and dog; the text's length is not known there
    other = evaluate(SMALL.reversed(), {"le": {"the"}, "chat": {"cat"}, "chien": {"cat"}})
    assert other.at_1 == Precision(3, 2, 85, 80) and other.text_covered is None


def test_bands_are_of_the_ranks_in_the_lexicon():
    # 150 words, the k-th most frequent occurs 1000 - k times, every word of an even rank is right
    pairs = [(f"s{k}", f"t{k}", 1.0, (1000 - k, 1), "mutual") for k in range(1, 151)]
    random.Random(0).shuffle(pairs)
    right = {f"s{k}": {f"t{k}"} if k % 2 == 0 else {"other"} for k in range(1, 151)}
    bands = evaluate(lexicon_of(*pairs), right).bands
    assert [(first, last, at.right, at.judged) for first, last, at in bands[:3]] == [
        (1, 100, 50, 100),
        (101, 500, 25, 50),
        (501, 1000, 0, 0),
    ]
    # 1000 - 101 + ... + 1000 - 150
    assert bands[1][2].judged_running == sum(range(850, 900))


def test_only_five_candidates():
    pairs = [("a", f"t{k}", 1 - k / 10, (1, 1), "forward") for k in range(7)]
    one, other = (evaluate(lexicon_of(*pairs), {"a": {right}}) for right in ("t4", "t5"))
    assert (one.at_1.right, one.at_5.right, other.at_5.right) == (0, 1, 0)


def test_without_counts():
    one = evaluate(lexicon_of(("cat", "chat"), ("dog", "os")), {"cat": {"chat"}, "dog": {"chien"}})
    assert one.at_1.by_types == 1 / 2 and one.at_1.by_running_words is None and one.text_covered is None
    nothing = evaluate(lexicon_of(("cat", "chat")), {"cow": {"vache"}})
    assert nothing.at_1.by_types is None and nothing.coverage == 0 and nothing.not_judged == 1


@given(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("uvw"), min_size=1), st.data())
def test_a_dictionary_agrees_with_itself(best, data):
    counts = {word: data.draw(st.integers(1, 9)) for word in best}
    lexicon = lexicon_of(*[(s, t, 1.0, (counts[s], 1), "forward") for s, t in best.items()])
    one = evaluate(lexicon, {s: {t, "x"} for s, t in best.items()})
    assert one.at_1 == Precision(len(best), len(best), sum(counts.values()), sum(counts.values()))
    wrong = evaluate(lexicon, {s: {"x"} for s in best})
    assert wrong.at_1 == Precision(len(best), 0, sum(counts.values()), 0)


def test_spelling_of_a_dictionary():
    pairs = [("Cat", "Chat"), ("cat", "Matou"), ("don\u2019t", "e\u0301te")]
    assert fold_dictionary(pairs, lexicon_of(lowercase="yes")) == {"cat": {"chat", "matou"}, "don't": {"éte"}}
    assert fold_dictionary(pairs, lexicon_of()) == {"Cat": {"Chat"}, "cat": {"Matou"}, "don't": {"éte"}}


def test_dictionary_from_aligned_by_hand():
    # every noun with both articles, alone and with two adjectives, which stand behind it in French: 24 pairs of lines
    nouns = [("cat", "chat", "le", "un"), ("dog", "chien", "le", "un"), ("car", "voiture", "la", "une")]
    nouns.append(("house", "maison", "la", "une"))
    english, french = [], []
    for word, mot, *articles in nouns:
        for article, its in zip(("The", "a"), articles):
            english += [f"{article} {word}.", f"{article} red {word}.", f"{article} good {word}."]
            french += [f"{its} {mot}.", f"{its} {mot} rouge.", f"{its} {mot} bonne."]
    forward, backward = dictionary_from_aligned(english, french, ("en", "fr"))
    # le and la share the, 6 of 12 and 6 of 12: 2 * 6 / (12 + 6) for both
    assert forward == {
        "the": {"le", "la"},
        "a": {"un", "une"},
        "cat": {"chat"},
        "dog": {"chien"},
        "car": {"voiture"},
        "house": {"maison"},
        "red": {"rouge"},
        "good": {"bonne"},
    }
    assert backward["le"] == backward["la"] == {"the"} and backward["une"] == {"a"} and len(backward) == 10


def test_the_case_is_kept_on_demand():
    forward, _ = dictionary_from_aligned(
        ["The cat"] * 5 + ["a dog"] * 5, ["Le chat"] * 5 + ["un chien"] * 5, ("en", "fr"), False
    )
    assert "The" in forward and "the" not in forward


def test_an_enciphered_text_gives_its_cipher():
    # each word w has the partner W; order reversed, so that places are of no help
    rng, words = random.Random(1), [f"w{k}" for k in range(30)]
    chances = [1 / (k + 1) for k in range(30)]
    lines = [" ".join(dict.fromkeys(rng.choices(words, chances, k=6))) for _ in range(600)]
    turned = [" ".join(word.replace("w", "v") for word in reversed(line.split())) for line in lines]
    forward, backward = dictionary_from_aligned(lines, turned, ("en", "fr"))
    assert forward == {word: {word.replace("w", "v")} for word in words}
    assert backward == {word.replace("w", "v"): {word} for word in words}


def test_dictionary_from_aligned_is_the_same_in_chunks_of_any_size(monkeypatch):
    rng = random.Random(2)
    lines = [" ".join(rng.choices([f"w{k}" for k in range(40)], k=rng.randrange(7))) for _ in range(400)]
    turned = [line.replace("w", "v") for line in lines]
    whole = dictionary_from_aligned(lines, turned, ("en", "fr"))
    monkeypatch.setattr("crossinit_fairseq.lexicon.dictionary_from_aligned._CHUNK", 50)
    assert dictionary_from_aligned(lines, turned, ("en", "fr")) == whole and len(whole[0]) == 40


def test_a_constant_companion_is_no_translation():
    # "front" seldom stands without "in", 9 times of 10, nor "in" without it; each has a translation of its own
    rng = random.Random(3)
    lines = [["in", "front"] if rng.random() < 0.9 else [rng.choice(["in", "front"])] for _ in range(200)]
    lines += [[f"w{k}"] for k in range(20) for _ in range(20)]
    turned = [[{"in": "en", "front": "devant"}.get(word, word) for word in reversed(line)] for line in lines]
    forward, _ = dictionary_from_aligned(
        [" ".join(line) for line in lines], [" ".join(line) for line in turned], ("en", "fr")
    )
    assert forward["in"] == {"en"} and forward["front"] == {"devant"}


def test_lines_that_do_not_belong_together_give_little():
    rng = random.Random(2)
    sides = [[" ".join(rng.choices([f"{letter}{k}" for k in range(50)], k=5)) for _ in range(500)] for letter in "xy"]
    try:
        forward, _ = dictionary_from_aligned(*sides, ("en", "fr"))
    except InputError:
        forward = {}
    assert len(forward) <= 3


def test_refused_aligned_text():
    with pytest.raises(InputError, match="has 2 sentences of en and 1 of fr"):
        dictionary_from_aligned(["a", "b"], ["c"], ("en", "fr"))
    for lines in ([], ["", ""], ["a", "b"]):
        with pytest.raises(InputError, match="no two words of en and fr stand together"):
            dictionary_from_aligned(lines, lines, ("en", "fr"))


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the captions of ../shared/data/multi30k")
def test_captions():
    sides = [
        (SHARED / "multi30k" / f"train.{language}").read_text("utf-8").split("\n")[:6000] for language in ("en", "fr")
    ]
    forward, backward = dictionary_from_aligned(*sides, ("en", "fr"))
    for word, right in {
        "dog": {"chien"},
        "a": {"un", "une"},
        "white": {"blanc", "blanche", "blancs", "blanches"},
        "his": {"son", "sa", "ses"},
        "people": {"gens", "personnes"},
        "in": {"dans", "en"},
    }.items():
        assert right <= forward[word] and len(forward[word]) <= 5, (word, forward[word])
    # what stands near, and is right only by chance: the white dog runs
    for word, wrong in [("dog", "court"), ("man", "un"), ("white", "chien"), ("street", "la"), ("girl", "petite")]:
        assert wrong not in forward[word]
    assert "people" in backward["gens"] and len(forward) > 1500
    # a pair by chance is almost never right
    shuffled = random.Random(0).sample(sorted(backward), len(backward))
    assert sum(t in forward[s] for s, t in zip(forward, shuffled)) < 0.01 * len(forward)
