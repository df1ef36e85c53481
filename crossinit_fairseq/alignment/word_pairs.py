"""Step 3 with the pairs of a lexicon for Positives: the vectors of their words, and the objective over them."""

from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F

from crossinit_fairseq.alignment.weighted_sums import embedding_bag
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.word_forms import LexiconTokens, Tokens
from crossinit_fairseq.ranks import RankedWords
from crossinit_fairseq.spans import PairDraws


@dataclass(frozen=True)
class PairPlan:
    """The words of B pairs of one lexicon, laid out on the CPU with the draws.

    tokens: int64 [T], the sub-tokens of the B first words, then of the B second words; starts: int64 [2 B], where each
    word begins in them; related: bool [B, B], whether word a of the first language and word b of the second translate
    each other in the lexicon, in this batch or not.
    """

    tokens: torch.Tensor
    starts: torch.Tensor
    related: torch.Tensor

    def tensors(self) -> Dict[str, torch.Tensor]:
        """The fields as a dict, to be collated and moved to a device; ``PairPlan(**tensors)`` is the way back."""
        return dict(vars(self))

    def words(self) -> int:
        """How many words' means are taken, 2 B."""
        return len(self.starts)


@dataclass(frozen=True)
class PairVectors:
    """The words of B pairs, float [B, d] each: left in the first language of the lexicon, right in the second."""

    left: torch.Tensor
    right: torch.Tensor


@dataclass(frozen=True)
class PairContrast:
    """What the objective computes of B pairs, float [B] each.

    loss: in nats; positive: the cosine of the two words; negative: the mean cosine with the Negatives; correct: in how
    many of the two directions the partner is nearer than all Negatives, divided by 2.
    """

    loss: torch.Tensor
    positive: torch.Tensor
    negative: torch.Tensor
    correct: torch.Tensor


class PairedWords:
    """The pairs of some lexicons, ready to be drawn from.

    lexicons: LexiconTokens, whose `pairs` are Positive. Forms of one word of the lexicon are one word where it is asked
    which words translate each other: `File` is no Negative of `fișier`.
    """

    def __init__(self, lexicons: Sequence[LexiconTokens]):
        self.lexicons = list(lexicons)
        self._flat_words = [
            [_flat([pair.source for pair in one.pairs]), _flat([pair.target for pair in one.pairs])]
            for one in self.lexicons
        ]
        # for each lexicon int64 [2, pairs]: which word of the lexicon each word of a pair is a form of
        self._word_numbers = [
            np.stack([_numbers([pair.words[side] for pair in one.pairs]) for side in (0, 1)]) for one in self.lexicons
        ]

    @property
    def sizes(self) -> List[int]:
        """The number of pairs of each lexicon."""
        return [len(one.pairs) for one in self.lexicons]

    def check_negatives(self) -> None:
        """Raise InputError for a lexicon in which all words translate each other, such as forms of one word and of its
        translation, which are several pairs: then nothing is Negative, and nothing is learnt."""
        for one in self.lexicons:
            words = {pair.words for pair in one.pairs}
            left, right = ({pair[side] for pair in words} for side in (0, 1))
            if len(words) == len(left) * len(right):
                raise InputError(
                    f"the {len(one.pairs):,} pairs of the lexicon {one.source}-{one.target} whose words are in the "
                    f"training text are forms of {', '.join(sorted(left)[:3])} and {', '.join(sorted(right)[:3])}, "
                    "which translate each other, so that nothing is Negative: give it pairs of other words, hundreds "
                    "to learn from"
                )

    def plan(self, draws: PairDraws) -> PairPlan:
        """Lay out the words of the draws. Returns PairPlan, on the CPU."""
        parts = [words.take(draws.positions) for words in self._flat_words[draws.lexicon]]
        lengths = np.concatenate([lengths for _, lengths in parts])
        return PairPlan(
            tokens=torch.from_numpy(np.concatenate([tokens for tokens, _ in parts])),
            starts=torch.from_numpy(np.cumsum(lengths) - lengths),
            related=torch.from_numpy(self._related(draws)),
        )

    def _related(self, draws: PairDraws) -> np.ndarray:
        """bool [B, B]. Lays the pairs of the whole lexicon out between the words that the batch holds."""
        words = self._word_numbers[draws.lexicon]
        batch = words[:, draws.positions]
        rows, columns = (np.unique(side, return_inverse=True) for side in batch)
        places = [np.full(words[side].max() + 1, -1, dtype=np.int64) for side in (0, 1)]
        for place, (found, _) in zip(places, (rows, columns)):
            place[found] = np.arange(len(found))
        left, right = places[0][words[0]], places[1][words[1]]
        here = (left >= 0) & (right >= 0)
        link = np.zeros((len(rows[0]), len(columns[0])), dtype=bool)
        link[left[here], right[here]] = True
        return link[rows[1].ravel()[:, None], columns[1].ravel()]

    def all_words(self) -> RankedWords:
        """Every word of every pair once, as RankedWords of equal counts, for what asks which rows the pairs train."""
        words = {word for one in self.lexicons for pair in one.pairs for word in (pair.source, pair.target)}
        return _as_ranked(sorted(words))

    def unrelated_words(self, seed: int = 0) -> List[RankedWords]:
        """Words of each language of which no two translate each other or are forms of one word: such pairs would
        distort the measures of a table.

        A random half of the words of a lexicon's first language is taken, and the translations of the other half, each
        word in its first form; where that leaves fewer than two words of a language, all of its words. Returns
        RankedWords of equal counts, languages in the order in which the lexicons name them.
        """
        rng = np.random.default_rng(seed)
        # language -> word of a lexicon -> its first form
        words: Dict[str, Dict[str, Tokens]] = {}
        everything: Dict[str, Dict[str, Tokens]] = {}
        for one, numbers in zip(self.lexicons, self._word_numbers):
            first = rng.permutation(numbers[0].max() + 1)[numbers[0]] <= numbers[0].max() // 2
            taken_right = set(numbers[1][first].tolist())
            source, target = words.setdefault(one.source, {}), words.setdefault(one.target, {})
            for pair, mine, right in zip(one.pairs, first, numbers[1].tolist()):
                everything.setdefault(one.source, {}).setdefault(pair.words[0], pair.source)
                everything.setdefault(one.target, {}).setdefault(pair.words[1], pair.target)
                if mine:
                    source.setdefault(pair.words[0], pair.source)
                elif right not in taken_right:
                    target.setdefault(pair.words[1], pair.target)
        kept = [some if len(some) > 1 else everything[language] for language, some in words.items()]
        return [_as_ranked(list(some.values())) for some in kept]


def pair_vectors(table: torch.Tensor, plan: PairPlan) -> PairVectors:
    """The mean of each word's sub-tokens, in single precision at least.

    table: float [V, d], the gradient flows into it; plan: on its device.
    """
    means = embedding_bag(table, plan.tokens, plan.starts, "mean")
    # half precision would round the loss to two or three digits
    return PairVectors(*means.to(torch.promote_types(table.dtype, torch.float32)).chunk(2))


def pair_objective(vectors: PairVectors, related: torch.Tensor, temperature: float) -> PairContrast:
    """InfoNCE of cosines in both directions: a word's partner among the other words of its language in the batch.

        loss = 1/2 log (sum over r' of e^(cos(l, r')/t)) + 1/2 log (sum over l' of e^(cos(l', r)/t)) - cos(l, r)/t

    where r' is r and its Negatives, l' is l and its Negatives, t the temperature (van den Oord et al., 2018; symmetric
    as in Radford et al., 2021). loss is in nats, ln B each at random. related: bool [B, B], see PairPlan; other
    translations of a word are no Negatives of it. A pair without any Negative has no loss.
    """
    cosines = F.normalize(vectors.left, dim=1) @ F.normalize(vectors.right, dim=1).t()
    positive = cosines.diagonal()
    itself = torch.eye(len(cosines), dtype=torch.bool, device=cosines.device)
    excluded = related & ~itself
    logits = cosines.masked_fill(excluded, float("-inf")) / temperature
    loss = (torch.logsumexp(logits, 1) + torch.logsumexp(logits, 0)) / 2 - positive / temperature
    with torch.no_grad():
        others = ~(related | itself)
        sums = (cosines * others).sum(1) + (cosines * others).sum(0)
        negative = sums / (others.sum(1) + others.sum(0)).clamp(min=1)
        rivals = cosines.masked_fill(~others, float("-inf"))
        correct = ((positive > rivals.max(1)[0]).float() + (positive > rivals.max(0)[0]).float()) / 2
    return PairContrast(loss, positive, negative, correct)


@dataclass(frozen=True)
class _Flat:
    """Words one after another. tokens: int64 [T]; offsets: int64 [words + 1]."""

    tokens: np.ndarray
    offsets: np.ndarray

    def take(self, positions: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """The words at int64 [B] positions: int64 [sub-tokens] and int64 [B], their lengths."""
        lengths = np.diff(self.offsets)[positions]
        ends = np.cumsum(lengths)
        gather = np.repeat(self.offsets[positions] - (ends - lengths), lengths) + np.arange(ends[-1])
        return self.tokens[gather], lengths


def _flat(words: Sequence[Tokens]) -> _Flat:
    offsets = np.cumsum([0] + [len(word) for word in words], dtype=np.int64)
    return _Flat(np.array([token for word in words for token in word], dtype=np.int64), offsets)


def _numbers(words: Sequence[str]) -> np.ndarray:
    """int64 [len(words)]: equal words have equal numbers, from 0 in the order in which they come."""
    known: Dict[str, int] = {}
    return np.array([known.setdefault(word, len(known)) for word in words], dtype=np.int64)


def _as_ranked(words: Sequence[Tokens]) -> RankedWords:
    flat = _flat(words)
    return RankedWords(flat.tokens.astype(np.int32), flat.offsets, np.ones(len(words), dtype=np.int64))
