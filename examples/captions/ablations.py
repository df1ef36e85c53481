"""Print what the lexicons of ablations.sh are worth, and write OUT/summary.json."""

import os

from summary import cell, mean, read, read_scores

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.run_summary import write_summary


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    for option in ("--out", "--langs", "--variants", "--seeds"):
        parser.add_argument(option, required=True)
    args = parser.parse_args(arguments)
    languages = args.langs.split(",")
    directions = ["-".join(languages), "-".join(languages[::-1])]
    lexicons = [
        read_lexicon(os.path.join(args.out, f"{variant}-{seed}"), variant, int(seed), directions)
        for variant in args.variants.split(",")
        for seed in args.seeds.split(",")
    ]
    write_summary(args.out, {"languages": languages, "lexicons": lexicons})
    print("\n{:<14} {:>8} {:>16} {:>16} {:>16}".format("lexicon", "pairs", "% right", *directions))
    for variant in args.variants.split(","):
        found = [lexicon for lexicon in lexicons if lexicon["variant"] == variant]
        right = cell([100 * lexicon["token_precision"] for lexicon in found])
        scores = [cell([lexicon["word_by_word"][name] for lexicon in found]) for name in directions]
        pairs = f"{mean([lexicon['pairs'] for lexicon in found]):,.0f}"
        print("{:<14} {:>8} {:>16} {:>16} {:>16}".format(variant, pairs, right, *scores))
    print("mutual pairs, the share of them that is right by running words, BLEU of translating word by word;")
    print("mean over seeds +- standard deviation")


def read_lexicon(folder, variant, seed, directions):
    found = read(folder, "evaluation.json")
    return {
        "variant": variant,
        "seed": seed,
        "pairs": found["mutual_pairs"],
        "token_precision": found["token_precision"] or 0.0,
        "word_by_word": read_scores(folder, directions, "BLEU"),
    }


if __name__ == "__main__":
    main()
