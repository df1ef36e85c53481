"""Which languages are translated into which, and from which language each is learnt in turn."""

import itertools
from typing import List, Optional, Sequence, Tuple

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import language_pair


class Directions(List[Tuple[str, str]]):
    """The (source, target) pairs to learn.

    option: such as ``en-ro,ro-en``, or None for all pairs; languages: those there are.
    Raises InputError for anything that is not SOURCE-TARGET of two of the languages, and for one named twice.
    """

    def __init__(self, option: Optional[str], languages: Sequence[str]):
        super().__init__(_parse(option, languages) if option else itertools.permutations(languages, 2))
        self.languages = languages

    def source_of(self, target: str, turn: int) -> Optional[str]:
        """The language that `target` is translated from in its turn 0, 1, ...; None where no direction leads to it."""
        sources = [s for s, t in self if t == target]
        return sources[turn % len(sources)] if sources else None

    def generated(self) -> List[Tuple[str, str]]:
        """The directions that back-translation generates in, to learn these ones: each turned around."""
        return [(target, source) for source, target in self]

    def only_denoised(self) -> List[str]:
        """The languages that no direction leads to: they are denoised, and back-translation does not learn to write
        them."""
        return [language for language in self.languages if self.source_of(language, 0) is None]

    def round_trips(self) -> List[Tuple[str, str]]:
        """For each language that can be translated into another and back: (language, by way of), the first such one."""
        trips = [(lang, [t for s, t in self if s == lang and (t, s) in self]) for lang in self.languages]
        return [(language, others[0]) for language, others in trips if others]


def _parse(option: str, languages: Sequence[str]) -> List[Tuple[str, str]]:
    directions: List[Tuple[str, str]] = []
    for text in option.split(","):
        try:
            pair = language_pair(text.strip(), languages)
        except InputError:
            raise InputError(
                f"--directions names {text!r}; a direction is SOURCE-TARGET of two of the languages "
                f"{', '.join(languages)}"
            ) from None
        if pair in directions:
            raise InputError(f"--directions names {text.strip()!r} twice")
        directions.append(pair)
    return directions
