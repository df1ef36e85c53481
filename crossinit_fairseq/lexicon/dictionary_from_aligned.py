"""A bilingual dictionary taken from aligned text. For evaluation only: no training and no induction may read one.

Where the domain of a lexicon has no dictionary, as image captions have none, aligned sentences say which words
translate each other. The way is competitive linking (Melamed, "Models of Translational Equivalence among Words",
Computational Linguistics 26(2), 2000): in each pair of sentences the two words that are most associated are linked and
set aside, then the next two, so that a word that only stands beside the translation is not taken for one.
"""

from typing import Callable, Dict, List, Sequence, Set, Tuple

import numpy as np

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.markup import unescape
from crossinit_fairseq.ranks.counting import KeyCounts
from crossinit_fairseq.ranks.text.counting import text_words

MIN_LINKS = 2  # two words that are linked once may be so by chance
SHARE_OF_BEST = 0.5
_CHUNK = 1 << 22  # pairs of running words held at a time

Counts = Dict[Tuple[int, int], int]  # by (source word, target word)
Association = Dict[Tuple[int, int], float]


def dictionary_from_aligned(
    source: Sequence[str], target: Sequence[str], languages: Tuple[str, str], lowercase: bool = True
) -> Tuple[Dict[str, Set[str]], Dict[str, Set[str]]]:
    """The right translations of the words of aligned text, in both directions.

    source, target: the sentences, the same number of both; languages: their codes; lowercase: fold the case.

    Words compete for links by Dice's coefficient over pairs of sentences, 2 c(s, t) / (c(s) + c(t)) where c counts
    sentences; only words compete that stand together more often than by chance (log-likelihood ratio). Of words that
    are equally associated those at like places of their sentences are linked. Then t is a right translation
    of s, and s of t, when they are linked at least MIN_LINKS times and the coefficient over links, 2 l(s, t) /
    (n(s) + n(t)) where n counts running words, is at least SHARE_OF_BEST of the best that s has, or of the best that t
    has. So a word has several right translations (the: le, la), and an inflected form that is rare (rouges) is right
    beside one that is more frequent. (On captions, linking again by the links changes fewer than one pair in 100.)

    Returns ({word of the source language: its translations}, {word of the target language: its translations}).
    Raises InputError when the numbers of sentences differ, or no two words are linked MIN_LINKS times.
    """
    if len(source) != len(target):
        raise InputError(
            f"aligned text has {len(source):,} sentences of {languages[0]} and {len(target):,} of {languages[1]}: "
            "line by line they must translate each other"
        )
    texts = [_AlignedText(lines, language, lowercase) for lines, language in zip((source, target), languages)]
    links = _link(texts[0], texts[1], _sentence_dice(texts[0], texts[1]))
    association = _dice(links, texts[0].counts, texts[1].counts)
    best = [np.zeros(len(text.words)) for text in texts]
    for (s, t), dice in association.items():
        best[0][s], best[1][t] = max(best[0][s], dice), max(best[1][t], dice)
    forward: Dict[str, Set[str]] = {}
    backward: Dict[str, Set[str]] = {}
    for (s, t), dice in association.items():
        if links[s, t] >= MIN_LINKS and dice >= SHARE_OF_BEST * min(best[0][s], best[1][t]):
            forward.setdefault(texts[0].words[s], set()).add(texts[1].words[t])
            backward.setdefault(texts[1].words[t], set()).add(texts[0].words[s])
    if not forward:
        raise InputError(
            f"no two words of {languages[0]} and {languages[1]} stand together twice: is the text aligned?"
        )
    return forward, backward


class _AlignedText:
    """The sentences of one language as numbers of words.

    words: list of str [N]; counts: int64 [N], running words; sentences: list of int64 [T].
    """

    def __init__(self, lines: Sequence[str], language: str, lowercase: bool):
        cut = _cutter(language, lowercase)
        numbers: Dict[str, int] = {}
        self.sentences = []
        for line in lines:
            found = [numbers.setdefault(word, len(numbers)) for word in cut(line)]
            self.sentences.append(np.array(found, dtype=np.int64))
        self.words: List[str] = list(numbers)
        running = np.concatenate(self.sentences) if self.sentences else np.zeros(0, dtype=np.int64)
        self.counts = np.bincount(running, minlength=len(numbers))


def _cutter(language: str, lowercase: bool) -> Callable[[str], List[str]]:
    """A function from a line to its words (list of str), as counting finds them, but for the longest it leaves out."""
    import regex

    words = text_words(language, lowercase)
    pattern = regex.compile(words.pattern)

    def cut(line: str) -> List[str]:
        line = words.normalise(unescape(line))
        found = pattern.findall(words.lower(line) if lowercase else line)
        return found if words.segmenter is None else words.segmenter.segment(found)[0]

    return cut


def _sentence_dice(source: _AlignedText, target: _AlignedText) -> Association:
    """{(s, t): float} over pairs of sentences, of words that stand together more often than by chance.

    A word counts once in a sentence.
    """
    in_sentences = [np.zeros(len(text.words)) for text in (source, target)]
    together, width = KeyCounts(), max(1, len(target.words))
    pending, size = [], 0
    for number, (left, right) in enumerate(zip(source.sentences, target.sentences), 1):
        left, right = np.unique(left), np.unique(right)
        in_sentences[0][left] += 1
        in_sentences[1][right] += 1
        pending.append((left[:, None] * width + right).ravel())
        size += len(pending[-1])
        if size >= _CHUNK or number == len(source.sentences):
            together.add(np.concatenate(pending))
            pending, size = [], 0
    keys, counts = together.total()
    alone = in_sentences[0][keys // width], in_sentences[1][keys % width]
    sure = (counts >= MIN_LINKS) & _is_no_chance(counts, *alone, sentences=len(source.sentences))
    pairs = {divmod(key, width): count for key, count in zip(keys[sure].tolist(), counts[sure].tolist())}
    return _dice(pairs, *in_sentences)


def _is_no_chance(together: np.ndarray, source: np.ndarray, target: np.ndarray, sentences: int) -> np.ndarray:
    """Bool [pairs]: by the log-likelihood ratio, chance would have fewer than one of all these pairs together so often.

    together, source, target: [pairs], in how many of the sentences both words stand, and each (Dunning, "Accurate
    Methods for the Statistics of Surprise and Coincidence", Computational Linguistics 19(1), 1993).
    """
    from scipy.special import xlogy
    from scipy.stats import chi2

    if not len(together):
        return np.zeros(0, dtype=bool)
    cells = together, source - together, target - together, sentences - source - target + together
    rows, columns = (source, sentences - source), (target, sentences - target)
    ratio = sum(xlogy(cell, cell) for cell in cells) + xlogy(sentences, sentences)
    ratio = 2 * (ratio - sum(xlogy(total, total) for total in rows + columns))
    return (ratio > chi2.isf(1 / len(together), 1)) & (together * sentences > source * target)


def _dice(together: Counts, source_counts: np.ndarray, target_counts: np.ndarray) -> Association:
    return {(s, t): 2 * count / (source_counts[s] + target_counts[t]) for (s, t), count in together.items()}


def _link(source: _AlignedText, target: _AlignedText, association: Association) -> Counts:
    """Competitive linking: {(s, t): int, how often they are linked}."""
    links: Counts = {}
    for left, right in zip(source.sentences, target.sentences):
        candidates = []
        for i, s in enumerate(left.tolist()):
            for j, t in enumerate(right.tolist()):
                dice = association.get((s, t))
                if dice:
                    candidates.append((-dice, abs((i + 0.5) / len(left) - (j + 0.5) / len(right)), i, j, s, t))
        candidates.sort()
        free = [[True] * len(left), [True] * len(right)]
        for _, _, i, j, s, t in candidates:
            if free[0][i] and free[1][j]:
                free[0][i] = free[1][j] = False
                links[s, t] = links.get((s, t), 0) + 1
    return links
