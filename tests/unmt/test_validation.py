"""crossinit_fairseq/unmt/validation.py"""

import logging

import pytest
import torch
from fairseq.logging import metrics

from crossinit_fairseq.unmt.validation import PlainText, Validation, evenly_spread
from tests.helpers import dictionary_of, special_tokens_of

DICTIONARY = dictionary_of("abcdefgh")
SPECIAL_TOKENS = special_tokens_of(DICTIONARY)
BOS, PAD, EOS, EN, RO = 0, 1, 2, 12, 13
TEXT_TOKENS = torch.tensor([False] * 4 + [True] * 8 + [False] * 3)
VOCABULARIES = {
    "en": torch.tensor([False] * 4 + [True] * 4 + [False] * 7),
    "ro": torch.tensor([False] * 7 + [True] * 5 + [False] * 3),
}
BLEU, TRIP = ("bleu", "en", "ro"), ("round_trip", "ro", "en")


def rows(*sentences):
    return SPECIAL_TOKENS.collate([torch.tensor(list(sentence)) for sentence in sentences])


def strings(tokens):
    return [DICTIONARY.string(row, extra_symbols_to_ignore={PAD, EN, RO}) for row in tokens]


def copier(model, request):
    """A model that copies its source, as far as it may."""
    allowed = request.allowed
    kept = [
        [t for t in row if TEXT_TOKENS[t] and (allowed is None or allowed[t])] + [EOS]
        for row in request.source.tolist()
    ]
    return rows(*kept)


def sample_of(tag, source, target, numbers=(0, 1)):
    source_token, target_token = {"bleu": (EN, RO), "round_trip": (RO, RO)}[tag[0]]
    return {
        "group": tag,
        "id": torch.tensor(numbers),
        "net_input": {"src_tokens": rows(*[[BOS] + list(s) + [EOS, source_token] for s in source])},
        "target": rows(*[[BOS] + list(t) + [EOS, target_token] for t in target]),
    }


def validation(translate=copier, restrict=True, samples=0, sizes=None):
    return Validation(
        sizes or {BLEU: 9, TRIP: 9}, translate, SPECIAL_TOKENS, strings, TEXT_TOKENS, VOCABULARIES, restrict, samples
    )


def scores(validation, *logs):
    with metrics.aggregate(new_root=True) as meters:
        validation.log(list(logs))
        return dict(meters.get_smoothed_values())


SENTENCES = [[8, 9, 10, 11, 8], [9, 9, 10, 8, 11, 10]]


def test_aligned_text_hand_worked():
    source, target = [[4, 5, 6, 7]], [[4, 5, 6, 7]]
    values = scores(validation(), validation().statistics(None, sample_of(BLEU, source, target, [0])))
    # copied as a whole; of the four, 7 is also a token of Romanian
    assert values == {"bleu_en-ro": 100, "bleu": 100, "copied_en-ro": 1.0, "in_target_en-ro": 0.25}


@pytest.mark.parametrize("restrict, bleu", [(False, 100), (True, 0)])
def test_copying_does_not_win_the_round_trip(restrict, bleu):
    """8 to 11 are Romanian only: a copier on its way to English may use none of them."""
    checked = validation(restrict=restrict)
    values = scores(checked, checked.statistics(None, sample_of(TRIP, SENTENCES, SENTENCES)))
    assert (values["round_trip_bleu"], values["round_trip_ro-en"]) == (bleu, bleu)
    assert values.get("copied_forward_ro-en") == (None if restrict else 1.0)


def test_the_round_trip_is_of_the_clean_sentence_and_goes_by_the_other_language():
    asked = []

    def translate(model, request):
        allowed = None if request.allowed is None else request.allowed.tolist()
        asked.append((request.language, request.source.tolist(), allowed))
        return rows([5, EOS]) if request.language == "en" else rows([8, EOS])

    sample = sample_of(TRIP, [[9, 14]], [[9, 8]], [0])  # the noisy source has a <mask>
    validation(translate).statistics(None, sample)
    assert asked == [
        ("en", [[BOS, 9, 8, EOS, RO]], VOCABULARIES["en"].tolist()),
        ("ro", [[BOS, 5, EOS, EN]], None),
    ]


def test_each_language_is_counted_by_its_own_tokeniser(monkeypatch, caplog):
    """Romanian without blanks: of the target in a translation, of the source in a round trip."""
    monkeypatch.setattr(
        "crossinit_fairseq.unmt.validation.tokenizer_for", lambda language: "char" if language == "ro" else "13a"
    )

    def joined(tokens):
        return [line.replace(" ", "") for line in strings(tokens)]

    def translate(model, request):
        return rows([8, 9, 10, 11, 9, EOS]) if request.language == "ro" else rows([5, EOS])

    with caplog.at_level(logging.INFO):
        checked = Validation(
            {BLEU: 1, TRIP: 1}, translate, SPECIAL_TOKENS, joined, TEXT_TOKENS, VOCABULARIES, True, samples=0
        )
    assert [record.getMessage() for record in caplog.records] == ["BLEU of ro is counted by sacreBLEU's tokeniser char"]
    logs = [checked.statistics(None, sample_of(tag, [[4]], [[8, 9, 10, 11, 8]], [0])) for tag in (BLEU, TRIP)]
    # 4 of 5 letters, 3 of 4 pairs, 2 of 3, 1 of 2: product 1/5; as one word nothing would be right
    wanted = round(100 * 0.2**0.25, 2)
    assert [scores(checked, *logs)[name] for name in ("bleu_en-ro", "round_trip_ro-en")] == [wanted, wanted]


def test_statistics_add_up_over_batches():
    checked = validation()
    parts = [
        sample_of(TRIP, SENTENCES[:1], SENTENCES[:1], [0]),
        sample_of(BLEU, SENTENCES[1:], SENTENCES[1:], [1]),
        sample_of(BLEU, SENTENCES[:1], SENTENCES[:1], [0]),
    ]
    one_by_one = scores(checked, *[checked.statistics(None, part) for part in parts])
    together = scores(
        checked,
        checked.statistics(None, parts[0]),
        checked.statistics(None, sample_of(BLEU, SENTENCES, SENTENCES)),
    )
    assert one_by_one == together and "round_trip_bleu" in together


def test_the_same_names_in_the_same_order_whatever_the_batch():
    found = [list(validation().statistics(None, sample_of(tag, SENTENCES, SENTENCES)).items()) for tag in (BLEU, TRIP)]
    assert [name for name, _ in found[0]] == [name for name, _ in found[1]]
    assert all(isinstance(value, int) for part in found for _, value in part)


def test_nothing_written_is_a_score_too():
    checked = validation(lambda model, request: rows(*[[EOS]] * len(request.source)))
    values = scores(checked, checked.statistics(None, sample_of(BLEU, SENTENCES, SENTENCES)))
    assert values == {"bleu_en-ro": 0, "bleu": 0}


def test_samples_are_logged_the_same_at_every_validation(caplog):
    checked = validation(samples=3, restrict=False)
    with caplog.at_level(logging.INFO):
        for numbers in ([0, 1], [2, 3], [4, 5], [6, 7], [8]):
            part = SENTENCES[: len(numbers)]
            checked.statistics(None, sample_of(BLEU, part, part, numbers))
        checked.statistics(None, sample_of(TRIP, SENTENCES, SENTENCES, [3, 4]))
    texts = [record.getMessage() for record in caplog.records]
    # 9 sentences: numbers 1, 4 and 7
    assert texts == [
        "bleu_en-ro | source: f f g e h g | output: f f g e h g | reference: f f g e h g",
        "bleu_en-ro | source: e f g h e | output: e f g h e | reference: e f g h e",
        "bleu_en-ro | source: f f g e h g | output: f f g e h g | reference: f f g e h g",
        "round_trip_ro-en | source: f f g e h g | en: f f g e h g | back: f f g e h g",
    ]


def test_samples_cannot_steer_the_terminal(caplog):
    checked = Validation(
        {BLEU: 1}, copier, SPECIAL_TOKENS, lambda tokens: ["a\x1b[2J"], TEXT_TOKENS, VOCABULARIES, True, samples=1
    )
    with caplog.at_level(logging.INFO):
        checked.statistics(None, sample_of(BLEU, SENTENCES[:1], SENTENCES[:1], [0]))
    assert caplog.records[-1].getMessage().count("a\\x1b[2J") == 3 and "\x1b" not in caplog.text


def test_no_samples_when_none_are_asked_for(caplog):
    with caplog.at_level(logging.INFO):
        validation(samples=0).statistics(None, sample_of(BLEU, SENTENCES, SENTENCES))
    assert not caplog.records


def test_plain_text_of_pieces_and_bytes():
    from fairseq.data import Dictionary

    dictionary = Dictionary()
    rows_of = [dictionary.add_symbol(symbol) for symbol in ("\u2581It", "s", "<0xE2>", "<0x80>", "<0x94>", "[en]")]
    tokens = torch.tensor([rows_of, [rows_of[0], rows_of[1], EOS, EOS, EOS, EOS]])
    assert PlainText(dictionary, "sentencepiece", {rows_of[-1]})(tokens) == ["Its\u2014", "Its"]
    # a text of whole words may hold what looks like a byte
    assert PlainText(dictionary, "none", {rows_of[-1]})(tokens[:1]) == ["\u2581It s <0xE2> <0x80> <0x94>"]


def test_evenly_spread():
    assert evenly_spread(9, 3) == {1, 4, 7} and evenly_spread(10, 2) == {2, 7}
    assert evenly_spread(2, 5) == {0, 1} and evenly_spread(0, 3) == set() and evenly_spread(5, 0) == set()


def test_has_aligned_text():
    assert validation().has_aligned_text() and not validation(sizes={TRIP: 3}).has_aligned_text()
