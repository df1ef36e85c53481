"""Take a user's text files as the quickstart's text: python own_text.py --text en=FILE ro=FILE --out DIR

Where the two files look aligned, line by line, training sees one side alone of each pair of lines, some pairs are held
out for dev and test, and what shares a line with another pair, on either side, goes together with it: no line of the
training text translates one of the other language, nor one that is held out. Lines are the same if their letters and
digits are.
"""

import argparse
import os
import random
import sys
import unicodedata
from collections import Counter
from typing import Dict, List, Optional, Sequence

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language, check_code, doubt_of_script
from crossinit_fairseq.preparation.line_filter import LineFilter
from crossinit_fairseq.preparation.normaliser import comparable
from crossinit_fairseq.preparation.splitting import deal
from crossinit_fairseq.text_files import decode, unreadable

Sides = Dict[str, List[str]]  # the lines of each language
_FEWEST = 1000  # lines of monolingual text; with less there is nothing to learn from
_LONGEST = 250  # words in a line
_MOST_COMMON = 0.5  # of the lines of the shorter text that may stand in the other as well
_LOOKED_AT, _FEWEST_JUDGED = 1000, 20  # lines, to tell their language
_MOST_CHARACTERS = 10000  # of a line; a longer one is no sentence, and is not even looked at


def main() -> None:
    parser = CommandParser(description=__doc__)
    parser.add_argument("--text", nargs=2, required=True, metavar="LANG=FILE", help="text, one sentence a line")
    parser.add_argument("--dev", nargs=2, metavar="LANG=FILE", help="aligned text to validate on")
    parser.add_argument("--test", nargs=2, metavar="LANG=FILE", help="aligned text to score on")
    parser.add_argument(
        "--hold-out", type=int, default=500, metavar="N", help="lines of dev and test, if --text is aligned"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, metavar="DIR")
    args = parser.parse_args()
    try:
        sets = prepare(args)
    except InputError as error:
        sys.exit(f"own_text.py: {error}")
    os.makedirs(args.out, exist_ok=True)
    for name, sides in sets.items():
        for language, lines in sides.items():
            with open(os.path.join(args.out, f"{name}.{language}"), "w", encoding="utf-8") as stream:
                stream.writelines(line + "\n" for line in lines)
            print(f"      {name}.{language}: {len(lines):,} lines")


def prepare(args: argparse.Namespace) -> Dict[str, Sides]:
    """Return {"mono": {language: lines}, and "dev", "test" where there are any}. Raises InputError."""
    text = read_sides(args.text)
    held = {name: aligned_sides(name, paths, text) for name, paths in (("dev", args.dev), ("test", args.test)) if paths}
    check_sides(text)
    rng = random.Random(args.seed)
    mono = text
    if looks_aligned(*text.values()):
        print("      the two files look aligned line by line: training sees one half of the lines in each language")
        mono = deal_out(text, held, args.hold_out, rng)
    for language, lines in mono.items():
        unseen = {comparable(line) for sides in held.values() for line in sides[language]}
        lines = [line for line in dict.fromkeys(lines) if line and len(line.split()) <= _LONGEST]
        kept = [line for line in lines if comparable(line) not in unseen]
        if len(kept) < len(lines):
            print(f"      {language}: left out {len(lines) - len(kept):,} lines that dev or test hold")
        if len(kept) < _FEWEST:
            raise InputError(f"the {language} text has {len(kept):,} usable lines; at least {_FEWEST:,} are needed")
        rng.shuffle(kept)
        mono[language] = kept
    return dict(mono=mono, **held)


def check_sides(text: Sides) -> None:
    """Raise InputError where both files are of one text; say where a text seems to be in another language."""
    first, second = (set(lines) - {""} for lines in text.values())
    common, shorter = len(first & second), min(len(first), len(second))
    if common > _MOST_COMMON * shorter:
        raise InputError(
            f"{common:,} of {shorter:,} lines are the same in {' and '.join(text)}: give text of two languages"
        )
    for language, lines in text.items():
        doubt = doubt_of_script(language, lines) or doubt_of_language(language, lines)
        if doubt:
            print(f"      {language}: {doubt}")


def doubt_of_language(language: str, lines: Sequence[str]) -> Optional[str]:
    """A sentence's end for text most of whose lines seem to be in one other language; None where there is no doubt.

    Lines that are long enough to tell are judged, some that are spread evenly over the text.
    """
    _, guesses = LineFilter(language)(lines[:: len(lines) // _LOOKED_AT + 1])
    judged = Counter(guess for guess in guesses if guess)
    guess, count = judged.most_common(1)[0] if judged else (None, 0)
    if guess == base_language(language) or count < max(_FEWEST_JUDGED, sum(judged.values()) / 2):
        return None
    return f"most lines look like {guess}: is this text {language}?"


def deal_out(text: Sides, held: Dict[str, Sides], hold_out: int, rng: random.Random) -> Sides:
    """The monolingual text of an aligned one; dev and test are added to `held` where they are not given."""
    given = [pair for sides in held.values() for pair in zip(*sides.values())]
    pairs = [pair for pair in dict.fromkeys(zip(*text.values())) if all(map(comparable, pair))]
    rng.shuffle(pairs)
    missing = [name for name in ("dev", "test") if name not in held]
    dealt = deal(keys(pairs), [hold_out] * len(missing), keys(given))
    for name, numbers in zip(missing, dealt.held_out):
        if len(numbers) < hold_out:
            raise InputError(
                f"only {len(numbers):,} lines can be held out for {name}, {hold_out:,} are wanted: the lines of --text "
                "repeat one another too often; give --dev and --test, or more text"
            )
        held[name] = {language: [pairs[number][side] for number in numbers] for side, language in enumerate(text)}
    if dealt.dropped:
        print(f"      left out {len(dealt.dropped):,} pairs of lines that hang together with held-out ones")
    halves = (dealt.first, dealt.second)
    return {
        language: [pairs[number][side] for number in numbers]
        for side, (language, numbers) in enumerate(zip(text, halves))
    }


def keys(pairs: Sequence[Sequence[str]]) -> List[tuple]:
    """The pairs by their letters and digits."""
    return [tuple(map(comparable, pair)) for pair in pairs]


def read_sides(options: Sequence[str]) -> Sides:
    """Read LANG=FILE options. Returns {language: lines}, in the order given. Raises InputError."""
    sides = {}
    for option in options:
        language, equals, path = option.partition("=")
        if not equals:
            raise InputError(f"{option} is no LANG=FILE")
        sides[check_code(language)] = read(path)
    if len(sides) < len(options):
        raise InputError(f"{' '.join(options)}: give two different languages")
    return sides


def read(path: str) -> List[str]:
    """The lines of a UTF-8 file in NFC, white space folded; empty ones are kept, for the alignment. Raises InputError.

    A line that is no sentence, of over 10,000 characters, becomes empty, which is said.
    """
    try:
        with open(path, "rb") as stream:
            lines = decode(stream.read(), path).split("\n")
    except OSError as error:
        raise unreadable(path, error) from None
    overlong = sum(len(line) > _MOST_CHARACTERS for line in lines)
    if overlong:
        print(f"      {path}: left out {overlong:,} lines of over {_MOST_CHARACTERS:,} characters")
    short = ("" if len(line) > _MOST_CHARACTERS else line for line in lines)
    lines = [" ".join(unicodedata.normalize("NFC", line).split()) for line in short]
    while lines and not lines[-1]:
        lines.pop()
    if not any(lines):
        raise InputError(f"{path} is empty")
    return lines


def aligned_sides(name: str, options: Sequence[str], text: Sides) -> Sides:
    """Read the two sides of dev or test; they must be of the languages of the text and of equal length."""
    sides = read_sides(options)
    if set(sides) != set(text):
        raise InputError(f"--{name} is of {' and '.join(sides)}, the text of {' and '.join(text)}")
    if len({len(lines) for lines in sides.values()}) != 1:
        counts = ", ".join(f"{language} has {len(lines):,} lines" for language, lines in sides.items())
        raise InputError(f"--{name} is not aligned: {counts}")
    pairs = [pair for pair in zip(*(sides[language] for language in text)) if all(pair)]
    if not pairs:
        raise InputError(f"--{name} has no line that both sides fill")
    return dict(zip(text, map(list, zip(*pairs))))


def looks_aligned(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two files of equal length are translations of each other, line by line.

    Lengths of translations go together (a correlation of about 0.9); those of unrelated lines do not (about 0).
    """
    if len(first) != len(second):
        return False
    count = len(first)
    xs, ys = [len(line) for line in first], [len(line) for line in second]
    x, y = sum(xs) / count, sum(ys) / count
    covariance = sum((a - x) * (b - y) for a, b in zip(xs, ys))
    spread = (sum((a - x) ** 2 for a in xs) * sum((b - y) ** 2 for b in ys)) ** 0.5
    return spread > 0 and covariance / spread > 0.6


if __name__ == "__main__":
    main()
