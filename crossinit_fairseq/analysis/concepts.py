"""Ranks of words that mean the same, side by side (the paper's Figures 1 and 3), with a permutation control."""

from dataclasses import dataclass
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.analysis.controls import Control, Finding
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import RankTable, TextWords
from crossinit_fairseq.text_files import numbered_lines

_PERMUTATIONS = 1000


class Concept(NamedTuple):
    """A concept of Concepticon (List et al. 2022). number: its id; gloss: its English name."""

    number: str
    gloss: str


def read_concepts(path: str) -> Dict[Concept, List[str]]:
    """Read a Concepticon mapping: lines `ID<TAB>GLOSS///word<TAB>PRIORITY` after a line of titles.

    Returns {concept: its words in this language, in the order of the file}. Raises InputError for another format.
    """
    concepts: Dict[Concept, List[str]] = {}
    for number, line in numbered_lines(path):
        columns = line.split("\t")
        gloss, mark, word = columns[1].partition("///") if len(columns) > 1 else ("", "", "")
        if not mark or not columns[0].strip().isdigit():
            if number == 1:
                continue
            raise InputError(f"line {number} of {path} is not `ID<TAB>GLOSS///word`, of Concepticon: {line[:60]!r}")
        if word.strip():
            concepts.setdefault(Concept(columns[0].strip(), gloss.strip()), []).append(word.strip())
    if not concepts:
        raise InputError(f"{path} holds no concept: give a mapping of Concepticon, such as map-en.tsv")
    return concepts


class WordRanks:
    """Rank by word of one rank table, in the spelling of the table, else in any case."""

    def __init__(self, table: RankTable):
        self.language, self.table = table.language, table
        self._speller = TextWords.of_cut_words(table.language, table.settings.get("lowercase") == "yes")
        self._ranks = {word: at for at, word in enumerate(table.words, 1)}
        for at, word in enumerate(table.words, 1):
            self._ranks.setdefault(word.casefold(), at)

    def rank(self, word: str) -> Optional[int]:
        """The rank of a word, from 1; None where the table does not have it."""
        spelt = self._speller.spell(word)
        return self._ranks.get(spelt, self._ranks.get(spelt.casefold()))

    def best(self, words: Sequence[str]) -> Optional[int]:
        """The least rank of several words; None where there is none of them."""
        found = [rank for rank in map(self.rank, words) if rank is not None]
        return min(found) if found else None


@dataclass(frozen=True)
class ConceptRanks:
    """The concepts that both of two languages have a ranked word for.

    pair: codes; concepts: list of Concept [n]; ranks: int64 [n, 2], of the most frequent word of each; missing: int,
    concepts of both mappings without a ranked word in one language; finding: Spearman's rho of the ranks.
    """

    pair: Tuple[str, str]
    concepts: List[Concept]
    ranks: np.ndarray
    missing: int
    finding: Finding


def compare_ranks(
    ranks: Mapping[str, WordRanks],
    pair: Tuple[str, str],
    concepts: Mapping[str, Mapping[Concept, Sequence[str]]],
    seed: int,
) -> ConceptRanks:
    """Spearman's rho between the ranks of concepts in two languages.

    Control: concepts exchanged at random, 1,000 times; the limit is what one in twenty of these exceeds.
    Raises InputError when fewer than three concepts are known in both languages.
    """
    both = [concept for concept in concepts[pair[0]] if concept in concepts[pair[1]]]
    known, found = [], []
    for concept in both:
        own = [ranks[language].best(concepts[language][concept]) for language in pair]
        if None not in own:
            known.append(concept)
            found.append(own)
    if len(found) < 3:
        raise InputError(
            f"only {len(found)} of the {len(both):,} concepts of {pair[0]} and {pair[1]} have a word in both rank "
            "tables: are these mappings and rank tables of the same languages?"
        )
    values = np.array(found, dtype=np.int64)
    rng = np.random.default_rng(seed)
    left, right = tied_ranks(values[:, 0]), tied_ranks(values[:, 1])
    shuffled = [correlation(left, rng.permutation(right)) for _ in range(_PERMUTATIONS)]
    control = Control("concepts exchanged at random", float(np.mean(shuffled)), float(np.quantile(shuffled, 0.95)))
    finding = Finding("as it is", correlation(left, right), [control])
    return ConceptRanks(pair, known, values, len(both) - len(known), finding)


def tied_ranks(values: np.ndarray) -> np.ndarray:
    """The places of numbers [n] in rising order, from 1; equal ones share the mean of their places: float64 [n]."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + 1 + ends) / 2)[inverse]


def correlation(left: np.ndarray, right: np.ndarray) -> float:
    """Pearson's correlation of two float [n]; of `tied_ranks` it is Spearman's rho. 0 where one does not vary."""
    left, right = left - left.mean(), right - right.mean()
    lengths = np.linalg.norm(left) * np.linalg.norm(right)
    return float(left @ right / lengths) if lengths else 0.0
