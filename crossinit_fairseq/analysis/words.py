"""The ranked words of each language as vectors of one or several embedding tables."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Callable, Collection, Dict, List, Mapping, Optional, Sequence

import numpy as np

from crossinit_fairseq.data.dictionary import WORD_START
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export.tables import EmbeddingTable
from crossinit_fairseq.ranks import RankTable, TextWords

Cut = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class LanguageWords:
    """The words of one language that can be looked up, most frequent first.

    language: its code; words: list of str [N]; ranks: int64 [N], rising, the rank of each in the rank table, from 1;
    listed: int, how many words of the rank table were looked for; lowercase: whether the table folded the case.
    """

    language: str
    words: List[str]
    ranks: np.ndarray
    listed: int
    lowercase: bool = False

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def _positions(self) -> Dict[str, int]:
        positions = {word: at for at, word in enumerate(self.words)}
        for at, word in enumerate(self.words):
            # the most frequent spelling stands for all others; an exact one goes before it
            positions.setdefault(word.casefold(), at)
        return positions

    @cached_property
    def _speller(self) -> TextWords:
        return TextWords.of_cut_words(self.language, self.lowercase)

    def find(self, word: str) -> Optional[int]:
        """The position of a word, spelt as the rank table spells it, else in any case; None where there is none."""
        spelt = self._speller.spell(word)
        found = self._positions.get(spelt)
        return self._positions.get(spelt.casefold()) if found is None else found

    def band(self, position: int, width: float = 1.5, least: int = 50) -> np.ndarray:
        """The positions of the words of about the same rank, from rank / width to rank * width: int64 [n], rising.

        At least the `least` nearest ones on each side, where there are so many; the word itself is left out.
        """
        rank = self.ranks[position]
        first = min(int(np.searchsorted(self.ranks, rank / width)), max(0, position - least))
        last = max(int(np.searchsorted(self.ranks, rank * width, side="right")), min(len(self), position + least + 1))
        return np.concatenate([np.arange(first, position), np.arange(position + 1, last)])


@dataclass(frozen=True)
class Space:
    """Words of several languages as vectors. name: of the table; vectors: {language: float64 [N, d]}."""

    name: str
    vectors: Mapping[str, np.ndarray]

    def stacked(self) -> np.ndarray:
        """All words of all languages, float64 [sum of N, d]."""
        return np.concatenate(list(self.vectors.values()))

    @property
    def dimension(self) -> int:
        """d, the length of a vector."""
        return next(iter(self.vectors.values())).shape[1]

    def changed(self, change: Callable[[np.ndarray], np.ndarray]) -> "Space":
        """The same space with `change`, float64 [N, d] to the same shape, applied to the words of each language."""
        return replace(self, vectors={language: change(vectors) for language, vectors in self.vectors.items()})


@dataclass(frozen=True)
class TableWords:
    """Which rows of a table make up each word.

    table: EmbeddingTable; words: {language: LanguageWords}; rows: {language: list of int64 arrays, of each word}.
    """

    table: EmbeddingTable
    words: Mapping[str, LanguageWords]
    rows: Mapping[str, List[np.ndarray]]

    def space(self, name: str, values: Optional[np.ndarray] = None) -> Space:
        """The words in a table of the same rows: a word is the mean of its sub-tokens (paper section 2.3).

        values: float [V, d], by default those of the table.
        """
        if values is None:
            values = self.table.values.double().numpy()
        return Space(name, {language: _means(values, rows) for language, rows in self.rows.items()})

    def only(self, kept: Mapping[str, Collection[str]]) -> "TableWords":
        """The same with some of the words of each language alone. kept: {language: words}."""
        words, rows = {}, {}
        for language, own in self.words.items():
            wanted = set(kept[language])
            places = [at for at, word in enumerate(own.words) if word in wanted]
            words[language] = replace(own, words=[own.words[at] for at in places], ranks=own.ranks[places])
            rows[language] = [self.rows[language][at] for at in places]
        return TableWords(self.table, words, rows)


def _means(values: np.ndarray, rows: List[np.ndarray]) -> np.ndarray:
    lengths = np.array([len(row) for row in rows])
    sums = np.add.reduceat(values[np.concatenate(rows)].astype(np.float64), np.cumsum(lengths) - lengths, axis=0)
    return sums / lengths[:, None]


def look_up(
    table: EmbeddingTable, ranks: Mapping[str, RankTable], max_rank: int, cut: Optional[Cut] = None
) -> TableWords:
    """Find the first `max_rank` words of each language in a table.

    cut: cuts a word into sub-tokens; None: a word is found where it is a symbol itself, with SentencePiece's mark of a
    word start or without. A word with a sub-token that the table lacks is left out.
    Raises InputError when a table has no word of a language at all.
    """
    words, rows = {}, {}
    for language, ranked in ranks.items():
        found, places, own = [], [], []
        for at, word in enumerate(ranked.words[:max_rank]):
            pieces = _whole(word, table.rows) if cut is None else cut(word)
            row = [table.rows.get(piece, -1) for piece in pieces]
            if row and min(row) >= 0:
                found.append(word)
                places.append(at + 1)
                own.append(np.array(row, dtype=np.int64))
        if not found:
            how = "as one symbol; give the --sentencepiece-model of its text" if cut is None else "by this model"
            raise InputError(f"{table.source} has no row for any word of {language} {how}")
        listed = min(max_rank, len(ranked))
        lowercase = ranked.settings.get("lowercase") == "yes"
        words[language] = LanguageWords(language, found, np.array(places, dtype=np.int64), listed, lowercase)
        rows[language] = own
    return TableWords(table, words, rows)


def _whole(word: str, rows: Mapping[str, int]) -> List[str]:
    marked = WORD_START + word
    return [marked] if marked in rows else [word]


def in_common(tables: Sequence[TableWords]) -> List[TableWords]:
    """The tables with the words alone that all of them have, so that their figures can stand side by side.

    Raises InputError when there is no such word in a language.
    """
    kept = {}
    for language in tables[0].words:
        kept[language] = set.intersection(*(set(table.words[language].words) for table in tables))
        if not kept[language]:
            names = ", ".join(table.table.source for table in tables)
            raise InputError(f"{names} have no word of {language} in common: analyse them one by one")
    return [table.only(kept) for table in tables]
