"""English and a cipher of itself: python text.py [--text FILE] --vocabulary 1000 --out DIR

Every English word is replaced by a made-up one, always the same; punctuation is left out. So the two languages share
no symbol but those of the model itself (<s>, </s>, <mask>), and all else is the same in both: word order, which words
go together, how often each is used. The text to learn from is halved: one half of the sentences is English only, the
other half is enciphered. Held-out sentences in both languages are for validating and scoring.
"""

import collections
import os
import random
import re
import sys

import grammar

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.data.dictionary import write_dictionary

LANGUAGES = ("en", "xx")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_SHORTEST = 3  # words in a sentence
_FEWEST = 1000  # sentences of each language


class Problem(Exception):
    """What is wrong, where, and what to do."""


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("--text", metavar="FILE", help="English text, a sentence a line (default: of grammar.py)")
    parser.add_argument("--vocabulary", type=int, default=1000, help="sentences with a word beyond are left out")
    parser.add_argument("--longest", type=int, default=15, metavar="WORDS", help="longer sentences are left out")
    parser.add_argument("--sentences", type=int, default=40000, help="at most so many, both halves together")
    parser.add_argument("--dev", type=int, default=300, metavar="SENTENCES")
    parser.add_argument("--test", type=int, default=500, metavar="SENTENCES")
    parser.add_argument("--seed", type=int, default=1, help="of the cipher, the halves and the grammar")
    parser.add_argument("--out", required=True, metavar="DIR")
    args = parser.parse_args(arguments)
    try:
        sets, cipher = prepare(args)
    except Problem as problem:
        sys.exit(f"text.py: {problem}")
    os.makedirs(args.out, exist_ok=True)
    for (name, language), sentences in sets.items():
        write(args.out, f"{name}.{language}", (" ".join(words) for words in sentences))
    write(args.out, "cipher.tsv", (f"{word}\t{other}" for word, other in sorted(cipher.items())))
    # words in the order of their letters
    write_dictionary(os.path.join(args.out, "dict.txt"), sorted(cipher) + sorted(cipher.values()), LANGUAGES)
    print(
        "      {:,} words a language; {:,} sentences of en, {:,} others of xx, {:.1f} words each".format(
            len(cipher), *(len(sets["train", lang]) for lang in LANGUAGES), mean_length(sets["train", "en"])
        )
    )


def prepare(args):
    """Return ({(set, language): sentences as lists of words}, {English word: its cipher})."""
    rng = random.Random(args.seed)
    if args.text:
        sentences = read(args.text)
    else:
        sentences = grammar.sentences(rng, 2 * args.sentences)
    sentences = [words for words in sentences if _SHORTEST <= len(words) <= args.longest]
    counts = collections.Counter(word for words in sentences for word in words)
    known = set(sorted(counts, key=lambda word: (-counts[word], word))[: args.vocabulary])
    # no sentence twice: nothing of a held-out sentence, or of the other half, may be learnt by heart
    sentences = list(dict.fromkeys(tuple(words) for words in sentences if known.issuperset(words)))
    rng.shuffle(sentences)
    sentences = sentences[: args.sentences + args.dev + args.test]
    held, rest = sentences[: args.dev + args.test], sentences[args.dev + args.test :]
    valid = min(200, len(rest) // 20)
    half = len(rest) // 2
    if half < _FEWEST:
        raise Problem(
            f"{args.text} leaves {len(sentences):,} sentences of {_SHORTEST} to {args.longest} words out of the "
            f"{args.vocabulary:,} most frequent ones, and {2 * _FEWEST + args.dev + args.test:,} are needed: give more "
            "text"
        )
    cipher = dict(zip(sorted(known), made_up_words(rng, len(known), known)))
    sets = {}
    for language, part in zip(LANGUAGES, (rest[:half], rest[half:])):
        sets["valid", language], sets["train", language] = part[:valid], part[valid:]
    sets["dev", "en"], sets["test", "en"] = held[: args.dev], held[args.dev :]
    for name in ("train", "valid", "dev", "test"):
        source = sets[name, "xx" if name in ("train", "valid") else "en"]
        sets[name, "xx"] = [[cipher[word] for word in words] for words in source]
    return sets, cipher


def read(path):
    """The sentences of a UTF-8 file as lists of lower-case words."""
    try:
        with open(path, encoding="utf-8-sig", newline="\n") as stream:
            return [_WORD.findall(line.lower()) for line in stream]
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise Problem(f"{path} is not UTF-8; convert it, for example with `iconv -f ISO-8859-1 -t UTF-8`") from error


def made_up_words(rng, count, taken):
    """`count` different words of two or three syllables, none of them in `taken`."""
    made = {}
    while len(made) < count:
        syllables = rng.choice((2, 2, 3))
        word = "".join(rng.choice("bcdfghjklmnprstvwxz") + rng.choice("aeiou") for _ in range(syllables))
        if word not in taken:
            made[word] = None
    return list(made)


def mean_length(sentences):
    return sum(map(len, sentences)) / len(sentences)


def write(folder, name, lines):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
        stream.writelines(line + "\n" for line in lines)


if __name__ == "__main__":
    main()
