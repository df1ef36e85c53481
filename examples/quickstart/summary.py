"""Print what the quickstart did, and write OUT/summary.json."""

import argparse
import json
import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from summaries import stage_minutes, write_summary  # noqa: E402

_JSON = re.compile(r"\| (train_inner|train|valid) \| (\{.*\})")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--out", "--langs", "--init", "--preset"):
        parser.add_argument(option, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--setup-seconds", type=float, required=True)
    args = parser.parse_args()
    first, second = args.langs.split(",")
    stages = ["text", "pieces", "data"] + ["crossinit"] * (args.init == "crossinit") + ["mbart", "translation", "score"]
    minutes = dict({"setup": round(args.setup_seconds / 60, 2)}, **stage_minutes(args.out, stages))
    minutes["total"] = round(minutes["setup"] + minutes["total"], 2)
    valid = {stage: last_valid(args.out, stage) for stage in stages if stage in ("crossinit", "mbart", "translation")}
    directions = ["{}-{}".format(first, second), "{}-{}".format(second, first)]
    scores = {name: read_score(args.out, name) for name in directions}
    copies = {name: read_score(args.out, name + ".copy") for name in directions}
    bleu = {name: score and float(score["score"]) for name, score in scores.items()}
    copied = {name: score and float(score["score"]) for name, score in copies.items()}
    signature = scores[directions[0]] and scores[directions[0]]["signature"]
    round_trip = float(valid["translation"]["valid_round_trip_bleu"])
    summary = {
        "bleu": bleu,
        "bleu_of_copying_the_source": copied,
        "sacrebleu_signature": signature,
        "round_trip_bleu": round_trip,
        "init": args.init,
        "preset": args.preset,
        "seed": args.seed,
        "minutes": minutes,
    }
    write_summary(args.out, summary)

    lines = {lang: count_lines(os.path.join(args.out, "text", "mono." + lang)) for lang in (first, second)}
    crossinit = valid.get("crossinit") or {}
    figures = {
        "text": ", ".join("{} {:,} lines".format(lang, count) for lang, count in lines.items()),
        "pieces": "{:,} symbols".format(count_lines(os.path.join(args.out, "pieces", "dict.txt"))),
        "crossinit": "loss 1.386 -> {}, accuracy {}".format(
            crossinit.get("valid_loss"), crossinit.get("valid_accuracy")
        ),
        "mbart": "valid perplexity {}".format(valid["mbart"]["valid_ppl"]),
        "translation": "round-trip BLEU {:.2f}".format(round_trip),
        "score": "BLEU not measured: no aligned test text (--test)",
    }
    if signature:
        figures["score"] = "BLEU " + ", ".join("{} {:.2f}".format(*item) for item in bleu.items())
    artefacts = {
        "text": "text/",
        "pieces": "pieces/spm.model, dict.txt",
        "data": "data/",
        "crossinit": "crossinit/checkpoint_last.pt",
        "mbart": "mbart/checkpoint_last.pt",
        "translation": "translation/checkpoint_last.pt",
        "score": "score/",
    }
    print("\n{:<12} {:>7}  {:<46} {}".format("stage", "minutes", "key figure", "in " + args.out))
    for stage in ["setup"] + stages:
        print(
            "{:<12} {:>7.2f}  {:<46} {}".format(stage, minutes[stage], figures.get(stage, ""), artefacts.get(stage, ""))
        )
    print("{:<12} {:>7.2f}  {:<46} {}".format("total", minutes["total"], "init " + args.init, "summary.json"))
    if signature:
        print("sacreBLEU of fairseq-generate's output: {}".format(signature))
        print("copying the source would score " + ", ".join("{} {:.2f}".format(*item) for item in copied.items()))


def read_score(out, name):
    """sacreBLEU's JSON from the score folder, None where nothing was scored."""
    path = os.path.join(out, "score", name + ".json")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def last_valid(out, stage):
    """The statistics of a stage's last validation."""
    found = None
    with open(os.path.join(out, "logs", stage + ".log"), encoding="utf-8", errors="replace") as stream:
        for line in stream:
            match = _JSON.search(line)
            if match and match.group(1) == "valid":
                found = json.loads(match.group(2))
    if found is None:
        sys.exit(
            "summary.py: {}/logs/{}.log holds no validation; remove {}/stages/{}.* and run again".format(
                out, stage, out, stage
            )
        )
    return found


def count_lines(path):
    with open(path, "rb") as stream:
        return sum(1 for _ in stream)


if __name__ == "__main__":
    main()
