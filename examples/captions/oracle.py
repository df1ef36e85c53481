"""A lexicon taken from aligned text: python oracle.py --langs en,fr --aligned PREFIX -o LEXICON.tsv

An upper bound, not a method: it reads PREFIX.LANG, sentences and their translations, which unsupervised translation
does not have. It says what the rest of the way, from a lexicon to translation, could reach with a lexicon that is
right. A word's translation is, of those that competitive linking accepts, the one with the highest Dice coefficient
over sentences.
"""

import collections
import sys

import regex

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.dictionary_from_aligned import dictionary_from_aligned
from crossinit_fairseq.lexicon.lexicon_file import BACKWARD, FORWARD, MUTUAL, Lexicon, Pair
from crossinit_fairseq.ranks.text.counting import text_words


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("--langs", required=True, help="such as en,fr")
    parser.add_argument("--aligned", required=True, metavar="PREFIX")
    parser.add_argument("-o", required=True, dest="output", metavar="LEXICON.tsv")
    args = parser.parse_args(arguments)
    languages = tuple(args.langs.split(","))
    sides = []
    for language in languages:
        with open(f"{args.aligned}.{language}", encoding="utf-8", newline="\n") as stream:
            sides.append([line.rstrip("\n") for line in stream])
    try:
        Lexicon(*languages, pairs_of(*sides, languages), {"lowercase": "yes", "from": "aligned text"}).save(args.output)
    except InputError as error:
        sys.exit(f"oracle.py: {error}")


def pairs_of(source, target, languages):
    """The best translation of each word of both languages, as a list of Pair, the most frequent source words first.

    source, target: sentences, line by line translations. Raises InputError as dictionary_from_aligned does.
    """
    accepted, _ = dictionary_from_aligned(source, target, languages)
    counts = [collections.Counter(), collections.Counter()]  # running words
    within = [collections.Counter(), collections.Counter()]  # sentences
    together = collections.Counter()
    patterns = [regex.compile(text_words(language, True).pattern) for language in languages]
    for lines in zip(source, target):
        words = [pattern.findall(line) for pattern, line in zip(patterns, lines)]
        left, right = map(set, words)
        for side in (0, 1):
            counts[side].update(words[side])
            within[side].update((left, right)[side])
        together.update((s, t) for s in left for t in accepted.get(s, set()) & right)
    dice = {(s, t): 2 * number / (within[0][s] + within[1][t]) for (s, t), number in together.items()}
    best = [{}, {}]
    for s, t in sorted(dice, key=lambda pair: (dice[pair], pair)):
        best[0][s], best[1][t] = t, s
    pairs = []
    for (s, t), score in dice.items():
        ways = (best[0][s] == t, best[1][t] == s)
        if any(ways):
            found = MUTUAL if all(ways) else FORWARD if ways[0] else BACKWARD
            pairs.append(Pair(s, t, score, (counts[0][s], counts[1][t]), found))
    return sorted(pairs, key=lambda pair: (-pair.counts[0], -pair.score, pair[:2]))


if __name__ == "__main__":
    main()
