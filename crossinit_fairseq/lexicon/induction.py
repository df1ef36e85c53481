"""Inducing a lexicon: anchors, self-learning from several starts, and the pairs of all words by the best of them."""

import sys
from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.anchors import (
    Pairs,
    as_pairs,
    given_pairs,
    log_frequencies,
    pairs_by_rank_profile,
    words_spelt_alike,
)
from crossinit_fairseq.lexicon.backoff import with_backoff
from crossinit_fairseq.lexicon.cooccurrence import CoOccurrence
from crossinit_fairseq.lexicon.induction_settings import FEWEST_WORDS, InductionSettings
from crossinit_fairseq.lexicon.lexicon_file import BACKWARD, FORWARD, MUTUAL, Lexicon, Pair
from crossinit_fairseq.lexicon.self_learning import (
    growing_vocabulary,
    learn_by_mapping,
    learn_by_pairs,
    shared_space,
    with_given,
    within,
)
from crossinit_fairseq.lexicon.similarity import Nearest, Priors, best_of_vectors, nearest, nearest_of_vectors
from crossinit_fairseq.lexicon.spelling import spelling_similarity
from crossinit_fairseq.lexicon.transport import CANDIDATES, Transport
from crossinit_fairseq.lexicon.word_vectors import positive_pmi, word_vectors

_FEWEST_ANCHORS = 10
_AGREEMENT = 0.5  # of running words; below, the restarts found different lexicons
_DRAWN = 0.75  # share of the anchors that a restart begins with


@dataclass(frozen=True)
class Induction:
    """A lexicon and how sure it is.

    lexicon: the best partner of every word, mutual or not; agreement: 0 to 1, the share of running words for which two
    restarts found the same partner, on average, None of one start, which nothing can be compared with; trusted: whether
    that is at least a half, None where it is not known; report: what to tell the user.
    """

    lexicon: Lexicon
    agreement: Optional[float]
    trusted: Optional[bool]
    report: List[str]


def induce(
    left: CoOccurrence,
    right: CoOccurrence,
    settings: Optional[InductionSettings] = None,
    seeds: Optional[Sequence[Tuple[str, str]]] = None,
    progress: bool = True,
) -> Induction:
    """Find which words of two languages translate each other, from what CoOccurrence knows of each language alone.

    settings: None for the defaults; seeds: pairs of words (left, right) known to be right; progress: show a bar on
    stderr if that is a terminal.
    Raises InputError when a text has too few words, or nothing to begin with is found.
    """
    settings = settings or InductionSettings()
    settings.check()
    for side in (left, right):
        if len(side) < FEWEST_WORDS:
            raise InputError(
                f"the text of {side.language} has {len(side):,} different words: a lexicon needs {FEWEST_WORDS} at the "
                "very least, and is worth little below some thousands; give more text"
            )
    search = _Search(left, right, settings, seeds or [])
    with _bar(settings.restarts * settings.rounds, progress) as bar:
        found = [search.learn(number, bar.update) for number in range(settings.restarts)]
    agreement = _agreement(found, left.counts)
    best = search.all_words(found[_most_agreed(found, left.counts)])
    trusted = None if agreement is None else agreement >= _AGREEMENT
    settings_said = {
        "words": str(max(len(search.left), len(search.right))),
        "anchors": search.said,
        "method": settings.method,
        "rank_weight": f"{settings.rank_weight:g}",
        "spelling_weight": f"{settings.spelling_weight:g}",
        "backoff": f"{settings.backoff:g}",
        "transport": f"{settings.transport:g}",
        "dimensions": str(settings.dimensions),
        "learn_words": str(search.size),
        "rounds": str(settings.rounds),
        "neighbours": str(settings.neighbours),
        "restarts": str(settings.restarts),
        "seed": str(settings.seed),
    }
    lexicon = Lexicon(left.language, right.language, search.pairs(best), settings_said)
    report = [
        f"anchors: {search.said}",
        f"{int(best.mutual.sum()):,} mutual pairs among {len(search.left):,} and {len(search.right):,} words",
    ]
    report.append(
        "one start: whether another would find the same pairs is not known; --restarts 3 tells"
        if agreement is None
        else f"agreement of {settings.restarts} restarts: {agreement:.0%} of running words"
    )
    return Induction(lexicon, agreement, trusted, report)


class _Search:
    """One search: the two languages, what is known beforehand, and the words that take part."""

    def __init__(
        self, left: CoOccurrence, right: CoOccurrence, settings: InductionSettings, seeds: Sequence[Tuple[str, str]]
    ):
        self.settings = settings
        self.left, self.right = _first(left, settings.words), _first(right, settings.words)
        self.size = min(settings.learn_words, len(self.left), len(self.right))
        spelling = spelling_similarity(self.left.words, self.right.words) if settings.spelling_weight else None
        self.priors = Priors(
            log_frequencies(self.left),
            log_frequencies(self.right),
            settings.rank_weight,
            spelling,
            settings.spelling_weight,
        )
        self.pmi = [
            positive_pmi(with_backoff(side.window, side.counts, side.words, settings.backoff))
            for side in (self.left, self.right)
        ]
        self.transport = None
        if settings.transport:
            self.transport = Transport(self.left.counts, self.right.counts, settings.transport)
        self.given, self.anchors, self.said = self._anchors(seeds)

    def _anchors(self, seeds: Sequence[Tuple[str, str]]) -> Tuple[Pairs, Pairs, str]:
        """(pairs that are given, pairs to begin with, these in words)."""
        wanted, size = self.settings.anchors, self.size
        given = within(given_pairs(self.left, self.right, seeds), size) if seeds else as_pairs([])
        if wanted == "seeds" and not len(given[0]):
            raise InputError("--anchors seeds needs --seeds with words that are frequent in the text; there is none")
        strings = as_pairs([])
        if wanted in ("auto", "strings"):
            strings = within(words_spelt_alike(self.left, self.right), size)
        if wanted == "strings" and not len(strings[0]):
            raise InputError(
                f"no frequent word of {self.left.language} and {self.right.language} is spelt alike: give --seeds with "
                "some pairs you know; fifty are worth a lot"
            )
        if wanted in ("auto", "strings", "seeds") and len(given[0]) + len(strings[0]) >= (
            _FEWEST_ANCHORS if wanted == "auto" else 1
        ):
            new = ~np.isin(strings[0], given[0])
            pairs = tuple(np.concatenate([given[side], strings[side][new]]) for side in (0, 1))
            return given, pairs, f"{len(given[0])} seeds, {int(new.sum())} words spelt alike"
        pairs = pairs_by_rank_profile(self.left, self.right, self.priors, min(size, 1000))
        pairs = tuple(np.concatenate([given[side], pairs[side]]) for side in (0, 1))
        return (
            given,
            pairs,
            f"{len(given[0])} seeds, {len(pairs[0]) - len(given[0])} pairs by the ranks of their neighbours",
        )

    def learn(self, restart: int, advance: Callable[[], None]) -> Nearest:
        """Self-learning from a random part of the anchors; the given ones are always among them."""
        settings, size = self.settings, self.size
        seed = settings.seed * 100 + restart
        drawn = np.random.default_rng(seed).random(len(self.anchors[0])) < _DRAWN
        if settings.restarts == 1 or drawn.sum() < _FEWEST_ANCHORS:
            drawn[:] = True
        drawn |= np.isin(self.anchors[0], self.given[0])
        start = self.anchors[0][drawn], self.anchors[1][drawn]
        priors = self.priors.first(size)
        if settings.method == "mapping":
            vectors = [word_vectors(pmi, settings.dimensions, settings.seed)[:size] for pmi in self.pmi]
            return learn_by_mapping(
                vectors[0], vectors[1], priors, start, self.given, settings.neighbours, settings.rounds, seed, advance
            )
        vocabulary = growing_vocabulary(settings.rounds, size)
        if len(within(start, vocabulary[0])[0]) < min(_FEWEST_ANCHORS, len(start[0])):
            vocabulary = [size] * settings.rounds  # what is known is of rarer words: they take part from the beginning
        pmi = [matrix[:size, :size] for matrix in self.pmi]
        return learn_by_pairs(
            pmi[0],
            pmi[1],
            priors,
            start,
            self.given,
            vocabulary,
            settings.dimensions,
            settings.neighbours,
            seed,
            advance,
            nearest if self.transport is None else self.transport.partners,
        )

    def all_words(self, learnt: Nearest) -> Nearest:
        """The best partners of all words, in the shared space of the pairs that were learnt."""
        pairs = with_given(learnt, self.given)
        ours, theirs = shared_space(self.pmi[0], self.pmi[1], pairs, self.settings.dimensions, self.settings.seed)
        known = ours, theirs, self.priors, self.settings.neighbours
        device = self.settings.device
        if self.transport is None:
            return nearest_of_vectors(*known) if device == "cpu" else _on_device().nearest_on_device(*known, device)
        if device == "cpu":
            return self.transport.partners_among(best_of_vectors(*known, CANDIDATES))
        return self.transport.partners_among(_on_device().best_on_device(*known, CANDIDATES, device))

    def pairs(self, best: Nearest) -> List[Pair]:
        """The best partner of every word: mutual pairs and one-way ones, most frequent first."""
        left, right = self.left, self.right
        mutual, found = best.mutual, []
        for i, j in enumerate(best.forward.tolist()):
            counts = int(left.counts[i]), int(right.counts[j])
            how = MUTUAL if mutual[i] else FORWARD
            found.append(Pair(left.words[i], right.words[j], float(best.forward_score[i]), counts, how))
        for j, i in enumerate(best.backward.tolist()):
            if best.forward[i] != j:
                counts = int(left.counts[i]), int(right.counts[j])
                found.append(Pair(left.words[i], right.words[j], float(best.backward_score[j]), counts, BACKWARD))
        return sorted(found, key=lambda pair: (-pair.counts[0] - pair.counts[1], pair.source, pair.target))


def _on_device() -> Any:
    # torch takes seconds to load, which those without a GPU need not wait for
    from crossinit_fairseq.lexicon import nearest_on_device

    return nearest_on_device


def _first(side: CoOccurrence, count: int) -> CoOccurrence:
    """The co-occurrence of the `count` most frequent words alone."""
    if len(side) <= count:
        return side
    return CoOccurrence(
        side.language,
        side.words[:count],
        side.counts[:count],
        side.total,
        side.window[:count, :count],
        side.left[:count, :count],
        side.place[:count],
    )


def _agreement(restarts: List[Nearest], counts: np.ndarray) -> Optional[float]:
    """Mean over two restarts: the share of running words, float, that have the same partner in both; None for one
    restart."""
    shares = _shares(restarts, counts)
    return float(shares[~np.eye(len(restarts), dtype=bool)].mean()) if len(restarts) > 1 else None


def _most_agreed(restarts: List[Nearest], counts: np.ndarray) -> int:
    """The number of the restart that agrees most with the others."""
    return int(_shares(restarts, counts).sum(1).argmax())


def _shares(restarts: List[Nearest], counts: np.ndarray) -> np.ndarray:
    """float [R, R]: the share of running words that two restarts give the same partner."""
    partners = np.stack([best.forward for best in restarts])
    weights = counts[: partners.shape[1]] / counts[: partners.shape[1]].sum()
    return ((partners[:, None, :] == partners[None, :, :]) * weights).sum(2)


def _bar(total: int, shown: bool) -> Any:
    from tqdm import tqdm

    # disable=None: only on a terminal
    return tqdm(total=total, desc="learning", delay=2, disable=None if shown else True, file=sys.stderr)
