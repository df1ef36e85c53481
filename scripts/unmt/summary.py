"""Print what a translation recipe did, and write OUT/summary.json."""

import argparse
import json
import os

_STEPS = ("text", "prepare", "ranks", "crossinit", "mbart", "translation", "score")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--out", "--pair", "--init", "--preset"):
        parser.add_argument(option, required=True)
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args()
    first, second = args.pair.split("-")
    minutes = step_minutes(args.out)
    scores = {}
    for direction in ("{}-{}".format(first, second), "{}-{}".format(second, first)):
        with open(os.path.join(args.out, "score", direction + ".json"), encoding="utf-8") as stream:
            scores[direction] = json.load(stream)["systems"][args.init]
    summary = {
        "bleu": {direction: metrics["bleu"]["score"] for direction, metrics in scores.items()},
        "scores": scores,
        "init": args.init,
        "preset": args.preset,
        "seed": args.seed,
        "minutes": minutes,
    }
    path = os.path.join(args.out, "summary.json")
    with open(path + ".tmp", "w", encoding="utf-8") as stream:
        json.dump(summary, stream, indent=2, ensure_ascii=False)
        stream.write("\n")
    os.replace(path + ".tmp", path)
    for step, value in minutes.items():
        print("{:<12} {:>8.2f} minutes".format(step, value))
    print("{}: init {}, preset {}, seed {}".format(path, args.init, args.preset, args.seed))


def step_minutes(out):
    """{step: minutes} of the steps that ran for this folder, and their total; of taken steps (--prepared) there are none."""
    minutes = {}
    for step in _STEPS:
        path = os.path.join(out, "stages", step + ".minutes")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                minutes[step] = float(stream.read())
    minutes["total"] = round(sum(minutes.values()), 2)
    return minutes


if __name__ == "__main__":
    main()
