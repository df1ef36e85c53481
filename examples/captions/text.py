"""Halve aligned captions, so that no caption is seen in both languages: python text.py --text DIR --langs A,B --out DIR

Reads train.LANG, val.LANG and, if there is one, test.LANG, where line k of one language translates line k of the
other. The lines of train are shuffled, always in the same way; one half is given in the first language only, the other
half in the second only. (Odd and even lines would not do: Multi30k's odd captions are short, 9.8 English words, and
its even ones long, 14.0.) Captions that are the same in a language but for case and punctuation belong together: none
of them stays whose fellow is in the other half, in val or in test. Writes, lower-cased and tokenised as Moses does:

mono.LANG           the half of train to learn from
lines.LANG          the number of each of its lines in train
dev.LANG test.LANG  aligned: val and test; without a test the first 300 lines of val and the others (--dev)
reference.LANG      test.LANG, lower-cased but not tokenised: what translations are scored against
aligned.LANG        all of train, aligned: to judge a lexicon by, and for the oracle. Nothing else may read it
"""

import os
import random
import sys
import unicodedata

import sacremoses

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.normaliser import comparable
from crossinit_fairseq.preparation.splitting import connected_pairs

_FEWEST = 100  # lines of train
_DEV = 300


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("--text", required=True, metavar="DIR")
    parser.add_argument("--langs", required=True, help="such as en,fr")
    parser.add_argument("--dev", type=int, default=_DEV, metavar="LINES", help="where there is no test set")
    parser.add_argument("--out", required=True, metavar="DIR")
    args = parser.parse_args(arguments)
    languages = args.langs.split(",")
    try:
        train, dev, test = read_sets(args.text, languages, args.dev)
    except InputError as error:
        sys.exit(f"text.py: {error}")
    os.makedirs(args.out, exist_ok=True)
    held_out = [pair for sides in (dev, test) for pair in zip(*sides.values())]
    halves = without_fellows(halve(len(train[languages[0]])), list(zip(*train.values())), held_out)
    left_out = len(train[languages[0]]) // 2 * 2 - sum(map(len, halves))
    if left_out:
        print(f"      left out {left_out:,} captions whose fellow is in the other half, in val or in test")
    for language, half in zip(languages, halves):
        tokenise = tokeniser(language)
        aligned = [tokenise(line) for line in train[language]]
        write(args.out, "aligned", language, aligned)
        write(args.out, "mono", language, [aligned[index] for index in half])
        write(args.out, "lines", language, [str(index + 1) for index in half])
        write(args.out, "dev", language, map(tokenise, dev[language]))
        write(args.out, "test", language, map(tokenise, test[language]))
        write(args.out, "reference", language, test[language])
    lines, asked = " and ".join(f"{len(half):,}" for half in halves), len(test[languages[0]])
    print(f"      {lines} captions, no two of one picture; {asked:,} to translate")


def halve(lines):
    """Two lists of as many indices of `lines`, none in both. The same for the same number, whatever the runs' seeds."""
    order = list(range(lines))
    random.Random(1).shuffle(order)
    half = lines // 2
    return order[:half], order[half : 2 * half]


def without_fellows(halves, train, held_out):
    """The halves without captions that would be seen in both languages: two lists of indices, in their order.

    train, held_out: pairs of lines. What shares a line, by its letters and digits, on either side, hangs together:
    captions that hang together with held-out ones go, and those of the half that has fewer of a group.
    """
    pairs = [tuple(map(comparable, pair)) for pair in train + held_out]
    side = {index: number for number, half in enumerate(halves) for index in half}
    gone = set()
    for group in connected_pairs(pairs):
        members = [[index for index in group if side.get(index) == number] for number in (0, 1)]
        if group[-1] >= len(train):
            gone.update(members[0] + members[1])
        elif all(members):
            gone.update(min(members, key=len))
    return tuple([index for index in half if index not in gone] for half in halves)


def read_sets(folder, languages, dev_lines):
    """Return (train, dev, test), each {language: list of lower-cased lines}. Raises InputError."""
    names = ["train", "val"]
    if any(os.path.exists(os.path.join(folder, f"test.{language}")) for language in languages):
        names.append("test")
    sets = {name: {language: read(folder, name, language) for language in languages} for name in names}
    for name, sides in sets.items():
        counts = [len(lines) for lines in sides.values()]
        if len(set(counts)) > 1:
            told = " and ".join(f"{name}.{language} {count:,}" for language, count in zip(languages, counts))
            raise InputError(f"{folder}: {told} lines: line k of one must translate line k of the other")
    if len(sets["train"][languages[0]]) < _FEWEST:
        raise InputError(f"{folder}/train.{languages[0]} has fewer than {_FEWEST} lines: give more text")
    if "test" in sets:
        return sets["train"], sets["val"], sets["test"]
    if len(sets["val"][languages[0]]) <= dev_lines:
        raise InputError(
            f"{folder}/val.{languages[0]} has no more than {dev_lines} lines, all for dev, and there is no test: "
            "give test.LANG too, or a longer val.LANG"
        )
    dev = {language: lines[:dev_lines] for language, lines in sets["val"].items()}
    return sets["train"], dev, {language: lines[dev_lines:] for language, lines in sets["val"].items()}


def read(folder, name, language):
    """The lines of a UTF-8 file in NFC, lower-cased, with single blanks and straight apostrophes. Raises InputError."""
    path = os.path.join(folder, f"{name}.{language}")
    try:
        with open(path, encoding="utf-8-sig", newline="\n") as stream:
            lines = [unicodedata.normalize("NFC", line).lower().replace("\u2019", "'") for line in stream]
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): --text holds train.LANG and val.LANG") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8; convert it, for example with `iconv -f ISO-8859-1 -t UTF-8`") from None
    return [" ".join(line.split()) for line in lines]


def tokeniser(language):
    """A function from a line to its tokens between blanks."""
    moses = sacremoses.MosesTokenizer(language)
    return lambda line: moses.tokenize(line, escape=False, return_str=True)


def write(folder, name, language, lines):
    with open(os.path.join(folder, f"{name}.{language}"), "w", encoding="utf-8") as stream:
        stream.writelines(line + "\n" for line in lines)


if __name__ == "__main__":
    main()
