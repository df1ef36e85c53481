"""Signals of cross-lingual states that cost no training: is a translation the nearest neighbour of its source?

Sentence retrieval as in Tatoeba (Artetxe and Schwenk, 2019) and word retrieval as in MUSE (Conneau et al., 2018): by
CSLS of mean-pooled states, layer by layer. At small scale XNLI sits at chance where these tell initialisations apart.
"""

from typing import Dict, List, Sequence, Set, Tuple

import numpy as np

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.language_files import warn_of_another_script
from crossinit_fairseq.lexicon import read_word_pairs
from crossinit_fairseq.lexicon.similarity import csls, units
from crossinit_fairseq.text_files import read_lines


def retrieval_hits(left: np.ndarray, right: np.ndarray, neighbours: int = 10) -> Tuple[np.ndarray, np.ndarray]:
    """Whether row k is nearest by CSLS to row k of the other side: (left to right, right to left), bool [N] each.

    left, right: float [N, d], not all zero.
    """
    scores = csls(_cosines(left, right), neighbours)
    truth = np.arange(len(left))
    return scores.argmax(1) == truth, scores.argmax(0) == truth


def dictionary_hits(
    left: np.ndarray, right: np.ndarray, translations: Sequence[Set[int]], neighbours: int = 10
) -> np.ndarray:
    """Whether the nearest word by CSLS is one of the translations: bool [N], whose mean is P@1.

    left: float [N, d], of the source words; right: float [M, d], of all target words; translations: N sets of numbers
    of target words.
    """
    nearest = csls(_cosines(left, right), neighbours).argmax(1)
    return np.array([int(found) in right_ones for found, right_ones in zip(nearest, translations)])


def _cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return units(left.astype(np.float64)) @ units(right.astype(np.float64)).T


def read_aligned(files: Dict[str, str]) -> Dict[str, List[str]]:
    """{language: sentences} of files whose lines are translations of each other. Lines empty in one are left out.

    The log says when most letters of a file are of another script than the language's. Raises InputError for files of
    unlike length, and for fewer than two languages or sentences.
    """
    if len(files) < 2:
        raise InputError("--sentences: give aligned files of two languages or more")
    texts = {language: read_lines(path) for language, path in files.items()}
    lengths = {language: len(lines) for language, lines in texts.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{files[language]} {length:,}" for language, length in lengths.items())
        raise InputError(f"--sentences: the files are not aligned, they have other numbers of lines: {said}")
    whole = [k for k, row in enumerate(zip(*texts.values())) if all(row)]
    if len(whole) < 2:
        raise InputError("--sentences: the files have fewer than two sentences in common")
    for language, lines in texts.items():
        warn_of_another_script(language, lines, files[language])
    return {language: [lines[k] for k in whole] for language, lines in texts.items()}


def read_translations(path: str, languages: Sequence[str] = ()) -> Tuple[List[str], List[str], List[Set[int]]]:
    """A MUSE dictionary, `source target` a line: source words, target words, and the translations of each source word.

    languages: of the two sides, if they are to be checked: the log says when most letters of a side are of another
    script than its language's. Raises InputError as `read_word_pairs` does, which reads it.
    """
    sources: Dict[str, Set[int]] = {}
    targets: Dict[str, int] = {}
    for source, target in read_word_pairs(path):
        sources.setdefault(source, set()).add(targets.setdefault(target, len(targets)))
    for language, words, side in zip(languages, (list(sources), list(targets)), ("left", "right")):
        warn_of_another_script(language, words, f"{path}, words on the {side}")
    return list(sources), list(targets), list(sources.values())
