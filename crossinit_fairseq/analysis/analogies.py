"""King - Man + Woman against Queen, in all mixes of two languages (the paper's Table 1), beside its controls."""

from dataclasses import dataclass
from itertools import product
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from crossinit_fairseq.analysis.controls import VARIANTS, Control, Finding, chance, untrained_cosine
from crossinit_fairseq.analysis.words import LanguageWords, Space
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.similarity import units


class Analogy(NamedTuple):
    """Four words of one language: first - minus + plus = target, such as king, man, woman, queen."""

    first: str
    minus: str
    plus: str
    target: str


@dataclass(frozen=True)
class AnalogyResult:
    """One mix of an analogy.

    left: the three words, such as "king - Mann + woman"; target: "queen (en)"; findings: of the cosine, of each
    variant of the table; l2: float, the distance to the target; place: int, the place of the target among the words of
    its rank band by cosine, from 1; band: int, how many words these are, the target included.
    """

    left: str
    target: str
    findings: List[Finding]
    l2: float
    place: int
    band: int


def find_analogies(
    words: Mapping[str, LanguageWords], analogies: Mapping[str, Analogy]
) -> Tuple[Dict[str, Tuple[int, int, int, int]], List[str]]:
    """Look the four words of each language up: ({language: their positions}, words that were not found)."""
    found, missing = {}, []
    for language, analogy in analogies.items():
        if language not in words:
            raise InputError(f"the analogy of {language} has no words to look up: give --ranks {language}=FILE")
        places: List[Optional[int]] = [words[language].find(word) for word in analogy]
        missing += [f"{word} ({language})" for word, place in zip(analogy, places) if place is None]
        if all(place is not None for place in places):
            found[language] = tuple(places)
    return found, missing  # type: ignore[return-value]


def measure_analogies(
    words: Mapping[str, LanguageWords],
    space: Space,
    places: Mapping[str, Tuple[int, int, int, int]],
    untrained: List[Space],
) -> List[AnalogyResult]:
    """The cosine of first - minus + plus and target, for every choice of a language for each of the four words.

    places: of `find_analogies`; untrained: spaces of the same words that a random or rank-only table gives.
    Controls: words of the target's rank band in its place (the limit is what one in twenty of them exceeds); `first`
    alone and `plus` alone, without arithmetic; the same analogy in the untrained tables.
    """
    variants = {name: change(space) for name, change in VARIANTS.items()}
    results = []
    for target_language in places:
        for languages in product(places, repeat=3):
            parts = [(language, places[language][at]) for at, language in enumerate(languages)]
            target = (target_language, places[target_language][3])
            band = words[target_language].band(target[1])
            band = band[~np.isin(band, [place for language, place in parts if language == target_language])]
            findings = [_finding(name, variants[name], parts, target, band) for name in VARIANTS]
            for other in untrained:
                value = float(_cosines(_sum(other, parts), other.vectors[target[0]][target[1]][None])[0])
                findings[0].controls.append(untrained_cosine(other, value))
            vector, goal = _sum(space, parts), space.vectors[target[0]][target[1]]
            cosines = _cosines(vector, space.vectors[target_language][band])
            names = [words[language].words[place] for language, place in parts]
            results.append(
                AnalogyResult(
                    left=f"{names[0]} - {names[1]} + {names[2]}",
                    target=f"{words[target_language].words[target[1]]} ({target_language})",
                    findings=findings,
                    l2=float(np.linalg.norm(vector - goal)),
                    # a word that is as near as the target stands before it
                    place=1 + int((cosines >= findings[0].value - 1e-9).sum()),
                    band=len(band) + 1,
                )
            )
    return results


def _sum(space: Space, parts: List[Tuple[str, int]]) -> np.ndarray:
    first, minus, plus = (space.vectors[language][place] for language, place in parts)
    return first - minus + plus


def _finding(
    variant: str, space: Space, parts: List[Tuple[str, int]], target: Tuple[str, int], band: np.ndarray
) -> Finding:
    goal = space.vectors[target[0]][target[1]]
    vector = _sum(space, parts)
    value = float(_cosines(vector, goal[None])[0])
    controls = []
    if len(band):
        controls.append(chance("words of the same rank band", _cosines(vector, space.vectors[target[0]][band])))
    for name, (language, place) in (("the first word alone", parts[0]), ("the third word alone", parts[2])):
        alone = float(_cosines(space.vectors[language][place], goal[None])[0])
        controls.append(Control(name, alone, alone))
    return Finding(variant, value, controls)


def _cosines(vector: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The cosines of one vector, float [d], and others, float [n, d]: [n]; 0 for a vector of zeros."""
    return units(others) @ units(vector)
