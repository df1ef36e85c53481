"""The tables of crossinit-prepare: the report on prepared text, and the sources of a download."""

from typing import Any, Dict, List

from crossinit_fairseq.cli.command import format_columns
from crossinit_fairseq.preparation.line_filter import REASONS


def format_report(report: Dict[str, Any]) -> str:
    """The tables of report.txt, of what preparation.report.make_report returns."""
    languages = report["languages"]
    cleaning = [languages[name]["cleaning"] for name in languages]
    pieces = [languages[name]["sub_tokens"] for name in languages]
    rows = [[""] + list(languages)]
    for title, key in (("lines read", "lines_read"), ("words read", "words_read")):
        rows.append([title] + [f"{counts[key]:,}" for counts in cleaning])
    for reason in REASONS:
        dropped = [counts["dropped"].get(reason, 0) for counts in cleaning]
        if any(dropped):
            rows.append(["dropped: " + reason] + [f"{number:,}" for number in dropped])
    unescaped = [counts.get("unescaped", 0) for counts in cleaning]
    if any(unescaped):
        rows.append(["with entities, unescaped"] + [f"{number:,}" for number in unescaped])
    for title, key in (("lines kept", "lines"), ("words kept", "words")):
        rows.append([title] + [f"{counts[key]:,}" for counts in cleaning])
    for title, key, shape in (
        ("sub-tokens", "sub_tokens", "{:,}"),
        ("sub-tokens per word", "sub_tokens_per_word", "{:.2f}"),
        ("characters per sub-token", "characters_per_sub_token", "{:.2f}"),
        ("unknown sub-tokens", "unknown_share", "{:.3%}"),
        ("different sub-tokens", "used", "{:,}"),
        (f"of these for {report['coverage']:.0%} of the text", "common", "{:,}"),
    ):
        rows.append([title] + [shape.format(counts[key]) for counts in pieces])
    tables = [format_columns(rows)]
    if report["shared"]:
        rows = [["shared", "sub-tokens", "of the text of the first", "of the second"]]
        for pair in report["shared"]:
            shares = [f"{pair['text'][name]:.1%}" for name in pair["pair"]]
            rows.append(["-".join(pair["pair"]), f"{pair['common']:,}"] + shares)
        tables.append(format_columns(rows))
    tables.append(
        f"{report['vocabulary']:,} sub-tokens in the vocabulary. Shared: among those that make up "
        f"{report['coverage']:.0%} of each language's text.\nExamples of dropped lines: report.json"
    )
    return "\n\n".join(tables)


def format_sources(rows: List[List[str]]) -> str:
    """The table of --list, with what it does not say."""
    return (
        format_columns(rows)
        + "\n\nThe exact sizes are asked of the servers first, and nothing is downloaded that does not fit."
        "\nWhat no publisher's checksum covers is pinned by its first download, in sources.json."
    )
