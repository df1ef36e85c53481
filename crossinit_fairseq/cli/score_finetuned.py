"""crossinit-score --task xnli|mlqa: scores of fine-tuned systems, and their table."""

import argparse
from typing import Any, Dict, List, Optional

from crossinit_fairseq.cli.command import format_columns
from crossinit_fairseq.command_line import between_commas
from crossinit_fairseq.complete_files import check_new_file, write_json
from crossinit_fairseq.errors import InputError

Result = Dict[str, Any]  # what finetuning.results makes


def score(options: argparse.Namespace) -> Result:
    """Score what the options name, and write --json. Raises InputError."""
    from crossinit_fairseq.finetuning.language_files import language_file, unique
    from crossinit_fairseq.finetuning.nli_files import read_pairs
    from crossinit_fairseq.finetuning.results import mlqa_result, xnli_result

    references = unique([language_file(text, "--reference") for text in options.reference], "--reference")
    systems = _systems(options.systems)
    if options.json:
        check_new_file(options.json, list(references.values()))
    if options.task == "xnli":
        train = None
        if options.train:
            language, path = language_file(options.train, "--train")
            train = read_pairs(path, language, by_id=False)
        result = xnli_result(systems, references, train)
    else:
        result = mlqa_result(systems, references, options.rules)
    if options.json:
        write_json(options.json, result)
    return result


def _systems(texts: List[str]) -> Dict[str, List[str]]:
    """{name: folders} of NAME=DIR,DIR and DIR."""
    systems: Dict[str, List[str]] = {}
    for text in texts:
        name, equals, folders = text.partition("=")
        if not equals:
            name = folders = text
        found = between_commas(folders, text)
        if not name or not found or name in systems:
            raise InputError(f"{text!r}: give each system its own NAME=DIR, or NAME=DIR,DIR of several seeds")
        systems[name] = found
    return systems


def format_result(result: Result) -> str:
    """The table of a task: a row for each system and metric, a column for each language, with what to know below."""
    from crossinit_fairseq.finetuning.results import METRICS

    names = list(result["references"])
    metrics = METRICS[result["task"]]
    lines = [["", ""] + names + ["average", "en - others"]]
    for group in ("baselines", "systems"):
        for system, scores in result[group].items():
            for number, (metric, title) in enumerate(metrics.items()):
                own = scores[metric]
                cells = [_cell(own["languages"][name]) for name in names] + [_cell(own["average"]), _cell(own["gap"])]
                lines.append([system if number == 0 else "", title] + cells)
    for row in result["published"]:
        for number, (metric, title) in enumerate(metrics.items()):
            cells = [_number(row["scores"][metric].get(name)) for name in names]
            lines.append(
                ["\u2020" + row["name"] if number == 0 else "", title]
                + cells
                + [_number(row["average"].get(metric)), ""]
            )
    parts = [format_columns(lines), _below(result)]
    return "\n\n".join(part for part in parts if part)


def _cell(statistics: Optional[Dict[str, Any]]) -> str:
    if statistics is None:
        return ""
    text = f"{statistics['mean']:.2f}"
    return text if statistics["deviation"] is None else f"{text} \u00b1 {statistics['deviation']:.2f}"


def _number(value: Optional[float]) -> str:
    return "" if value is None else f"{value:.2f}"


def _below(result: Result) -> str:
    lines = [f"{name}: {result['sizes'][name]:,} of {path}" for name, path in result["references"].items()]
    seeds = {name: len(folders) for name, folders in result["folders"].items()}
    if any(count > 1 for count in seeds.values()):
        many = ", ".join(f"{name} {count}" for name, count in seeds.items())
        lines.append(f"\u00b1 standard deviation over seeds ({many})")
    if result["task"] == "mlqa":
        lines.append(f"rules: {result['rules']}")
        lines += [
            f"{name}: {count:,} questions without an answer, which count 0"
            for name, count in result["unanswered"].items()
        ]
    if result["published"]:
        lines.append(
            "\u2020 published figures (CrossInit's paper) of models trained on far more text: no match for small runs"
        )
    return "\n".join(lines)
