"""Print what the runs scored, and write OUT/summary.json."""

import json
import os
import statistics

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.run_summary import stage_minutes, write_summary

DIRECTIONS = ("en-xx", "xx-en")
_STAGES = ("table", "translation", "score")
_ABOUT = {
    "copy": "copying the source",
    "frequent": "the most frequent word",
    "unrelated": "any sentence of equal length",
    "by_rank": "the word of the same rank",
    "nearest": "the known sentence of nearest ranks",
}


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    for option in ("--out", "--inits", "--seeds", "--preset"):
        parser.add_argument(option, required=True)
    args = parser.parse_args(arguments)
    summary = {"preset": args.preset, "bleu": {}, "without_learning": read(args.out, "text", "baselines.json")}
    for init in args.inits.split(","):
        summary["bleu"][init] = summarise(args.out, init, args.seeds.split(","))
    scores = read(
        args.out, "runs", "{}-{}".format(args.inits.split(",")[0], args.seeds.split(",")[0]), "score", "en-xx.json"
    )
    summary["sacrebleu_signature"] = scores["signature"]
    write_summary(args.out, summary)
    show(summary)


def summarise(out, init, seeds):
    """The runs of one initialisation.

    Returns {direction: {"seeds": {seed: BLEU}, "mean", "spread"}, "minutes": mean of a run}.
    """
    folders = {seed: os.path.join(out, "runs", f"{init}-{seed}") for seed in seeds}
    found = {}
    for direction in DIRECTIONS:
        bleu = {seed: float(read(folder, "score", direction + ".json")["score"]) for seed, folder in folders.items()}
        found[direction] = {
            "seeds": bleu,
            "mean": round(statistics.mean(bleu.values()), 2),
            # the sample standard deviation; one run has none
            "spread": round(statistics.stdev(bleu.values()), 2) if len(bleu) > 1 else None,
        }
    minutes = [stage_minutes(folder, _STAGES)["total"] for folder in folders.values()]
    found["minutes"] = round(statistics.mean(minutes), 1)
    return found


def show(summary):
    print("\n{:<36} {:>14} {:>14} {:>14}".format("BLEU", *DIRECTIONS, "minutes a run"))
    for init, found in summary["bleu"].items():
        cells = [cell(found[direction]) for direction in DIRECTIONS]
        print("{:<36} {:>14} {:>14} {:>14}".format(init, *cells, found["minutes"]))
    for name, about in _ABOUT.items():
        scores = [f"{summary['without_learning'][direction][name]:.2f}" for direction in DIRECTIONS]
        print("{:<36} {:>14} {:>14}".format(about, *scores))
    print(
        "mean over seeds and standard deviation; the last rows need no model. sacreBLEU: "
        + summary["sacrebleu_signature"]
    )


def cell(found):
    if found["spread"] is None:
        return f"{found['mean']:.2f}"
    return f"{found['mean']:.2f} +- {found['spread']:.2f}"


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as stream:
        return json.load(stream)


if __name__ == "__main__":
    main()
