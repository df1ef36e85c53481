"""Print what the quickstart did, and write OUT/summary.json."""

import json
import os
import re
import sys

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.run_summary import stage_minutes, write_summary

_JSON = re.compile(r"\| (train_inner|train|valid) \| (\{.*\})")
_ARTEFACTS = {
    "text": "text/",
    "pieces": "pieces/spm.model, dict.txt",
    "data": "data/",
    "lexicon": "lexicon/lexicon.tsv",
    "table": "table/checkpoint_last.pt",
    "translation": "translation/checkpoint_last.pt",
    "score": "score/",
}
_EXAMPLES = 5  # translations to show


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    for option in ("--out", "--langs", "--init", "--preset"):
        parser.add_argument(option, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--training", default="", help="further options of the translation")
    parser.add_argument("--setup-seconds", type=float, required=True)
    args = parser.parse_args(arguments)
    first, second = args.langs.split(",")
    directions = [f"{first}-{second}", f"{second}-{first}"]
    stages = ["text", "pieces", "data"]
    stages += {"lexicon": ["lexicon", "table"], "random": []}.get(args.init, ["table"])
    stages += ["translation", "score"]
    minutes = dict({"setup": round(args.setup_seconds / 60, 2)}, **stage_minutes(args.out, stages))
    minutes["total"] = round(minutes["setup"] + minutes["total"], 2)
    valid = {stage: last_valid(args.out, stage) for stage in ("table", "translation") if stage in stages}

    systems = {"translation": "", "copying": ".copying"}
    if args.init == "lexicon":
        systems["word_by_word"] = ".word_by_word"
    found = {
        system: {name: read_scores(args.out, name + ending) for name in directions}
        for system, ending in systems.items()
    }
    scored = bool(found["translation"][directions[0]])
    scores = {
        metric: {system: {name: scores.get(metric) for name, scores in of.items()} for system, of in found.items()}
        for metric in ("BLEU", "chrF2")
    }
    summary = {
        "bleu": scores["BLEU"]["translation"],
        "copying": scores["BLEU"]["copying"],
        "word_by_word": scores["BLEU"].get("word_by_word"),
        "chrf2": scores["chrF2"],
        "sacrebleu_signature": found["translation"][directions[0]].get("signature"),
        "round_trip_bleu": float(valid["translation"]["valid_round_trip_bleu"]),
        "lexicon": read_lexicon(args.out) if args.init == "lexicon" else None,
        "examples": read_examples(args.out, first, second, directions) if scored else [],
        "init": args.init,
        "preset": args.preset,
        "seed": args.seed,
        "training": args.training,
        "minutes": minutes,
        "report": "report.html",  # which report.py writes next
    }
    write_summary(args.out, summary)
    show_stages(args, stages, summary, valid)
    if args.preset == "smoke":
        print("\npreset smoke only shows that every stage works: so few updates teach no translation")
    if scored:
        show_scores(scores, directions, summary["sacrebleu_signature"])
        show_examples(summary["examples"])


def show_stages(args, stages, summary, valid):
    lines = {lang: count_lines(os.path.join(args.out, "text", "mono." + lang)) for lang in args.langs.split(",")}
    figures = {
        "text": ", ".join(f"{lang} {count:,} lines" for lang, count in lines.items()),
        "pieces": f"{count_lines(os.path.join(args.out, 'pieces', 'dict.txt')):,} symbols",
        "translation": f"round-trip BLEU {summary['round_trip_bleu']:.2f}",
        "score": "BLEU not measured: no aligned test text (--test)",
    }
    if summary["lexicon"]:
        figures["lexicon"] = "{pairs:,} words translated, {mutual:,} mutual pairs".format(**summary["lexicon"])
    if "table" in valid:
        figures["table"] = "loss {valid_loss}, accuracy {valid_accuracy}".format(**valid["table"])
    if summary["examples"]:
        figures["score"] = "BLEU " + ", ".join(f"{name} {score:.2f}" for name, score in summary["bleu"].items())
    row = "{:<12} {:>7}  {:<46} {}"
    print("\n" + row.format("stage", "minutes", "key figure", "in " + args.out))
    for stage in ["setup"] + stages:
        minutes = f"{summary['minutes'][stage]:.2f}"
        print(row.format(stage, minutes, figures.get(stage, ""), _ARTEFACTS.get(stage, "")).rstrip())
    print(row.format("total", f"{summary['minutes']['total']:.2f}", "init " + args.init, "summary.json"))
    if args.training:
        print(f"translation with {args.training}")


def show_scores(scores, directions, signature):
    """scores: {metric: {system: {direction: score}}}."""
    names = {
        "copying": "copying the source",
        "word_by_word": "word by word, the lexicon alone",
        "translation": "unsupervised translation",
    }
    columns = [(metric, direction) for metric in scores for direction in directions]
    row = "{:<34}" + " {:>12}" * len(columns)
    print("\n" + row.format("held-out test", *(f"{metric} {direction}" for metric, direction in columns)))
    for system, name in names.items():
        if system in scores["BLEU"]:
            cells = (f"{scores[metric][system][direction]:.2f}" for metric, direction in columns)
            print(row.format(name, *cells))
    print(f"sacreBLEU: {signature}")


def show_examples(examples):
    """examples: as `read_examples` makes them."""
    print("\nlines of the test in either language, and their translations:")
    for example in examples:
        print()
        for name, text in example.items():
            print(f"  {name:<6} {text}")


def read_scores(out, name):
    """{"BLEU": score, "chrF2": score, "signature": of both} from the score folder, {} where nothing was scored."""
    path = os.path.join(out, "score", name + ".json")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as stream:
        found = json.load(stream)
    scores = {score["name"]: float(score["score"]) for score in found}
    scores["signature"] = "; ".join(f"{score['name']}|{score['signature']}" for score in found)
    return scores


def read_lexicon(out):
    """How many words have a translation, and how many pairs are each other's best."""
    from crossinit_fairseq.lexicon import Lexicon

    lexicon = Lexicon.load(os.path.join(out, "lexicon", "lexicon.tsv"))
    return {"pairs": len(lexicon), "mutual": len(lexicon.mutual())}


def read_examples(out, first, second, directions):
    """A few lines of the test, evenly spread over it: [{language: line, direction: translation}]."""
    columns = {
        first: read_lines(os.path.join(out, "text", "test." + first)),
        second: read_lines(os.path.join(out, "text", "test." + second)),
    }
    columns.update((name, read_lines(os.path.join(out, "score", name + ".hyp"))) for name in directions)
    count = len(columns[first])
    chosen = sorted({(2 * k + 1) * count // (2 * _EXAMPLES) for k in range(_EXAMPLES)})
    return [{name: lines[at] for name, lines in columns.items()} for at in chosen]


def last_valid(out, stage):
    """The statistics of a stage's last validation."""
    found = None
    with open(os.path.join(out, "logs", stage + ".log"), encoding="utf-8", errors="replace") as stream:
        for line in stream:
            match = _JSON.search(line)
            if match and match.group(1) == "valid":
                found = json.loads(match.group(2))
    if found is None:
        sys.exit(f"summary.py: {out}/logs/{stage}.log holds no validation; remove {out}/stages/{stage}.* and run again")
    return found


def read_lines(path):
    # a line ends where sacreBLEU and fairseq say so, and at none of Unicode's other separators
    with open(path, encoding="utf-8", newline="\n") as stream:
        return [line.rstrip("\n") for line in stream]


def count_lines(path):
    with open(path, "rb") as stream:
        return sum(1 for _ in stream)


if __name__ == "__main__":
    main()
