"""Print what the runs scored, and write OUT/summary.json."""

import json
import os
import statistics

from crossinit_fairseq.cli.command import format_columns
from crossinit_fairseq.cli.score_finetuned import format_result
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.finetuning.nli_files import read_pairs
from crossinit_fairseq.finetuning.results import mlqa_result, xnli_result
from crossinit_fairseq.run_summary import stage_minutes, write_summary

_STAGES = ("table", "mlm", "retrieval", "xnli", "qa")


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    for option in ("--out", "--langs", "--inits", "--seeds", "--tasks", "--preset", "--rules"):
        parser.add_argument(option, required=True)
    args = parser.parse_args(arguments)
    languages, tasks = args.langs.split(","), args.tasks.split(",")
    runs = {
        init: [os.path.join(args.out, "runs", f"{init}-{seed}") for seed in args.seeds.split(",")]
        for init in args.inits.split(",")
    }
    minutes = {
        os.path.basename(folder): stage_minutes(folder, _STAGES) for folders in runs.values() for folder in folders
    }
    summary = {"preset": args.preset, "languages": languages, "seeds": args.seeds.split(","), "minutes": minutes}
    if "retrieval" in tasks:
        summary["retrieval"] = retrieval(runs)
        print("\nIs the nearest one the translation? Percent, by the token table and by the best layer of a run\n")
        print(format_columns(retrieval_rows(summary["retrieval"])))
    if "xnli" in tasks:
        train = read_pairs(os.path.join(args.out, "text", "nli.train.en.tsv"), "en", by_id=False)
        summary["xnli"] = xnli_result(systems(runs, "xnli"), tests(args.out, languages, "nli", "tsv"), train)
        print("\nXNLI, fine-tuned on English\n")
        print(format_result(summary["xnli"]))
    if "qa" in tasks:
        summary["qa"] = mlqa_result(systems(runs, "qa"), tests(args.out, languages, "qa", "json"), args.rules)
        print("\nQuestion answering, fine-tuned on English\n")
        print(format_result(summary["qa"]))
    write_summary(args.out, summary)
    for init, folders in runs.items():
        total = statistics.mean(minutes[os.path.basename(folder)]["total"] for folder in folders)
        print(f"{init}: {total:.1f} minutes a run")


def systems(runs, task):
    """{init: folders of predictions, one for each seed}."""
    return {init: [os.path.join(folder, task, "test") for folder in folders] for init, folders in runs.items()}


def tests(out, languages, name, ending):
    """{language: file}; of question answering, some of the languages may have none."""
    paths = {language: os.path.join(out, "text", f"{name}.test.{language}.{ending}") for language in languages}
    return {language: path for language, path in paths.items() if name != "qa" or os.path.exists(path)}


def retrieval(runs):
    """{init: {"sentences" or "words": {pair: {"table" or "best layer": [percent of each seed]}}}}.

    The best layer is the same for all of a run: that of the highest mean over all pairs, of sentences and words alike.
    """
    found = {}
    for init, folders in runs.items():
        found[init] = {"sentences": {}, "words": {}}
        for folder in folders:
            with open(os.path.join(folder, "retrieval", "scores.json"), encoding="utf-8") as stream:
                scores = json.load(stream)
            layers = [layers for group in found[init] for layers in scores[group].values()]
            # the first value is the table's
            best = max(range(1, len(layers[0])), key=lambda layer: sum(values[layer] for values in layers))
            for group, pairs in found[init].items():
                for pair, values in scores[group].items():
                    own = pairs.setdefault(pair, {"table": [], "best layer": []})
                    own["table"].append(values[0])
                    own["best layer"].append(values[best])
    return found


def retrieval_rows(found):
    """A row for each init, two columns for each pair of languages."""
    first = next(iter(found.values()))
    names = [(group, pair, layer) for group in first for pair in first[group] for layer in ("table", "best layer")]
    rows = [[""] + [group for group, _, _ in names], [""] + [pair for _, pair, _ in names]]
    rows.append([""] + [layer for _, _, layer in names])
    for init, scores in found.items():
        rows.append([init] + [cell(scores[group][pair][layer]) for group, pair, layer in names])
    return rows


def cell(values):
    """Mean and sample standard deviation; one run has none."""
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}"


if __name__ == "__main__":
    main()
