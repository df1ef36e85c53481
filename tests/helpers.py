"""What several test files need. No fairseq at module level: ranks, spans and alignment know none."""

import argparse
import os
import re

import numpy as np
import torch
from hypothesis import settings
from hypothesis import strategies as st

from crossinit_fairseq.ranks import BinarisedText, RankedWords

# no deadline: a first example pays for imports; derandomised: the same examples in every run. EXAMPLES=2000 in the
# environment: so many of each property that names no number of its own
settings.register_profile("house", deadline=None, derandomize=True, max_examples=int(os.environ.get("EXAMPLES", 50)))
settings.load_profile("house")


def ranked_words(words, counts=None):
    """RankedWords of lists of sub-tokens, which stand in order already; counts fall from the number of words to 1."""
    offsets = np.cumsum([0] + [len(word) for word in words])
    counts = range(len(words), 0, -1) if counts is None else counts
    tokens = [token for word in words for token in word]
    return RankedWords(np.array(tokens, dtype=np.int32), offsets.astype(np.int64), np.array(counts, dtype=np.int64))


def as_list(ranked):
    """RankedWords as [(list of sub-tokens, count), ...]."""
    return [(ranked.word(k).tolist(), int(ranked.counts[k])) for k in range(len(ranked))]


def binarised(sentences, dtype=np.uint16):
    """BinarisedText of lists of tokens."""
    lengths = np.array([len(sentence) for sentence in sentences], dtype=np.int32)
    return BinarisedText(np.array([token for sentence in sentences for token in sentence], dtype=dtype), lengths)


def word_lists(vocabulary, most_words=8, languages=(2, 4), least_words=2):
    """Hypothesis strategy: for each language a list of words of 1 to 4 sub-tokens, frequent words first."""
    word = st.lists(st.integers(0, vocabulary - 1), min_size=1, max_size=4)
    words = st.lists(word, min_size=least_words, max_size=most_words)
    return st.lists(words, min_size=languages[0], max_size=languages[1])


class SizedDictionary:
    """Only the size of a dictionary."""

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size


def dictionary_of(words, languages=("en", "ro")):
    """A fairseq Dictionary: its four special symbols, the words, the languages' tokens, <mask>."""
    from fairseq.data import Dictionary

    dictionary = Dictionary()
    for symbol in list(words) + [f"[{language}]" for language in languages] + ["<mask>"]:
        dictionary.add_symbol(symbol)
    return dictionary


def write_sentencepiece_model(path):
    """Write a SentencePiece model of a, b and c, with six pieces after its own three. Returns it, loaded."""
    import sentencepiece

    with open(str(path), "wb") as stream:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a b c ab bc abc"] * 20),
            model_writer=stream,
            vocab_size=9,
            model_type="bpe",
            minloglevel=2,
        )
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def special_tokens_of(dictionary, languages=("en", "ro")):
    """The SpecialTokens of a dictionary_of."""
    from crossinit_fairseq.data.special_tokens import SpecialTokens

    return SpecialTokens({language: dictionary.index(f"[{language}]") for language in languages})


class Text(list):
    """A monolingual dataset: int64 [T] sentences that end in </s>, with their sizes."""

    def __init__(self, sentences, eos=2):
        super().__init__(torch.tensor(list(sentence) + [eos]) for sentence in sentences)
        self.sizes = np.array([len(sentence) for sentence in self], dtype=np.int64)


def tiny_model(dictionary, kind="bart", positions=64, **options):
    """A model in eval mode: fairseq's bart, transformer, roberta or masked_lm, or xlm or xlm_translation; one layer and
    8 dimensions each."""
    side = dict(embed_dim=8, ffn_embed_dim=16, layers=1, attention_heads=2)
    args = {"encoder_" + key: value for key, value in side.items()}
    args.update({"decoder_" + key: value for key, value in side.items()})
    args.update(task="test", dropout=0.0, attention_dropout=0.0, act_dropout=0.0, max_positions=positions)
    args.update(max_source_positions=positions, max_target_positions=positions, tokens_per_sample=positions)
    args.update(options)
    args, task = argparse.Namespace(**args), _Task(dictionary)
    if kind == "bart":
        from fairseq.models.bart import model as bart

        bart.mbart_base_architecture(args)
        return bart.BARTModel.build_model(args, task).eval()
    if kind == "transformer":
        from fairseq.models.transformer import TransformerModel, base_architecture

        base_architecture(args)
        return TransformerModel.build_model(args, task).eval()
    if kind == "roberta":
        from fairseq.models.roberta import RobertaModel

        return RobertaModel.build_model(args, task).eval()
    if kind in ("xlm", "xlm_translation"):
        from fairseq.models import MODEL_REGISTRY

        import crossinit_fairseq  # noqa: F401

        return MODEL_REGISTRY[kind].build_model(args, task).eval()
    from fairseq.models.masked_lm import MaskedLMModel, xlm_architecture

    xlm_architecture(args)
    return MaskedLMModel.build_model(args, task).eval()


def is_kept(name):
    """Whether loading keeps this entry of a checkpoint: the official fairseq 0.12.2 refills some that nothing uses."""
    return not re.search(r"\.(in_proj|out_proj|fc1|fc2)_(weight|bias)$|\._float_tensor$", name)


class _Task:
    def __init__(self, dictionary):
        self.source_dictionary = self.target_dictionary = self.dictionary = dictionary
