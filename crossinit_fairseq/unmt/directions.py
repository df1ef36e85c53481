"""Which languages are translated into which, and from which language each is learnt in turn."""

import itertools

from crossinit_fairseq.errors import InputError


class Directions(list):
    """The (source, target) pairs to learn.

    option: such as ``en-ro,ro-en``, or None for all pairs; languages: those there are.
    Raises InputError for anything that is not SOURCE-TARGET of two of the languages, and for one named twice.
    """

    def __init__(self, option, languages):
        super().__init__(_parse(option, languages) if option else itertools.permutations(languages, 2))
        self.languages = languages

    def source_of(self, target, turn):
        """The language that `target` is translated from in its turn 0, 1, ...; None where no direction leads to it."""
        sources = [s for s, t in self if t == target]
        return sources[turn % len(sources)] if sources else None

    def generated(self):
        """The directions that back-translation generates in, to learn these ones: each turned around."""
        return [(target, source) for source, target in self]

    def only_denoised(self):
        """The languages that no direction leads to: they are denoised, and back-translation does not learn to write them."""
        return [language for language in self.languages if self.source_of(language, 0) is None]

    def there_and_back(self):
        """A round trip for each language that has one: [(language, by way of), ...]."""
        trips = [(lang, [t for s, t in self if s == lang and (t, s) in self]) for lang in self.languages]
        return [(language, others[0]) for language, others in trips if others]


def _parse(option, languages):
    directions = []
    for text in option.split(","):
        sides = tuple(text.strip().split("-"))
        if len(sides) != 2 or sides[0] == sides[1] or not set(sides) <= set(languages):
            raise InputError(
                "--directions names {!r}; a direction is SOURCE-TARGET of two of the languages {}".format(
                    text, ", ".join(languages)
                )
            )
        if sides in directions:
            raise InputError("--directions names {!r} twice".format(text.strip()))
        directions.append(sides)
    return directions
