"""Print what a translation recipe did, and write OUT/summary.json."""

import json
import os

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.run_summary import stage_minutes, write_summary

_STEPS = ("text", "prepare", "ranks", "lexicon", "crossinit", "mbart", "translation", "score")


def main():
    parser = CommandParser(description=__doc__)
    for option in ("--out", "--pair", "--init", "--preset"):
        parser.add_argument(option, required=True)
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args()
    first, second = args.pair.split("-")
    minutes = stage_minutes(args.out, _STEPS)
    scores, baselines = {}, {}
    for direction in (f"{first}-{second}", f"{second}-{first}"):
        with open(os.path.join(args.out, "score", direction + ".json"), encoding="utf-8") as stream:
            systems = json.load(stream)["systems"]
        scores[direction] = systems.pop(args.init)
        for name, metrics in systems.items():
            baselines.setdefault(name, {})[direction] = metrics["bleu"]["score"]
    summary = {
        "bleu": {direction: metrics["bleu"]["score"] for direction, metrics in scores.items()},
        "baselines": baselines,
        "scores": scores,
        "init": args.init,
        "preset": args.preset,
        "seed": args.seed,
        "minutes": minutes,
    }
    path = write_summary(args.out, summary)
    for step, value in minutes.items():
        print(f"{step:<12} {value:>8.2f} minutes")
    print(f"{path}: init {args.init}, preset {args.preset}, seed {args.seed}")


if __name__ == "__main__":
    main()
