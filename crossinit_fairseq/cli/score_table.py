"""The table that crossinit-score prints: a row for each score of each direction, a column for each system."""

from typing import Any, Collection, Dict, Iterable, List, Optional

from crossinit_fairseq.cli.command import format_columns

Result = Dict[str, Any]  # what scoring.results makes and reads

_PUBLISHED = """\
\u2020 published figures of other systems, trained on far more text: no match for small runs. Each stands in the row
  nearest to its own scoring, as far as that is known (Table 7 of CrossInit's paper, which does not head its columns:
  the directions are those of the same figures in mBART's paper)."""


def format_results(results: List[Result]) -> str:
    """One table of results (of make_result) of any number of directions, published figures beside, and their notes."""
    names = _different(name for result in results for name in result["systems"])
    scoring = {row["name"]: row["scoring"] for result in results for row in result["published"]}
    lines = [["", ""] + names + ["\u2020" + name for name in scoring]]
    for result in results:
        lines += _block(result, names, scoring)
    parts = [format_columns(lines)] + [_below(result) for result in results]
    if scoring:
        parts.append("\n".join([_PUBLISHED] + [f"  {name}: {said}" for name, said in scoring.items()]))
    return "\n\n".join(parts)


def _block(result: Result, names: List[str], rows: Collection[str]) -> List[List[str]]:
    """The rows of one direction. names: of the systems; rows: names of the published ones."""
    block = []
    for key, title in result["metrics"].items():
        cells = [_cell(result["systems"].get(name, {}).get(key)) for name in names]
        published = {row["name"]: row["bleu"] for row in result["published"] if row["metric"] == key}
        block.append([title] + cells + [f"{published[row]:.1f}" if row in published else "" for row in rows])
    facts = [result["outputs"].get(name) for name in names]
    blank = [""] * len(rows)
    for key, title in (("empty", "empty lines"), ("unknown", "lines with <unk>")):
        if any(fact and fact[key] for fact in facts):
            block.append([title] + [f"{fact[key]:,}" if fact else "" for fact in facts] + blank)
    if result["reference_copied"]:
        for key in ("lines", "words"):
            title = f"copied {key} (reference {result['reference_copied'][key]:.1%})"
            block.append([title] + [f"{fact['copied'][key]:.1%}" if fact else "" for fact in facts] + blank)
    return [[result["pair"] if number == 0 else ""] + row for number, row in enumerate(block)]


def _cell(score: Optional[Dict[str, Any]]) -> str:
    if score is None:
        return ""
    text = f"{score['score']:.2f}"
    if "ci" in score:
        text += f" \u00b1 {score['ci']:.2f}"
    if "p_value" in score:
        text += f" (p {score['p_value']:.3f})"
    return text


def _below(result: Result) -> str:
    """What to know of one direction: how it was scored, with the signatures."""
    lines = [f"{result['pair']}: {result['sentences']:,} sentences of {result['reference']}"]
    bootstrap = result["bootstrap"]
    if bootstrap:
        versus = f", p of the difference from {bootstrap['baseline']}" if len(result["systems"]) > 1 else ""
        lines[0] += f"; \u00b1 half of the 95 % interval{versus}"
        lines[0] += f"; {bootstrap['samples']:,} bootstrap samples, seed {bootstrap['seed']}"
    first = next(iter(result["systems"].values()))
    for key, title in result["metrics"].items():
        said = first[key]["signature"] if key in first else "not computed: " + result["left_out"][key]
        lines.append(f"  {title}: {said}")
    lines += [f"  {name} {note}" for name, fact in result["outputs"].items() for note in fact["notes"]]
    return "\n".join(lines)


def _different(values: Iterable[str]) -> List[str]:
    return list(dict.fromkeys(values))
