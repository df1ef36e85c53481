"""crossinit_fairseq/data/special_tokens.py, against the batches that fairseq makes."""

import torch
from fairseq.data import data_utils
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.data.datasets.grouped_batches import WithSpecialTokens, pair_dataset
from tests.helpers import Text, dictionary_of, special_tokens_of

DICTIONARY = dictionary_of("abcdefgh")
SPECIAL_TOKENS = special_tokens_of(DICTIONARY)
BOS, PAD, EOS = 0, 1, 2
EN, RO = DICTIONARY.index("[en]"), DICTIONARY.index("[ro]")  # 12 and 13; the words are 4 to 11

SENTENCES = st.lists(st.lists(st.integers(4, 11), min_size=1, max_size=6), min_size=1, max_size=5)


def test_adding_by_hand():
    assert SPECIAL_TOKENS.add(torch.tensor([5, 6, EOS]), "ro").tolist() == [BOS, 5, 6, EOS, RO]
    assert SPECIAL_TOKENS.add(torch.tensor([EOS]), "en").tolist() == [BOS, EOS, EN]


@given(SENTENCES)
def test_removing(sentences):
    for sentence in sentences:
        bare = torch.tensor(sentence + [EOS])
        whole = SPECIAL_TOKENS.add(bare, "ro")
        padded = torch.cat([whole, torch.tensor([PAD, PAD])])
        for given_as in (bare, whole, padded, torch.cat([torch.tensor([BOS]), bare])):
            assert torch.equal(SPECIAL_TOKENS.remove(given_as), bare)


def test_collate():
    collated = SPECIAL_TOKENS.collate([torch.tensor([5, EOS]), torch.tensor([6, 7, 8, EOS]), torch.tensor([EOS])])
    assert collated.tolist() == [[5, EOS, PAD, PAD], [6, 7, 8, EOS], [EOS, PAD, PAD, PAD]]
    assert collated.dtype == torch.int64


def test_adding_to_a_batch_by_hand():
    got = torch.tensor([[5, EOS, PAD, PAD], [6, 7, 8, EOS], [EOS, PAD, PAD, PAD]])
    assert SPECIAL_TOKENS.add_to_batch(got, "ro").tolist() == [
        [BOS, 5, EOS, RO, PAD, PAD],
        [BOS, 6, 7, 8, EOS, RO],
        [BOS, EOS, RO, PAD, PAD, PAD],
    ]
    assert got[0].tolist() == [5, EOS, PAD, PAD], "the batch itself is not touched"


@given(SENTENCES)
def test_adding_to_a_batch_is_adding_to_each_sentence(sentences):
    sentences = [torch.tensor(sentence + [EOS]) for sentence in sentences]
    got = SPECIAL_TOKENS.add_to_batch(SPECIAL_TOKENS.collate(sentences), "en")
    assert torch.equal(got, SPECIAL_TOKENS.collate([SPECIAL_TOKENS.add(sentence, "en") for sentence in sentences]))


def test_training_sample():
    source = torch.tensor([[BOS, 8, EOS, RO, PAD], [BOS, 8, 9, EOS, RO]])
    target = torch.tensor([[BOS, 5, 6, EOS, EN], [BOS, 7, EOS, EN, PAD]])
    sample = SPECIAL_TOKENS.training_sample(source, target, "en")
    # the decoder starts with the language, and its input ends one token before the target does
    assert sample["net_input"]["prev_output_tokens"].tolist() == [[EN, BOS, 5, 6, EOS], [EN, BOS, 7, EOS, PAD]]
    assert torch.equal(sample["target"], target) and torch.equal(sample["net_input"]["src_tokens"], source)
    assert sample["net_input"]["src_lengths"].tolist() == [4, 5]
    assert (sample["ntokens"], sample["nsentences"], sample["id"].tolist()) == (9, 2, [0, 1])
    assert isinstance(sample["ntokens"], int)
    assert target.tolist() == [[BOS, 5, 6, EOS, EN], [BOS, 7, EOS, EN, PAD]]


def test_a_language_token_in_the_text_stays_there():
    # someone wrote "[en]" into the text
    target = torch.tensor([[BOS, 5, EN, 6, EOS, EN], [BOS, 7, EOS, EN, PAD, PAD]])
    shifted = SPECIAL_TOKENS.training_sample(target, target, "en")["net_input"]["prev_output_tokens"]
    assert shifted.tolist() == [[EN, BOS, 5, EN, 6, EOS], [EN, BOS, 7, EOS, PAD, PAD]]


@given(SENTENCES)
def test_shifts_as_fairseq_does(sentences):
    whole = [SPECIAL_TOKENS.add(torch.tensor(sentence + [EOS]), "ro") for sentence in sentences]
    collated = SPECIAL_TOKENS.collate(whole)
    assert torch.equal(collated, data_utils.collate_tokens(whole, PAD, RO, left_pad=False))
    sample = SPECIAL_TOKENS.training_sample(collated, collated, "ro")
    expected = data_utils.collate_tokens(whole, PAD, RO, left_pad=False, move_eos_to_beginning=True)
    assert torch.equal(sample["net_input"]["prev_output_tokens"], expected)


def assert_same(one, other, path=""):
    if isinstance(one, dict):
        assert set(one) == set(other), path
        for key in one:
            assert_same(one[key], other[key], path + "/" + key)
    elif torch.is_tensor(one):
        assert torch.equal(one, other), path
    else:
        assert one == other, path


@given(st.lists(st.tuples(*[st.lists(st.integers(4, 11), min_size=1, max_size=6)] * 2), min_size=1, max_size=5))
def test_equals_a_batch_of_language_pair_dataset(pairs):
    # LanguagePairDataset sorts a batch by falling source length, so start from that order
    pairs = sorted(pairs, key=lambda pair: -len(pair[0]))
    sources, targets = Text(source for source, _ in pairs), Text(target for _, target in pairs)
    dataset = pair_dataset(
        WithSpecialTokens(sources, SPECIAL_TOKENS, "en"),
        WithSpecialTokens(targets, SPECIAL_TOKENS, "ro"),
        DICTIONARY,
        SPECIAL_TOKENS,
        "ro",
    )
    batch = dataset.collater([dataset[index] for index in range(len(pairs))])
    if batch["id"].tolist() != list(range(len(pairs))):  # its sort is free to swap sources of one length
        return
    sample = SPECIAL_TOKENS.training_sample(
        SPECIAL_TOKENS.collate([SPECIAL_TOKENS.add(sentence, "en") for sentence in sources]),
        SPECIAL_TOKENS.collate([SPECIAL_TOKENS.add(sentence, "ro") for sentence in targets]),
        "ro",
    )
    assert_same(sample, batch)
