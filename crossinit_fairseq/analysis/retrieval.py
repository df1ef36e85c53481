"""Words and sentences found by their vectors: P@1, P@5 and MRR, by cosine and by CSLS, beside their controls."""

from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from crossinit_fairseq.analysis.controls import VARIANTS, Control, Finding, chance
from crossinit_fairseq.analysis.words import LanguageWords, Space
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.evaluation import RANK_BANDS
from crossinit_fairseq.lexicon.similarity import mean_of_nearest, units

COSINE, CSLS = "cosine", "CSLS"
_BLOCK = 500  # source words that are scored at a time
_NEIGHBOURHOOD = 5000  # the most frequent words, among which CSLS looks for neighbours
_SHUFFLES = 100


@dataclass(frozen=True)
class Translations:
    """What of a dictionary can be judged with the words at hand.

    source, target: codes; entries: {position of the source word: positions of its translations}; missing: source words
    of the dictionary that are not in the vocabulary, or none of whose translations is; same: how many further words
    have a translation that is spelt alike and are left out, since a shared row finds itself; total: source words.
    """

    source: str
    target: str
    entries: Dict[int, Set[int]]
    missing: List[str]
    same: int
    total: int

    @property
    def coverage(self) -> float:
        """The share of the dictionary's source words that are judged, 0 to 1."""
        return len(self.entries) / self.total if self.total else 0.0


def find_translations(
    words: Mapping[str, LanguageWords], source: str, target: str, pairs: Sequence[Tuple[str, str]], name: str
) -> Translations:
    """Look a dictionary up. pairs: (source word, a translation), of `read_word_pairs`; name: of its file.

    Raises InputError when no entry is in the vocabulary: the dictionary is probably of other languages.
    """
    wanted: Dict[str, Set[str]] = {}
    for word, translation in pairs:
        wanted.setdefault(word, set()).add(translation)
    entries: Dict[int, Set[int]] = {}
    missing, same = [], 0
    for word, translations in wanted.items():
        place = words[source].find(word)
        places = {words[target].find(translation) for translation in translations} - {None}
        if place is None or not places:
            missing.append(word)
        elif words[target].find(word) in places:
            same += 1
        else:
            entries.setdefault(place, set()).update(places)  # type: ignore[arg-type]
    if not entries:
        raise InputError(
            f"{name}: none of its {len(wanted):,} words has a translation in the vocabulary: is it a dictionary from "
            f"{source} to {target}, and are the ranks of these languages?"
        )
    return Translations(source, target, entries, missing, same, len(wanted))


@dataclass(frozen=True)
class Retrieved:
    """Where right translations stand among all words of the target language.

    places: int64 [n], the place, from 1, of the best right translation of each source word; ties count against it;
    best: int64 [n], the word that was found first.
    """

    places: np.ndarray
    best: np.ndarray

    def precision(self, at: int) -> float:
        """The share of source words with a right translation among the first `at`, 0 to 1."""
        return float((self.places <= at).mean())

    @property
    def mrr(self) -> float:
        """The mean reciprocal rank."""
        return float((1 / self.places).mean())


def retrieve(space: Space, translations: Translations, metric: str = COSINE, neighbours: int = 10) -> Retrieved:
    """Rank all words of the target language for every source word of the dictionary.

    metric: COSINE, or CSLS (Conneau et al. 2018, `lexicon.similarity.csls`) with the 10 nearest of the most frequent
    5,000 words of the other language.
    """
    # float32 rounds each product another way, and words with the same vector have to tie
    source, target = units(space.vectors[translations.source]), units(space.vectors[translations.target])
    places = sorted(translations.entries)
    hubs = np.zeros(len(target))
    if metric == CSLS:
        frequent = source[:_NEIGHBOURHOOD]
        parts = [target[at : at + _BLOCK] @ frequent.T for at in range(0, len(target), _BLOCK)]
        hubs = np.concatenate([mean_of_nearest(part, neighbours) for part in parts])
    found, best = [], []
    for at in range(0, len(places), _BLOCK):
        block = places[at : at + _BLOCK]
        # a source word's own mean is the same for all of its targets and changes no order
        scores = source[block] @ target.T
        scores = 2 * scores - hubs if metric == CSLS else scores
        best.append(scores.argmax(1))
        for row, place in zip(scores, block):
            right = sorted(translations.entries[place])
            top = row[right].max()
            # of equal scores the wrong words come first, and of the right ones just one is counted
            wrong = int((row >= top - 1e-9).sum()) - int((row[right] >= top - 1e-9).sum())
            found.append(1 + wrong)
    return Retrieved(np.array(found, dtype=np.int64), np.concatenate(best))


@dataclass(frozen=True)
class Exchanged:
    """A dictionary whose translations are random words of the same rank band, drawn several times.

    draws: int64 [m, draws], a word for each right translation of each source word, -1 where its band is empty; starts:
    int64 [n], where the translations of each source word begin.
    """

    draws: np.ndarray
    starts: np.ndarray

    def hits(self, best: np.ndarray) -> np.ndarray:
        """The share of source words for which the word found, int64 [n], is among the draws: float [draws]."""
        lengths = np.diff(np.append(self.starts, len(self.draws)))
        found = self.draws == np.repeat(best, lengths)[:, None]
        return np.logical_or.reduceat(found, self.starts).mean(0)


def exchange(words: Mapping[str, LanguageWords], translations: Translations, seed: int) -> Exchanged:
    """Exchange the translations at random. It takes a while, and is the same for every table."""
    rng = np.random.default_rng(seed)
    target = words[translations.target]
    draws: List[np.ndarray] = []
    starts: List[int] = []
    for place in sorted(translations.entries):
        starts.append(len(draws))
        for right in sorted(translations.entries[place]):
            band = target.band(right)
            draws.append(rng.choice(band, size=_SHUFFLES) if len(band) else np.full(_SHUFFLES, -1))
    return Exchanged(np.array(draws, dtype=np.int64), np.array(starts, dtype=np.int64))


@dataclass(frozen=True)
class RetrievalResult:
    """Word retrieval in one direction. table: name; findings: of P@1 by `metric`; bands: (first rank, last or None,
    words, P@1) by the rank of the source word; p5, mrr: floats of the table as it is."""

    table: str
    metric: str
    findings: List[Finding]
    p5: float
    mrr: float
    bands: List[Tuple[int, Optional[int], int, Optional[float]]]


def measure_retrieval(
    words: Mapping[str, LanguageWords],
    space: Space,
    translations: Translations,
    metric: str,
    untrained: Mapping[str, Retrieved],
    exchanged: Exchanged,
) -> RetrievalResult:
    """P@1 of a table and its variants beside their controls.

    exchanged: of `exchange`. Controls: the dictionary with translations exchanged for random words of the same rank
    band (what is found by rank alone); the untrained tables, {name: what they retrieve}, whose limit is two standard
    errors above them.
    """
    findings = []
    kept = None
    for variant, change in VARIANTS.items():
        found = retrieve(change(space), translations, metric)
        kept = kept or found
        findings.append(Finding(variant, found.precision(1), [_by_rank(exchanged, found)]))
    assert kept is not None
    for name, other in untrained.items():
        value, count = other.precision(1), len(other.places)
        findings[0].controls.append(Control(name, value, value + 2 * np.sqrt(max(value, 1 / count) / count)))
    ranks = words[translations.source].ranks[sorted(translations.entries)]
    bands: List[Tuple[int, Optional[int], int, Optional[float]]] = []
    for first, following in zip(RANK_BANDS, RANK_BANDS[1:] + (None,)):
        inside = (ranks >= first) & (ranks < (following or np.inf))
        share = float((kept.places[inside] <= 1).mean()) if inside.any() else None
        bands.append((first, following - 1 if following else None, int(inside.sum()), share))
    return RetrievalResult(space.name, metric, findings, kept.precision(5), kept.mrr, bands)


def _by_rank(exchanged: Exchanged, found: Retrieved) -> Control:
    """How often the word found is right by an exchanged dictionary."""
    values = exchanged.hits(found.best)
    # at least one word more than the mean: a single hit is no evidence
    limit = max(float(np.quantile(values, 0.95)), float(values.mean()) + 1 / len(found.best))
    return chance("words of the same rank band", values, limit)
