"""The noise of BART's and mBART's pre-training (Lewis et al., 2020, section 2.2): above all, masked spans of words."""

import math
from dataclasses import dataclass

import numpy as np

from crossinit_fairseq.data.dictionary import BOS, EOS
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import WordPieces

SPANS, WORDS, SUB_TOKENS = "span-poisson", "word", "subword"
MASK_LENGTHS = (SPANS, WORDS, SUB_TOKENS)
_SHORTEST = 0.1  # shorter spans would be insertions above all


@dataclass(frozen=True)
class NoiseLaw:
    """How much noise of which kind; the names and the law are those of fairseq's DenoisingDataset.

    mask: share of the words that are masked, rounded up; mask_length: a mask covers a span of words whose length is
    drawn from a Poisson distribution, one word, or one sub-token; poisson_lambda: mean length of a span (Liu et al.,
    2020: 3.5), where one of no words inserts a mask; replace_length: what a masked span becomes, nothing (0), one
    ``<mask>`` (1), or one for each of its sub-tokens (-1); mask_random: share of the masks that are a random sub-token
    instead; insert: masks to insert, as a share of the sub-tokens; permute: share of the sub-tokens that are permuted
    among each other; rotate: probability that the input begins elsewhere; permute_sentences: share of the sentences of
    an input that are permuted.
    """

    mask: float = 0.35
    mask_length: str = SPANS
    poisson_lambda: float = 3.5
    replace_length: int = 1
    mask_random: float = 0.0
    insert: float = 0.0
    permute: float = 0.0
    rotate: float = 0.0
    permute_sentences: float = 0.0

    def check(self) -> None:
        """Raises InputError when a value is out of its range."""
        for name in ("mask", "mask_random", "insert", "permute", "rotate", "permute_sentences"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise InputError(f"--{name.replace('_', '-')} is {value}; it is a share, 0 to 1")
        if self.replace_length not in (-1, 0, 1):
            raise InputError(
                f"--replace-length is {self.replace_length}; a masked span becomes nothing (0), one <mask> (1) or one "
                "for each sub-token (-1)"
            )
        if self.mask_length not in MASK_LENGTHS:
            raise InputError(f"--mask-length is {self.mask_length}; choose one of {', '.join(MASK_LENGTHS)}")
        if not self.poisson_lambda >= _SHORTEST:
            raise InputError(
                f"--poisson-lambda is {self.poisson_lambda}; it is a mean length in words, {_SHORTEST} or more"
            )


class BartNoise:
    """Adds noise by a NoiseLaw to an input: ``<s>``, sentences that end in ``</s>`` each, and one token at the end (the
    language's, in mBART). The first and the last stay where they are; an ``</s>`` counts as a word, as in fairseq.

    fairseq itself masks sub-tokens unless it is given --bpe, and draws random ones among ``<pad>`` and the language
    tokens too.

    pieces: WordPieces of the dictionary; mask: row of ``<mask>``; text_tokens: int64 [n], the rows that a random
    sub-token may be of; longest: of an input, in sub-tokens, beyond which nothing is inserted; whole_words: off where a
    language has no spaces, and each sub-token counts as a word.
    """

    def __init__(
        self,
        law: NoiseLaw,
        pieces: WordPieces,
        mask: int,
        text_tokens: np.ndarray,
        longest: int,
        whole_words: bool = True,
    ):
        self.law, self.mask, self.text_tokens, self.longest = law, mask, text_tokens, longest
        self.whole_words = whole_words and law.mask_length != SUB_TOKENS
        self.starts, self.ends = pieces.starts.copy(), pieces.ends.copy()
        self.starts[EOS] = True
        self.ends[[BOS, EOS]] = True

    def __call__(self, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """tokens: int64 [T], T >= 3, which stays as it is. Returns int64 [T'], T' <= max(T, longest)."""
        law = self.law
        if law.permute_sentences > 0:
            tokens = self._permute_sentences(tokens, rng)
        if law.mask > 0:
            tokens = self._mask_words(tokens, rng)
        if law.permute > 0:
            tokens = self._permute(tokens, rng)
        if law.insert > 0:
            tokens = self._insert(tokens, math.ceil(len(tokens) * law.insert), rng)
        if law.rotate > 0 and rng.random() < law.rotate:
            begin = int(rng.integers(1, len(tokens)))
            tokens = np.concatenate([tokens[:1], tokens[begin:-1], tokens[1:begin], tokens[-1:]])
        return tokens

    def word_begins(self, tokens: np.ndarray) -> np.ndarray:
        """Where the words of an input begin: int64 [W], without its first and its last token."""
        if not self.whole_words:
            return np.arange(1, len(tokens) - 1)
        begins = self.starts[tokens[1:-1]]
        begins |= self.ends[tokens[:-2]]
        return np.flatnonzero(begins) + 1

    def _mask_words(self, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        begins = self.word_begins(tokens)
        words = len(begins)
        # in single precision, as fairseq: 0.07 of 100 words are 7, not 8
        count = math.ceil(np.float32(words) * np.float32(self.law.mask))
        if not count:
            return tokens
        lengths = self._lengths(count, rng)
        spans = lengths[lengths > 0]
        first = rng.permutation(words)[: len(spans)]
        order = np.argsort(first)
        first = first[order]
        bounds = np.append(begins, len(tokens) - 1)
        ends = bounds[np.minimum(first + spans[order], words)]
        masked = self._replace(tokens, begins[first], ends, rng)
        return self._insert(masked, len(lengths) - len(spans), rng)

    def _lengths(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """How many words each span has: int64, of the sum `count`; the last one is cut to that."""
        if self.law.mask_length != SPANS:
            return np.ones(count, dtype=np.int64)
        lengths = rng.poisson(self.law.poisson_lambda, count)
        while lengths.sum() < count:
            lengths = np.append(lengths, rng.poisson(self.law.poisson_lambda, count))
        sums = np.cumsum(lengths)
        last = int(np.searchsorted(sums, count))
        lengths[last] -= sums[last] - count
        return lengths[: last + 1]

    def _replace(
        self, tokens: np.ndarray, begins: np.ndarray, ends: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Mask spans of tokens, which may overlap: begins (rising) and ends, int64 [n] each."""
        masks = self._masks(len(begins), rng)
        reach = np.maximum.accumulate(ends)
        # the first span that reaches beyond a token is the first that covers it, if one does
        places = np.arange(len(tokens))
        owner = np.searchsorted(reach, places, side="right")
        covered = begins[np.minimum(owner, len(begins) - 1)] <= places
        covered &= places < reach[-1]
        noised = tokens.copy()
        if self.law.replace_length == -1:
            # each token of a span is drawn anew where its mask is a random one
            of_random = masks != self.mask
            noised[covered] = self.mask
            random = np.flatnonzero(covered)
            random = random[of_random[owner[random]]]
            noised[random] = self._random_tokens(len(random), rng)
            return noised
        keep = ~covered
        if self.law.replace_length == 1:
            # a span that begins inside another one leaves no mask of its own
            alone = np.append(True, begins[1:] >= reach[:-1])
            keep[begins[alone]] = True
            noised[begins[alone]] = masks[alone]
        return noised[keep]

    def _masks(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """``<mask>`` or random sub-tokens, int64 [count]."""
        masks = np.full(count, self.mask)
        if self.law.mask_random > 0:
            random = rng.random(count) < self.law.mask_random
            masks[random] = self._random_tokens(int(random.sum()), rng)
        return masks

    def _random_tokens(self, count: int, rng: np.random.Generator) -> np.ndarray:
        return self.text_tokens[rng.integers(len(self.text_tokens), size=count)]

    def _insert(self, tokens: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """Insert masks anywhere between the first and the last token; their share that is random is rounded up."""
        count = min(count, self.longest - len(tokens))
        if count <= 0:
            return tokens
        places = rng.permutation(len(tokens) + count - 2)[:count] + 1
        random = math.ceil(count * self.law.mask_random)
        noised = np.full(len(tokens) + count, self.mask)
        old = np.ones(len(noised), dtype=bool)
        old[places] = False
        noised[old] = tokens
        noised[places[:random]] = self._random_tokens(random, rng)
        return noised

    def _permute(self, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """By fairseq's add_permuted_noise, which its dataset never calls."""
        chosen = rng.permutation(len(tokens) - 2)[: math.ceil(len(tokens) * self.law.permute)] + 1
        noised = tokens.copy()
        noised[chosen] = tokens[rng.permutation(chosen)]
        return noised

    def _permute_sentences(self, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A sentence ends with the first of its ``</s>``, and at the last but one token."""
        stops = tokens == EOS
        stops[-2] = True
        ends = np.flatnonzero(stops[1:] & ~stops[:-1]) + 2
        chosen = rng.permutation(len(ends))[: math.ceil(len(ends) * self.law.permute_sentences)]
        order = np.arange(len(ends))
        order[chosen] = rng.permutation(chosen)
        begins = np.append(1, ends[:-1])
        noised = tokens.copy()
        noised[1 : ends[-1]] = np.concatenate([tokens[begins[k] : ends[k]] for k in order])
        return noised
