"""Statements as analogies: object 1 - subject 1 + subject 2 against object 2 (the paper's Table 2), with controls."""

import json
import os
from dataclasses import dataclass, field
from itertools import combinations
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from crossinit_fairseq.analysis.controls import VARIANTS, Control, Finding, untrained_cosine
from crossinit_fairseq.analysis.words import LanguageWords, Space
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language
from crossinit_fairseq.lexicon.similarity import units
from crossinit_fairseq.text_files import numbered_lines, unreadable

_SHUFFLES = 200
_KEYS = ("uuid", "lineid")  # what mLAMA's files call the same statement in all languages


class Statement(NamedTuple):
    """A triple of mLAMA (Kassner et al. 2021), such as (Paris, capital, France): its object is Paris."""

    object: str
    subject: str


Statements = Dict[Tuple[str, str], Dict[str, Statement]]  # {(relation, number): {language: statement}}


def read_mlama(folder: str, languages: Sequence[str]) -> Statements:
    """Read mLAMA's files FOLDER/LANG/RELATION.jsonl, a JSON object a line with obj_label and sub_label.

    Statements of several languages are one by their `uuid`, else `lineid`, else by the number of the line. Raises
    InputError for a missing folder, a line that is no such object, or no statement at all.
    """
    statements: Statements = {}
    for language in languages:
        own = os.path.join(folder, language)
        try:
            names = sorted(name for name in os.listdir(own) if name.endswith(".jsonl"))
        except OSError as error:
            raise unreadable(own, error) from None
        for name in names:
            path = os.path.join(own, name)
            for number, line in numbered_lines(path):
                try:
                    entry = json.loads(line)
                    statement = Statement(entry["obj_label"].strip(), entry["sub_label"].strip())
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    raise InputError(
                        f"line {number} of {path} is no statement of mLAMA, an object with obj_label and sub_label: "
                        f"{line[:60]!r}"
                    ) from None
                key = next((str(entry[key]) for key in _KEYS if key in entry), str(number))
                if statement.object and statement.subject:
                    statements.setdefault((name[: -len(".jsonl")], key), {})[language] = statement
    if not statements:
        raise InputError(f"{folder} holds no statement of {', '.join(languages)}: it needs LANG/RELATION.jsonl")
    return statements


def cldr_statements(languages: Sequence[str]) -> Statements:
    """Statements of countries that Unicode's CLDR has in its languages, by the library Babel (extra `analysis`).

    Relations: `city`, of the only time zone of a country, which is nearly always its capital; `currency`, the present
    one; `language`, the official one of the most people. Raises InputError when Babel is missing or knows none.
    """
    try:
        from babel import Locale, UnknownLocaleError
        from babel.core import get_global
        from babel.dates import get_timezone_location
        from babel.languages import get_official_languages
        from babel.numbers import get_territory_currencies
    except ImportError:
        raise InputError("--cldr needs a library: pip install 'crossinit_fairseq[analysis]'") from None
    zones: Dict[str, List[str]] = {}
    for zone, territory in get_global("zone_territories").items():
        zones.setdefault(territory, []).append(zone)
    statements: Statements = {}
    for language in languages:
        try:
            locale = Locale.parse(base_language(language))
        except (UnknownLocaleError, ValueError):
            raise InputError(f"CLDR has no names in {language}: leave out --cldr or this language") from None
        for territory, country in locale.territories.items():
            if len(territory) != 2 or not territory.isalpha():
                continue  # continents and the like
            if len(zones.get(territory, [])) == 1:
                city = get_timezone_location(zones[territory][0], locale=locale, return_city=True)
                _add(statements, "city", territory, language, city, country)
            for code in get_territory_currencies(territory)[:1]:
                _add(statements, "currency", territory, language, locale.currencies.get(code, ""), country)
            for code in get_official_languages(territory)[:1]:
                _add(statements, "language", territory, language, locale.languages.get(code, ""), country)
    return statements


def _add(statements: Statements, relation: str, key: str, language: str, name: str, country: str) -> None:
    if name and country:
        statements.setdefault((relation, key), {})[language] = Statement(name, country)


@dataclass(frozen=True)
class StatementResult:
    """The statements of one pair of languages, both ways together.

    pair: such as "en-ro"; count: int, analogies; left_out: int, statements without the words for it; same: int, those
    whose objects are spelt alike, left out too; cosine: findings of the mean cosine; l2: float, mean distance.
    """

    pair: str
    count: int
    left_out: int
    same: int
    cosine: List[Finding] = field(default_factory=list)
    l2: float = float("nan")


def measure_statements(
    words: Mapping[str, LanguageWords],
    space: Space,
    statements: Statements,
    untrained: List[Space],
    seed: int,
) -> List[StatementResult]:
    """The mean cosine and distance of object 1 - subject 1 + subject 2 and object 2, per pair of languages.

    A name of several words is the mean of theirs. Controls: the same with the object of another statement of the same
    relation (a random exchange, whose highest 5 % are the limit); object 1 alone, without arithmetic; the untrained
    tables.
    """
    results = []
    for pair in combinations(words, 2):
        usable, left_out, same = _usable(words, statements, pair)
        name = "-".join(pair)
        if len(usable) < 2:
            results.append(StatementResult(name, len(usable), left_out, same))
            continue
        findings = [_finding(variant, change(space), pair, usable, seed) for variant, change in VARIANTS.items()]
        for other in untrained:
            mean = float(np.mean([units(left) @ units(right) for left, right, *_ in _vectors(other, pair, usable)]))
            findings[0].controls.append(untrained_cosine(other, mean, len(usable)))
        distances = [np.linalg.norm(left - right) for left, right, *_ in _vectors(space, pair, usable)]
        results.append(StatementResult(name, 2 * len(usable), left_out, same, findings, float(np.mean(distances))))
    return results


_Places = Tuple[str, List[List[int]]]  # relation; positions of object 1, subject 1, object 2, subject 2


def _usable(
    words: Mapping[str, LanguageWords], statements: Statements, pair: Tuple[str, str]
) -> Tuple[List[_Places], int, int]:
    usable, left_out, same = [], 0, 0
    for (relation, _), own in statements.items():
        if not all(language in own for language in pair):
            continue
        one, two = own[pair[0]], own[pair[1]]
        if one.object.casefold() == two.object.casefold():
            same += 1
            continue
        places = [
            [words[language].find(word) for word in name.split()]
            for language, names in zip(pair, (one, two))
            for name in names
        ]
        if any(place is None for name in places for place in name):
            left_out += 1
        else:
            usable.append((relation, places))
    return usable, left_out, same  # type: ignore[return-value]


def _vectors(
    space: Space, pair: Tuple[str, str], usable: List[_Places]
) -> List[Tuple[np.ndarray, np.ndarray, np.ndarray, str]]:
    """(object 1 - subject 1 + subject 2, object 2, object 1, relation and direction) of all statements, both ways."""
    found = []
    for relation, places in usable:
        one, two = space.vectors[pair[0]], space.vectors[pair[1]]
        object1, subject1 = one[places[0]].mean(0), one[places[1]].mean(0)
        object2, subject2 = two[places[2]].mean(0), two[places[3]].mean(0)
        found.append((object1 - subject1 + subject2, object2, object1, relation + ">"))
        found.append((object2 - subject2 + subject1, object1, object2, relation + "<"))
    return found


def _finding(variant: str, space: Space, pair: Tuple[str, str], usable: List[_Places], seed: int) -> Finding:
    vectors = _vectors(space, pair, usable)
    left, right, alone = (units(np.array([entry[part] for entry in vectors])) for part in range(3))
    value = float((left * right).sum(1).mean())
    rng = np.random.default_rng(seed)
    groups: Dict[str, List[int]] = {}
    for at, entry in enumerate(vectors):
        groups.setdefault(entry[3], []).append(at)
    exchanged = []
    for _ in range(_SHUFFLES):
        order = np.arange(len(vectors))
        for members in groups.values():
            order[members] = rng.permutation(members)
        exchanged.append(float((left * right[order]).sum(1).mean()))
    others = Control("objects of other statements", float(np.mean(exchanged)), float(np.quantile(exchanged, 0.95)))
    itself = float((alone * right).sum(1).mean())
    return Finding(variant, value, [others, Control("the first object alone", itself, itself)])
