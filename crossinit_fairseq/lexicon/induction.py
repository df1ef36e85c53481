"""Inducing a lexicon: anchors, self-learning from several starts, and the pairs of all words by the best of them."""

import sys
from dataclasses import dataclass
from functools import cached_property
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
    as_given,
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
_DRAWN = 0.75  # share of the anchors, given ones too, that a restart knows: what it finds of the others is its own


@dataclass(frozen=True)
class Induction:
    """A lexicon and how sure it is.

    lexicon: the given pairs, and of every other word that stands near known words its best partner, mutual or not;
    agreement: 0 to 1, the share of running words (of those that take part in self-learning) for which two restarts
    found the same partner, on average, None where nothing can be compared: of one start, or of a single anchor;
    trusted: whether that is at least a half, None where it is not known; report: what to tell the user.
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

    settings: None for the defaults; seeds: pairs of words (left, right) known to be right, which the lexicon has as
    they are, with a score of 1; progress: show a bar on stderr if that is a terminal.
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
    agreement = _agreement(found, left.counts) if search.starts_differ else None
    best, known = search.all_words(found[_most_agreed(found, left.counts)])
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
    lexicon = Lexicon(left.language, right.language, search.pairs(best, known), settings_said)
    report = [
        f"anchors: {search.said}",
        f"{len(lexicon.mutual()):,} mutual pairs among {len(search.left):,} and {len(search.right):,} words",
    ]
    alone = sum(int((~side).sum()) for side in known)
    if alone:
        report.append(f"{alone:,} words stand near no known word, and have no partner")
    if agreement is not None:
        report.append(f"agreement of {settings.restarts} restarts: {agreement:.0%} of running words")
    elif search.starts_differ:
        report.append("one start: whether another would find the same pairs is not known; --restarts 3 tells")
    else:
        report.append(
            "one anchor: all starts are alike, so whether the pairs are right is not known; give more --seeds"
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
        self.given = given_pairs(self.left, self.right, seeds)
        self.anchors, self.given_anchors, self.said = self._anchors()
        self.starts_differ = len(self.anchors[0]) > 1

    def _anchors(self) -> Tuple[Pairs, int, str]:
        """(pairs to begin with, how many of them, the first ones, are given, these in words)."""
        wanted, size = self.settings.anchors, self.size
        given = within(self.given, size)
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
            return pairs, len(given[0]), f"{len(given[0])} seeds, {int(new.sum())} words spelt alike"
        pairs = pairs_by_rank_profile(self.left, self.right, self.priors, min(size, 1000))
        pairs = tuple(np.concatenate([given[side], pairs[side]]) for side in (0, 1))
        found = len(pairs[0]) - len(given[0])
        return pairs, len(given[0]), f"{len(given[0])} seeds, {found} pairs by the ranks of their neighbours"

    def learn(self, restart: int, advance: Callable[[], None]) -> Nearest:
        """Self-learning from a random part of the anchors, or from all of them if this is the only start."""
        settings, size = self.settings, self.size
        seed = settings.seed * 100 + restart
        random, count = np.random.default_rng(seed), len(self.anchors[0])
        drawn = random.random(count) < _DRAWN
        if settings.restarts == 1:
            drawn[:] = True
        elif drawn.sum() < _FEWEST_ANCHORS:
            # of few, as many as may be, but never all: starts that are alike agree whatever the text says
            drawn[:] = False
            drawn[random.permutation(count)[: max(1, int(_DRAWN * count))]] = True
        start = self.anchors[0][drawn], self.anchors[1][drawn]
        known = int(drawn[: self.given_anchors].sum())
        given = start[0][:known], start[1][:known]
        priors = self.priors.first(size)
        if settings.method == "mapping":
            ours, theirs = (vectors[:size] for vectors in self.own_vectors)
            return learn_by_mapping(
                ours, theirs, priors, start, given, settings.neighbours, settings.rounds, seed, advance
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
            given,
            vocabulary,
            settings.dimensions,
            settings.neighbours,
            seed,
            advance,
            nearest if self.transport is None else self.transport.partners,
        )

    @cached_property
    def own_vectors(self) -> List[np.ndarray]:
        """The words of each language in its own directions, for all restarts of the method "mapping"."""
        return [word_vectors(pmi, self.settings.dimensions, self.settings.seed) for pmi in self.pmi]

    def all_words(self, learnt: Nearest) -> Tuple[Nearest, Tuple[np.ndarray, np.ndarray]]:
        """The best partners of all words, in the shared space of the pairs that were learnt and of all that are given;
        which words of each language have one, bool [N] and [M]: they are given, or stand near a word of these pairs."""
        pairs = with_given(learnt, self.given)
        ours, theirs = shared_space(self.pmi[0], self.pmi[1], pairs, self.settings.dimensions, self.settings.seed)
        known = ours.any(axis=1), theirs.any(axis=1)
        for side, places in zip(known, self.given):
            side[places] = True
        return as_given(self._partners(ours, theirs), self.given), known

    def _partners(self, ours: np.ndarray, theirs: np.ndarray) -> Nearest:
        """The best partners by vectors in one space, on the device that is asked for."""
        known = ours, theirs, self.priors, self.settings.neighbours
        device = self.settings.device
        if self.transport is None:
            return nearest_of_vectors(*known) if device == "cpu" else _on_device().nearest_on_device(*known, device)
        if device == "cpu":
            return self.transport.partners_among(best_of_vectors(*known, CANDIDATES))
        return self.transport.partners_among(_on_device().best_on_device(*known, CANDIDATES, device))

    def pairs(self, best: Nearest, known: Tuple[np.ndarray, np.ndarray]) -> List[Pair]:
        """The best partner of every word that has one (known: bool [N] and [M]): mutual pairs and one-way ones, most
        frequent first."""
        left, right = self.left, self.right
        mutual, found = best.mutual, []
        for i, j in enumerate(best.forward.tolist()):
            if known[0][i]:
                counts = int(left.counts[i]), int(right.counts[j])
                how = MUTUAL if mutual[i] else FORWARD
                found.append(Pair(left.words[i], right.words[j], float(best.forward_score[i]), counts, how))
        for j, i in enumerate(best.backward.tolist()):
            if known[1][j] and best.forward[i] != j:
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
