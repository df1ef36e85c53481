"""Pairs of words that a person may give: python given.py --lexicon ORACLE.tsv --pairs 50 > SEEDS.txt

The most frequent mutual pairs of a lexicon taken from aligned text, a line `word<TAB>word` each; with --cipher the
second word as cipher.py enciphered it. They stand for what someone who speaks both languages writes down in half an
hour.
"""

import sys

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.lexicon_file import Lexicon, read_word_pairs


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("--lexicon", required=True, metavar="ORACLE.tsv")
    parser.add_argument("--pairs", type=int, required=True, metavar="N")
    parser.add_argument("--cipher", metavar="CIPHER.tsv")
    args = parser.parse_args(arguments)
    try:
        spelt = dict(read_word_pairs(args.cipher)) if args.cipher else {}
        pairs = Lexicon.load(args.lexicon).mutual()
    except InputError as error:
        sys.exit(f"given.py: {error}")
    # a word of the aligned text need not stand in the half that was enciphered
    pairs = [pair for pair in pairs if not spelt or pair.target in spelt]
    if len(pairs) < args.pairs:
        sys.exit(f"given.py: {args.lexicon} has {len(pairs):,} mutual pairs, fewer than --pairs {args.pairs:,}")
    pairs.sort(key=lambda pair: (-pair.counts[0], pair))
    for pair in pairs[: args.pairs]:
        print(f"{pair.source}\t{spelt.get(pair.target, pair.target)}")


if __name__ == "__main__":
    main()
