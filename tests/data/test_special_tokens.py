"""crossinit_fairseq/translation/convention.py, against the batches that fairseq makes."""

import torch
from fairseq.data import data_utils
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.translation.direction_batches import Dressed, pair_dataset
from tests.helpers import Text, convention_of, dictionary_of

DICTIONARY = dictionary_of("abcdefgh")
CONVENTION = convention_of(DICTIONARY)
BOS, PAD, EOS = 0, 1, 2
EN, RO = DICTIONARY.index("[en]"), DICTIONARY.index("[ro]")  # 12 and 13; the words are 4 to 11

SENTENCES = st.lists(st.lists(st.integers(4, 11), min_size=1, max_size=6), min_size=1, max_size=5)


def test_dress():
    assert CONVENTION.dress(torch.tensor([5, 6, EOS]), "ro").tolist() == [BOS, 5, 6, EOS, RO]
    assert CONVENTION.dress(torch.tensor([EOS]), "en").tolist() == [BOS, EOS, EN]


@given(SENTENCES)
def test_undressing(sentences):
    for sentence in sentences:
        bare = torch.tensor(sentence + [EOS])
        dressed = CONVENTION.dress(bare, "ro")
        padded = torch.cat([dressed, torch.tensor([PAD, PAD])])
        for given_as in (bare, dressed, padded, torch.cat([torch.tensor([BOS]), bare])):
            assert torch.equal(CONVENTION.undress(given_as), bare)


def test_stack():
    stacked = CONVENTION.stack([torch.tensor([5, EOS]), torch.tensor([6, 7, 8, EOS]), torch.tensor([EOS])])
    assert stacked.tolist() == [[5, EOS, PAD, PAD], [6, 7, 8, EOS], [EOS, PAD, PAD, PAD]]
    assert stacked.dtype == torch.int64


def test_dress_generated():
    made = torch.tensor([[5, EOS, PAD, PAD], [6, 7, 8, EOS], [EOS, PAD, PAD, PAD]])
    assert CONVENTION.dress_generated(made, "ro").tolist() == [
        [BOS, 5, EOS, RO, PAD, PAD],
        [BOS, 6, 7, 8, EOS, RO],
        [BOS, EOS, RO, PAD, PAD, PAD],
    ]
    assert made[0].tolist() == [5, EOS, PAD, PAD], "the batch itself is not touched"


@given(SENTENCES)
def test_dressing_a_batch_is_dressing_each_sentence(sentences):
    sentences = [torch.tensor(sentence + [EOS]) for sentence in sentences]
    made = CONVENTION.dress_generated(CONVENTION.stack(sentences), "en")
    assert torch.equal(made, CONVENTION.stack([CONVENTION.dress(sentence, "en") for sentence in sentences]))


def test_sample():
    source = torch.tensor([[BOS, 8, EOS, RO, PAD], [BOS, 8, 9, EOS, RO]])
    target = torch.tensor([[BOS, 5, 6, EOS, EN], [BOS, 7, EOS, EN, PAD]])
    sample = CONVENTION.sample(source, target, "en")
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
    shifted = CONVENTION.sample(target, target, "en")["net_input"]["prev_output_tokens"]
    assert shifted.tolist() == [[EN, BOS, 5, EN, 6, EOS], [EN, BOS, 7, EOS, PAD, PAD]]


@given(SENTENCES)
def test_shifts_as_fairseq_does(sentences):
    dressed = [CONVENTION.dress(torch.tensor(sentence + [EOS]), "ro") for sentence in sentences]
    stacked = CONVENTION.stack(dressed)
    assert torch.equal(stacked, data_utils.collate_tokens(dressed, PAD, RO, left_pad=False))
    sample = CONVENTION.sample(stacked, stacked, "ro")
    expected = data_utils.collate_tokens(dressed, PAD, RO, left_pad=False, move_eos_to_beginning=True)
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
        Dressed(sources, CONVENTION, "en"), Dressed(targets, CONVENTION, "ro"), DICTIONARY, CONVENTION, "ro"
    )
    batch = dataset.collater([dataset[index] for index in range(len(pairs))])
    if batch["id"].tolist() != list(range(len(pairs))):  # its sort is free to swap sources of one length
        return
    sample = CONVENTION.sample(
        CONVENTION.stack([CONVENTION.dress(sentence, "en") for sentence in sources]),
        CONVENTION.stack([CONVENTION.dress(sentence, "ro") for sentence in targets]),
        "ro",
    )
    assert_same(sample, batch)
