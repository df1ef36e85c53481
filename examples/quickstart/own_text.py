"""Take a user's text files as the quickstart's text: python own_text.py --text en=FILE ro=FILE --out DIR"""

import argparse
import os
import random
import sys
import unicodedata

_FEWEST = 1000  # lines of monolingual text; with less there is nothing to learn from
_LONGEST = 250  # words in a line


class Problem(Exception):
    """What is wrong, where, and what to do."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
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
    except Problem as problem:
        sys.exit("own_text.py: {}".format(problem))
    os.makedirs(args.out, exist_ok=True)
    for name, sides in sets.items():
        for language, lines in sides.items():
            with open(os.path.join(args.out, "{}.{}".format(name, language)), "w", encoding="utf-8") as stream:
                stream.writelines(line + "\n" for line in lines)
            print("      {}.{}: {:,} lines".format(name, language, len(lines)))


def prepare(args):
    """Return {"mono": {language: lines}, and "dev", "test" where there are any}."""
    text = read_sides(args.text)
    held = {name: aligned_sides(name, paths, text) for name, paths in (("dev", args.dev), ("test", args.test)) if paths}
    rng = random.Random(args.seed)
    if looks_aligned(*text.values()):
        print("      the two files look aligned line by line: training sees one half of the lines in each language")
        pairs = list(dict.fromkeys(pair for pair in zip(*text.values()) if all(pair)))
        rng.shuffle(pairs)
        for name in ("dev", "test"):
            if name not in held:
                taken, pairs = pairs[: args.hold_out], pairs[args.hold_out :]
                held[name] = dict(zip(text, map(list, zip(*taken))))
        half = len(pairs) // 2
        mono = dict(zip(text, ([p[0] for p in pairs[:half]], [p[1] for p in pairs[half:]])))
    else:
        mono = text
    for language, lines in mono.items():
        unseen = set().union(*(sides[language] for sides in held.values())) if held else set()
        lines = [line for line in dict.fromkeys(lines) if line and len(line.split()) <= _LONGEST]
        kept = [line for line in lines if line not in unseen]
        if len(kept) < len(lines):
            print("      {}: left out {:,} lines that dev or test hold".format(language, len(lines) - len(kept)))
        if len(kept) < _FEWEST:
            raise Problem(
                "the {} text has {:,} usable lines; at least {:,} are needed".format(language, len(kept), _FEWEST)
            )
        rng.shuffle(kept)
        mono[language] = kept
    return dict(mono=mono, **held)


def read_sides(options):
    """Read LANG=FILE options. Returns {language: lines}, in the order given."""
    return {option.split("=", 1)[0]: read(option.split("=", 1)[1]) for option in options}


def read(path):
    """The lines of a UTF-8 file in NFC, white space folded; empty ones are kept, for the alignment."""
    try:
        with open(path, "rb") as stream:
            data = stream.read()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise Problem("{} cannot be read ({})".format(path, error.strerror))
    except UnicodeDecodeError as error:
        raise Problem(
            "{} is not UTF-8 (line {}); convert it, for example with `iconv -f ISO-8859-2 -t UTF-8`".format(
                path, data.count(b"\n", 0, error.start) + 1
            )
        )
    lines = [" ".join(line.split()) for line in unicodedata.normalize("NFC", text).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if not any(lines):
        raise Problem("{} is empty".format(path))
    return lines


def aligned_sides(name, options, text):
    """Read the two sides of dev or test; they must be of the languages of the text and of equal length."""
    sides = read_sides(options)
    if set(sides) != set(text):
        raise Problem("--{} is of {}, the text of {}".format(name, " and ".join(sides), " and ".join(text)))
    if len({len(lines) for lines in sides.values()}) != 1:
        raise Problem(
            "--{} is not aligned: {}".format(
                name, ", ".join("{} has {:,} lines".format(k, len(v)) for k, v in sides.items())
            )
        )
    pairs = [pair for pair in zip(*(sides[language] for language in text)) if all(pair)]
    if not pairs:
        raise Problem("--{} has no line that both sides fill".format(name))
    return dict(zip(text, map(list, zip(*pairs))))


def looks_aligned(first, second):
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
