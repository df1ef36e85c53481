"""How good a lexicon is, by a dictionary it was not made from: precision at 1 and 5, coverage, precision by rank."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from crossinit_fairseq.lexicon.lexicon_file import BACKWARD, Lexicon, running_words_key
from crossinit_fairseq.ranks.text.words import TextWords
from crossinit_fairseq.text_files import whole_number

RANK_BANDS = (1, 101, 501, 1001, 2001)  # where each begins; the last has no end
CANDIDATES = 5


@dataclass(frozen=True)
class Precision:
    """What share of the words that can be judged is right.

    judged, right: int, words, each counted once; judged_running, right_running: int, their occurrences in the text by
    the counts of the lexicon.
    """

    judged: int = 0
    right: int = 0
    judged_running: int = 0
    right_running: int = 0

    @property
    def by_types(self) -> Optional[float]:
        """0 to 1; None where no word can be judged."""
        return self.right / self.judged if self.judged else None

    @property
    def by_running_words(self) -> Optional[float]:
        """0 to 1; None where no word can be judged or the lexicon has no counts."""
        return self.right_running / self.judged_running if self.judged_running else None

    def as_dict(self) -> Dict[str, Any]:
        """For JSON: the fields and both shares."""
        return dict(asdict(self), by_types=self.by_types, by_running_words=self.by_running_words)


@dataclass(frozen=True)
class Evaluation:
    """One direction of a lexicon against a dictionary.

    source, target: codes of the languages; at_1: of the best translation of each word; at_5: of the best CANDIDATES,
    right where one of them is; several: int, judged words that have more than one candidate (where none has, at_5 says
    nothing beside at_1); mutual: of the pairs that are each other's best, the token precision by running words.
    bands: (first rank, last rank or None, Precision at 1) by the rank of the source word among those of the lexicon.
    dictionary_words: int, source words of the dictionary; covered: int, how many of them the lexicon translates.
    not_judged, not_judged_running: int, translated words that the dictionary does not have, and their occurrences.
    text_covered: share of the running words of the text that the lexicon translates, None where its header does not say
    how many there are.
    """

    source: str
    target: str
    at_1: Precision
    at_5: Precision
    several: int
    mutual: Precision
    bands: List[Tuple[int, Optional[int], Precision]]
    dictionary_words: int
    covered: int
    not_judged: int
    not_judged_running: int
    text_covered: Optional[float]

    @property
    def coverage(self) -> float:
        """The share of the source words of the dictionary that the lexicon translates, 0 to 1."""
        return self.covered / self.dictionary_words if self.dictionary_words else 0.0

    def as_dict(self) -> Dict[str, Any]:
        """For JSON: the fields, the shares computed."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name in ("at_1", "at_5", "mutual"):
            values[name] = values[name].as_dict()
        values["bands"] = [{"first": first, "last": last, **at.as_dict()} for first, last, at in self.bands]
        return dict(values, coverage=self.coverage)


def evaluate(lexicon: Lexicon, dictionary: Dict[str, Set[str]]) -> Evaluation:
    """Judge the translations of the lexicon's source words.

    dictionary: {word of the source language: its right translations}, spelt as the lexicon spells (`fold_dictionary`).
    A word is right when one of its translations in the dictionary is the lexicon's; a word that the dictionary lacks
    is not judged. Precision is of the judged words alone, as in MUSE (Conneau et al. 2018); coverage says beside it how
    many words of the dictionary these are.
    """
    best, counts, candidates = lexicon.translations(), _counts(lexicon), _candidates(lexicon)
    ranked = sorted(best, key=lambda word: (-counts[word], word))
    known = [word for word in ranked if word in dictionary]
    several = sum(len(candidates[word]) > 1 for word in known)
    bands = []
    for first, following in zip(RANK_BANDS, RANK_BANDS[1:] + (None,)):
        words = ranked[first - 1 : following - 1 if following else None]
        right = _precision((word in dictionary, best[word] in dictionary.get(word, ()), counts[word]) for word in words)
        bands.append((first, following - 1 if following else None, right))
    total = whole_number(lexicon.settings.get(running_words_key(lexicon.source), "")) or 0
    translated = sum(counts[word] for word in best)
    return Evaluation(
        source=lexicon.source,
        target=lexicon.target,
        at_1=_precision((True, best[word] in dictionary[word], counts[word]) for word in known),
        at_5=_precision((True, bool(dictionary[word] & set(candidates[word])), counts[word]) for word in known),
        several=several,
        mutual=_precision(
            (pair.source in dictionary, pair.target in dictionary.get(pair.source, ()), pair.counts[0])
            for pair in lexicon.mutual()
        ),
        bands=bands,
        dictionary_words=len(dictionary),
        covered=len(known),
        not_judged=len(best) - len(known),
        not_judged_running=translated - sum(counts[word] for word in known),
        text_covered=translated / total if total >= translated > 0 else None,
    )


def fold_dictionary(pairs: Iterable[Tuple[str, str]], lexicon: Lexicon) -> Dict[str, Set[str]]:
    """{source word: its translations} of pairs of words, spelt as the lexicon's words are: case, apostrophes, marks."""
    spell = [TextWords.of_cut_words(one, lexicon.lowercase).spell for one in (lexicon.source, lexicon.target)]
    dictionary: Dict[str, Set[str]] = {}
    for source, target in pairs:
        dictionary.setdefault(spell[0](source), set()).add(spell[1](target))
    return dictionary


def _counts(lexicon: Lexicon) -> Dict[str, int]:
    """{source word: its occurrences in the text}, 0 where unknown."""
    counts: Dict[str, int] = defaultdict(int)
    for pair in lexicon.pairs:
        counts[pair.source] = max(counts[pair.source], pair.counts[0])
    return counts


def _candidates(lexicon: Lexicon) -> Dict[str, List[str]]:
    """{source word: at most CANDIDATES translations}: those it chose first, then those that chose it, by score."""
    candidates: Dict[str, List[str]] = defaultdict(list)
    for pair in sorted(lexicon.pairs, key=lambda pair: (pair.found == BACKWARD, -pair.score)):
        found = candidates[pair.source]
        if len(found) < CANDIDATES and pair.target not in found:
            found.append(pair.target)
    return candidates


def _precision(verdicts: Iterable[Tuple[bool, bool, int]]) -> Precision:
    """Precision of (can be judged, is right, count) of each word."""
    judged = right = judged_running = right_running = 0
    for can_be_judged, is_right, count in verdicts:
        judged += can_be_judged
        right += is_right
        judged_running += count * can_be_judged
        right_running += count * is_right
    return Precision(judged, right, judged_running, right_running)
