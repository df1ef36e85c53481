"""Print what the runs scored, and write OUT/summary.json."""

import json
import os
import statistics

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.run_summary import stage_minutes, write_summary

_STAGES = ("lexicon", "word_by_word", "table", "translation", "score")
_ABOUT = {
    "random": "random table",
    "crossinit": "table aligned by rank (CrossInit)",
    "lexicon": "lexicon induced from the two halves",
    "oracle": "lexicon from aligned text: upper bound",
}
# Lample et al. (ICLR 2018), BLEU of en-fr and fr-en on Multi30k: with word vectors of all of Wikipedia (fastText),
# aligned by adversarial training; the last without the vectors and the word-by-word start
_PUBLISHED = {
    "languages": ("en", "fr"),
    "rows": (
        ("word by word, Wikipedia's fastText", (8.5, 16.8)),
        ("iteration 1, Wikipedia's fastText", (27.5, 28.1)),
        ("iteration 3, Wikipedia's fastText", (32.8, 32.1)),
        ("no vectors, no word-by-word start", (8.8, 9.2)),
    ),
}


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    for option in ("--out", "--langs", "--inits", "--seeds", "--preset"):
        parser.add_argument(option, required=True)
    args = parser.parse_args(arguments)
    languages = tuple(args.langs.split(","))
    directions = ["-".join(languages), "-".join(languages[::-1])]
    runs = [
        read_run(os.path.join(args.out, "runs", f"{init}-{seed}"), init, int(seed), directions)
        for init in args.inits.split(",")
        for seed in args.seeds.split(",")
    ]
    induced = [run for run in runs if run["init"] == "lexicon"]
    summary = {
        "preset": args.preset,
        "languages": list(languages),
        "runs": runs,
        "copying": read_scores(os.path.join(args.out, "copying"), directions, "BLEU"),
        "word_by_word": {},
        "lexicon": {},
        "sacrebleu_signature": read_signature(os.path.join(args.out, "copying", directions[0] + ".json")),
    }
    if induced:
        summary["word_by_word"] = {name: mean([run["word_by_word"][name] for run in induced]) for name in directions}
        summary["lexicon"] = {key: mean([run["lexicon"][key] for run in induced]) for key in induced[0]["lexicon"]}
    write_summary(args.out, summary)
    show(summary, directions)


def read_run(folder, init, seed, directions):
    """What one run scored: BLEU, chrF2 and minutes, and where it has a lexicon what that is worth without a model."""
    run = {"init": init, "seed": seed}
    run["bleu"] = read_scores(os.path.join(folder, "score"), directions, "BLEU")
    run["chrf2"] = read_scores(os.path.join(folder, "score"), directions, "chrF2")
    run["minutes"] = stage_minutes(folder, _STAGES)["total"]
    if os.path.isdir(os.path.join(folder, "lexicon")):
        run["word_by_word"] = read_scores(os.path.join(folder, "word_by_word"), directions, "BLEU")
        found = read(folder, "lexicon", "evaluation.json")
        # pairs that are each other's best; what share of them is right, in running words of the first language
        run["lexicon"] = {"pairs": found["mutual_pairs"], "token_precision": found["token_precision"]}
    return run


def read_scores(folder, directions, metric):
    """{direction: score} of one of the metrics that sacreBLEU wrote."""
    scores = {}
    for direction in directions:
        found = [score for score in read(folder, direction + ".json") if score["name"] == metric]
        scores[direction] = float(found[0]["score"])
    return scores


def read_signature(path):
    return "; ".join(f"{score['name']}|{score['signature']}" for score in read(path))


def show(summary, directions):
    print("\n{:<42} {:>14} {:>14} {:>14}".format("BLEU", *directions, "minutes a run"))
    for init in dict.fromkeys(run["init"] for run in summary["runs"]):
        runs = [run for run in summary["runs"] if run["init"] == init]
        cells = [cell([run["bleu"][direction] for run in runs]) for direction in directions]
        minutes = f"{mean([run['minutes'] for run in runs]):.1f}"
        name = f"{init}: {_ABOUT.get(init, 'table of a file')}"[:42]
        print("{:<42} {:>14} {:>14} {:>14}".format(name, *cells, minutes))
        if "word_by_word" in runs[0]:
            cells = [cell([run["word_by_word"][direction] for run in runs]) for direction in directions]
            print("{:<42} {:>14} {:>14}".format("  the same lexicon word by word, no model", *cells))
    print("{:<42} {:>14.2f} {:>14.2f}".format("copying the source", *(summary["copying"][name] for name in directions)))
    if tuple(summary["languages"]) == _PUBLISHED["languages"]:
        print("Lample et al. (ICLR 2018); their test set, tokens and score may differ")
        for name, scores in _PUBLISHED["rows"]:
            print("{:<42} {:>14} {:>14}".format("  " + name, *scores))
    for run in summary["runs"]:
        if "lexicon" in run:
            found, name = run["lexicon"], f"{run['init']}-{run['seed']}"
            right = 100 * found["token_precision"]
            print(f"lexicon of {name}: {found['pairs']:,} mutual pairs, {right:.1f} % of them right")
    print("mean over seeds +- standard deviation; pairs are counted by running words. sacreBLEU: ", end="")
    print(summary["sacrebleu_signature"])


def cell(scores):
    """Mean and sample standard deviation; one run has none."""
    if len(scores) == 1:
        return f"{scores[0]:.2f}"
    return f"{statistics.mean(scores):.2f} +- {statistics.stdev(scores):.2f}"


def mean(values):
    return round(statistics.mean(values), 4)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as stream:
        return json.load(stream)


if __name__ == "__main__":
    main()
