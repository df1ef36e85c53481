"""The figures of all seeds as Markdown: python results.py --out OUT --langs en,fr --seeds 1,2,3

Reads OUT/look-SEED/report.json, which crossinit-analyze wrote, and OUT/tables-SEED/updates.tsv. Prints three tables, a
mean and a standard deviation over the seeds in each cell, and writes all numbers to OUT/summary.json.
"""

import json
import os
import statistics
import sys
from collections import defaultdict

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file

CONTROLS = ("random table", "rank-only table")
METRICS = ("cosine", "CSLS")
VARIANTS = ("as it is", "without the mean vector", "without the first two directions")


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("--out", required=True, metavar="OUT")
    parser.add_argument("--langs", required=True, help="such as en,fr")
    parser.add_argument("--seeds", required=True, help="such as 1,2,3")
    args = parser.parse_args(arguments)
    languages, seeds = args.langs.split(","), args.seeds.split(",")
    directions = ["-".join(languages), "-".join(languages[::-1])]
    reports = [read_report(args.out, seed) for seed in seeds]
    figures = gather([figures_of(*report, languages) for report in reports])
    with complete_file(os.path.join(args.out, "summary.json")) as part:
        with open(part, "w", encoding="utf-8") as stream:
            json.dump({"languages": languages, "seeds": seeds, "tables": figures}, stream, indent=1)
            stream.write("\n")
    columns = [(f"{metric} {way}", f"P@1 {metric} {way}") for metric in METRICS for way in directions]
    columns += [(name, name) for name in ("evidence", "directions", "isotropy", "updates")]
    print(markdown(figures, columns))
    ways = [(f"{way}, {variant}", f"P@1 cosine {way} {variant}") for way in directions for variant in VARIANTS]
    print(markdown(figures, ways))
    bands = [
        (key[5:], key) for key in dict.fromkeys(key for own in figures.values() for key in own) if key[:5] == "band "
    ]
    print(markdown(figures, bands))
    others = dict.fromkeys(key for own in figures.values() for key in own if key[:6] == "other ")
    for key in others:
        print(f"{key[6:]}: " + "; ".join(f"{name} {cell(own.get(key))}" for name, own in figures.items() if key in own))


def read_report(out, seed):
    """(report, {table: updates}) of a seed."""
    path = os.path.join(out, f"look-{seed}", "report.json")
    try:
        with open(path, encoding="utf-8") as stream:
            report = json.load(stream)
        with open(os.path.join(out, f"tables-{seed}", "updates.tsv"), encoding="utf-8") as stream:
            updates = dict(line.rstrip("\n").split("\t") for line in stream)
    except (OSError, ValueError) as error:
        sys.exit(f"results.py: the report of seed {seed} cannot be read ({error}): run run.sh first")
    return report, {name: int(count) for name, count in updates.items()}


def figures_of(report, updates, languages):
    """{table: {figure: number}} of one seed. `evidence`: the share of the four P@1 that are above every control."""
    found = defaultdict(dict)
    ways = {f"{one} to {other}": f"{one}-{other}" for one, other in (languages, languages[::-1])}
    # the first table of a report names all of them in their order
    for section in report["sections"]:
        for part in section["parts"]:
            for row in part["rows"] if isinstance(part, dict) and "rows" in part else ():
                table = row.get("table", "").replace(" (control)", "")
                if "isotropy" in row:
                    found[table].update(directions=row["directions"], isotropy=row["isotropy"])
                elif part["table"].startswith("P@1 by rank") and row["metric"] == "cosine":
                    way = ways[section["title"][len("Words found from ") :]]
                    bands = {f"band {way} {band}": row[band] for band in row if band not in ("table", "metric")}
                    found[table].update({band: share for band, share in bands.items() if share is not None})
    for name in set(found) & set(updates):  # a table that only another began from is not looked at
        found[name]["updates"] = updates[name]
    verdicts, analogies = defaultdict(list), defaultdict(list)
    for claim in report["claims"]:
        what, table, findings = claim["what"], claim["table"], claim["findings"]
        metric, _, way = what[len("P@1 by ") :].partition(", ")
        held = not claim["verdict"].startswith("no evidence")
        if what.startswith("cos("):
            analogies[table].append((findings[0]["value"], held))
            continue
        if not what.startswith("P@1 by "):
            found[table][f"other {what}, figure"] = findings[0]["value"]
            found[table][f"other {what}, evidence"] = float(held)
            continue
        key = f"P@1 {metric} {ways[way]}"
        found[table][key] = findings[0]["value"]
        verdicts[table].append(held)
        for control in findings[0]["controls"]:
            if control["name"] in CONTROLS:
                found[control["name"]][key] = control["value"]
        for finding in findings:
            found[table][f"{key} {finding['variant']}"] = finding["value"]
    for table, held in verdicts.items():
        found[table]["evidence"] = sum(held) / len(held)
    for table, mixes in analogies.items():
        found[table]["other analogies in all mixes, mean cosine"] = statistics.mean(value for value, _ in mixes)
        found[table]["other analogies in all mixes, evidence"] = statistics.mean(float(held) for _, held in mixes)
    return found


def gather(seeds):
    """{table: {figure: its numbers, one a seed}}."""
    names = dict.fromkeys(name for one in seeds for name in one)
    gathered = {}
    for name in names:
        keys = dict.fromkeys(key for one in seeds for key in one.get(name, {}))
        gathered[name] = {key: [one[name][key] for one in seeds if key in one.get(name, {})] for key in keys}
    return gathered


def cell(values):
    """Mean and standard deviation: shares of 1 as percentages with one digit, numbers above 1 as they are."""
    if not values:
        return ""
    scale = 1 if max(values) > 1 else 100
    text = f"{scale * statistics.mean(values):.1f}"
    return text + (f" \u00b1 {scale * statistics.stdev(values):.1f}" if len(values) > 1 else "")


def markdown(figures, columns):
    """A Markdown table: a row for each table that has any of the figures. columns: (title, figure)."""
    rows = [["table"] + [title for title, _ in columns], ["---"] * (len(columns) + 1)]
    for name, own in figures.items():
        if any(key in own for _, key in columns):
            rows.append([name] + [cell(own.get(key)) for _, key in columns])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


if __name__ == "__main__":
    main()
