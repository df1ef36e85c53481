from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon import Lexicon, induction
from crossinit_fairseq.lexicon.induction import InductionSettings, _agreement, _most_agreed, induce
from crossinit_fairseq.lexicon.lexicon_file import BACKWARD, FORWARD
from crossinit_fairseq.lexicon.similarity import Nearest
from crossinit_fairseq.lexicon.transport import Transport
from tests.lexicon.toy_cooccurrence import in_other_words, toy_language

SMALL = InductionSettings(dimensions=40, rounds=6)


def right_share(lexicon, language, other, gone):
    names = {language.words[k]: other.words[gone[k]] for k in range(len(language))}
    found = lexicon.translations()
    return np.mean([found[word] == name for word, name in names.items()])


@pytest.fixture(scope="module")
def two_languages():
    language = toy_language(words=400)
    # 25 words spelt alike: with 20, an orthogonal map of some seeds and processors ends in two places
    other, gone = in_other_words(language, kept=range(0, 100, 4), noise=0.2)
    return language, other, gone


@pytest.mark.parametrize("method, rounds", [("pairs", 6), ("mapping", 40)])
def test_words_spelt_alike_are_enough(two_languages, method, rounds):
    language, other, gone = two_languages
    found = induce(language, other, InductionSettings(dimensions=40, rounds=rounds, method=method, spelling_weight=0.0))
    assert right_share(found.lexicon, language, other, gone) > 0.9
    assert found.trusted and found.agreement > 0.9


def test_a_few_seeds_are_enough(two_languages):
    language, other, gone = two_languages
    seeds = [(language.words[k], other.words[gone[k]]) for k in range(1, 80, 4)]
    found = induce(language, other, InductionSettings(dimensions=40, rounds=6, anchors="seeds"), seeds)
    assert right_share(found.lexicon, language, other, gone) > 0.9
    assert "20 seeds" in found.lexicon.settings["anchors"]


def test_the_header_says_what_made_a_lexicon(two_languages, tmp_path):
    language, other, _ = two_languages
    settings = InductionSettings(dimensions=40, rounds=5, learn_words=300, neighbours=7, restarts=2, seed=3)
    found = induce(language, other, settings).lexicon
    made = {"dimensions": "40", "learn_words": "300", "rounds": "5", "neighbours": "7", "restarts": "2", "seed": "3"}
    assert made.items() <= found.settings.items()
    found.save(str(tmp_path / "new.tsv"))
    lines = (tmp_path / "new.tsv").read_text("utf-8").splitlines(keepends=True)
    assert "# rounds: 5\n" in lines
    # one of before these were said is read
    old = [line for line in lines if not line.startswith(("# learn_words", "# rounds", "# neighbours"))]
    (tmp_path / "old.tsv").write_text("".join(old), "utf-8")
    assert len(old) == len(lines) - 3
    assert Lexicon.load(str(tmp_path / "old.tsv")).pairs == Lexicon.load(str(tmp_path / "new.tsv")).pairs


def test_seeds_of_rarer_words_than_the_first_rounds_have_are_taken(two_languages, monkeypatch):
    language, other, gone = two_languages
    monkeypatch.setattr("crossinit_fairseq.lexicon.self_learning._FIRST_WORDS", 100)
    seeds = [(language.words[k], other.words[gone[k]]) for k in range(110, 200, 4)]
    found = induce(language, other, InductionSettings(dimensions=40, rounds=6, anchors="seeds"), seeds)
    assert right_share(found.lexicon, language, other, gone) > 0.9


def test_text_of_another_subject_is_not_trusted():
    language, other = toy_language(words=400, seed=1), toy_language(words=400, seed=2)
    found = induce(language, other, replace(SMALL, anchors="ranks", rank_weight=0.0, spelling_weight=0.0))
    assert not found.trusted


def test_every_word_has_a_partner_and_ways_are_told_apart(two_languages):
    language, other, _ = two_languages
    lexicon = induce(language, other, SMALL).lexicon
    assert {pair.source for pair in lexicon.pairs if pair.found != BACKWARD} == set(language.words)
    assert {pair.target for pair in lexicon.pairs if pair.found != FORWARD} == set(other.words)
    mutual = lexicon.mutual()
    assert len({pair.source for pair in mutual}) == len({pair.target for pair in mutual}) == len(mutual)
    assert [pair.counts[0] for pair in mutual[:1]] == [int(language.counts[0])]


def test_partners_are_shared_out_by_default(two_languages):
    language, other, gone = two_languages
    shared, alone = (induce(language, other, replace(SMALL, transport=one)).lexicon for one in (0.1, 0.0))
    # more words are somebody's partner, and a score is a share
    assert len({pair.target for pair in shared.mutual()}) > len({pair.target for pair in alone.mutual()})
    assert all(0 < pair.score <= 1 for pair in shared.pairs) and any(pair.score < 0 for pair in alone.pairs)
    assert right_share(shared, language, other, gone) >= right_share(alone, language, other, gone)
    assert (shared.settings["transport"], alone.settings["transport"]) == ("0.1", "0")


def test_one_start_has_nothing_to_agree_with(two_languages):
    found = induce(two_languages[0], two_languages[1], replace(SMALL, rounds=1, restarts=1))
    assert found.agreement is None and found.trusted is None and "--restarts 3 tells" in found.report[-1]


def test_the_same_seed_gives_the_same_lexicon(two_languages):
    language, other, _ = two_languages
    assert induce(language, other, SMALL).lexicon.pairs == induce(language, other, SMALL).lexicon.pairs


def test_a_device_finds_what_the_cpu_does(two_languages):
    language, other, _ = two_languages
    # torch's own name of the CPU, so that its way is taken
    partners = [
        induce(language, other, replace(SMALL, device=name, transport=transport)).lexicon.translations()
        for transport in (0.1, 0.0)
        for name in ("cpu", "cpu:0")
    ]
    assert partners[0] == partners[1] and partners[2] == partners[3]


@pytest.mark.parametrize("device", ["cuda:99", "abacus", "meta", "mps", ""])
def test_a_device_that_is_not_there_is_refused(two_languages, device):
    with pytest.raises(
        InputError, match=f"--device is '{device}', which torch cannot use here .{{3,110}}: cpu works everywhere"
    ):
        induce(two_languages[0], two_languages[1], replace(SMALL, device=device))


def test_agreement_by_hand():
    def restart(*forward):
        return Nearest(np.array(forward), np.zeros(3), np.arange(3), np.zeros(3))

    restarts = [restart(0, 1, 2), restart(0, 1, 0), restart(0, 2, 0)]
    # counts 6, 3, 1: first and second agree on 9 of 10, first and third on 6, second and third on 7
    counts = np.array([6, 3, 1])
    assert _agreement(restarts, counts) == pytest.approx((0.9 + 0.6 + 0.7) / 3)
    assert _most_agreed(restarts, counts) == 1
    assert _agreement(restarts[:1], counts) is None


def test_too_little_text_is_refused():
    language = toy_language(words=120)
    with pytest.raises(InputError, match="120 different words"):
        induce(language, language)


def test_no_word_spelt_alike_is_refused_where_strings_are_asked_for(two_languages):
    language, _, _ = two_languages
    other, _ = in_other_words(language)
    with pytest.raises(InputError, match="--seeds"):
        induce(language, other, InductionSettings(anchors="strings"))
    with pytest.raises(InputError, match="--anchors seeds needs --seeds"):
        induce(language, other, InductionSettings(anchors="seeds"))


@pytest.mark.parametrize(
    "field, value",
    [
        ("rounds", 0),
        ("words", 10),
        ("rank_weight", -1.0),
        ("spelling_weight", float("nan")),
        ("spelling_weight", 1.1),
        ("backoff", -1.0),
        ("backoff", float("nan")),
        ("backoff", 1e30),
        ("transport", -0.1),
        ("transport", float("nan")),
        ("transport", 1e-9),
        ("transport", 100.0),
        ("seed", -1),
    ],
)
def test_numbers_out_of_range_are_refused(two_languages, field, value):
    language, other, _ = two_languages
    with pytest.raises(InputError, match="--" + field.replace("_", "-")):
        induce(language, other, InductionSettings(**{field: value}))


def test_partners_are_shared_out_in_every_round_and_at_the_end(two_languages, monkeypatch):
    rounds, end = [], []
    shared, last = Transport.partners, Transport.partners_among
    monkeypatch.setattr(Transport, "partners", lambda way, scores: rounds.append(1) or shared(way, scores))
    monkeypatch.setattr(Transport, "partners_among", lambda way, scores: end.append(1) or last(way, scores))
    induce(two_languages[0], two_languages[1], replace(SMALL, restarts=2))
    assert len(rounds) == 2 * SMALL.rounds and len(end) == len(rounds) + 1


def test_words_beyond_those_asked_for_take_no_part(two_languages):
    language, other, gone = two_languages
    found = induce(language, other, replace(SMALL, words=200)).lexicon
    assert {pair.source for pair in found.pairs} <= set(language.words[:200])
    assert {pair.target for pair in found.pairs} <= set(other.words[:200])
    both = [k for k in range(200) if gone[k] < 200]
    translations = found.translations()
    assert np.mean([translations[language.words[k]] == other.words[gone[k]] for k in both]) > 0.9


def with_alone(language, alone):
    """A language some of whose words never stand near another."""
    kept = sparse.diags(np.where(np.isin(np.arange(len(language)), alone), 0, 1))
    return replace(language, window=(kept @ language.window @ kept).tocsr())


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
@pytest.mark.parametrize("transport", [0.1, 0.0])
def test_words_that_stand_near_no_known_word_have_no_partner(transport, device):
    alone = range(350, 380)
    language = with_alone(toy_language(words=400), alone)
    other, gone = in_other_words(language, kept=range(0, 100, 4), noise=0.2)
    settings = replace(SMALL, transport=transport, backoff=0.0, device=device)
    found = induce(language, other, settings)
    names = {language.words[k] for k in alone}, {other.words[gone[k]] for k in alone}
    for pair in found.lexicon.pairs:
        assert pair.source not in names[0] or pair.found == BACKWARD
        assert pair.target not in names[1] or pair.found == FORWARD
    assert not any(pair.source in names[0] or pair.target in names[1] for pair in found.lexicon.mutual())
    assert "60 words stand near no known word, and have no partner" in found.report
    right = [found.lexicon.translations().get(language.words[k]) == other.words[gone[k]] for k in range(300)]
    assert np.mean(right) > 0.9
    # but for one that is given
    seed = language.words[355], other.words[gone[360]]
    pairs = induce(language, other, settings, [seed]).lexicon.mutual()
    assert [pair.score for pair in pairs if (pair.source, pair.target) == seed] == [1]


def test_given_pairs_are_in_the_lexicon_whatever_the_text_says(two_languages):
    language, other, gone = two_languages
    # a wrong pair of frequent words, and one of words that take no part in self-learning
    given = [(language.words[k], other.words[gone[j]]) for k, j in ((30, 31), (390, 395))]
    found = induce(language, other, replace(SMALL, learn_words=200), given)
    mutual = {(pair.source, pair.target): pair.score for pair in found.lexicon.mutual()}
    assert [mutual.get(pair) for pair in given] == [1, 1]
    assert right_share(found.lexicon, language, other, gone) > 0.9
    assert "1 seeds" in found.lexicon.settings["anchors"]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("alike", [10, 13])
def test_few_words_that_are_spelt_alike_by_chance_are_not_trusted(alike, seed):
    """Starts that were alike agreed, whatever the text said."""
    language, other = toy_language(words=400, seed=10 + seed), toy_language(words=400, seed=20 + seed)
    chance = set(range(0, 4 * alike, 4))
    other = replace(other, words=[word if k in chance else "x" + word for k, word in enumerate(other.words)])
    found = induce(language, other, replace(SMALL, spelling_weight=0.0, seed=seed))
    assert f"{alike} words spelt alike" in found.lexicon.settings["anchors"]
    assert found.trusted is False


@pytest.mark.parametrize("count", [12, 40])
def test_wrong_seeds_are_not_trusted(count):
    language, other = toy_language(words=400, seed=3), toy_language(words=400, seed=4)
    order = np.random.default_rng(count).permutation(count)
    seeds = [(language.words[k], other.words[order[k]]) for k in range(count)]
    found = induce(language, other, replace(SMALL, anchors="seeds", spelling_weight=0.0), seeds)
    assert found.trusted is False


def test_of_one_seed_nothing_can_be_said(two_languages):
    language, other, gone = two_languages
    seed = [(language.words[3], other.words[gone[3]])]
    found = induce(language, other, replace(SMALL, anchors="seeds"), seed)
    assert found.agreement is None and found.trusted is None
    assert "one anchor: all starts are alike" in found.report[-1]


def test_own_vectors_are_made_once_for_all_starts(two_languages, monkeypatch):
    made = []
    own = induction.word_vectors
    monkeypatch.setattr(induction, "word_vectors", lambda *given: made.append(1) or own(*given))
    induce(two_languages[0], two_languages[1], replace(SMALL, method="mapping", rounds=2))
    assert len(made) == 2
