"""Draw the losses of CrossInit with several spans until each is flat (the paper's Figure 4), and sum them up.

    python losses.py --out DIR --spans 1000,2000 --seed 1

Reads DIR/logs/span_N.log and DIR/stages/span_N.minutes; writes DIR/losses.png, DIR/losses.tsv and DIR/summary.json.
"""

import json
import os
import re
import sys

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.run_summary import write_summary

_STATS = re.compile(r"\| valid \| (\{.*\})")
_FLAT = "early stop since valid performance"


def main():
    parser = CommandParser(description=__doc__)
    parser.add_argument("--out", required=True, metavar="DIR")
    parser.add_argument("--spans", required=True, metavar="N,N,...")
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args()
    runs = {int(span): read_run(args.out, span) for span in args.spans.split(",")}
    with open(os.path.join(args.out, "losses.tsv"), "w", encoding="utf-8") as stream:
        stream.write("span\tupdates\tloss\tdirections\n")
        for span, run in runs.items():
            for point in zip(run["updates"], run["losses"], run["directions"]):
                stream.write("{}\t{}\t{}\t{}\n".format(span, *point))
    draw(runs, os.path.join(args.out, "losses.png"))
    summary = {"seed": args.seed, "spans": {}}
    print("\n  span  updates  minutes  loss at first  at the end  directions  flat")
    for span, run in runs.items():
        row = {
            "updates": run["updates"][-1],
            "minutes": run["minutes"],
            "first_loss": run["losses"][0],
            "last_loss": run["losses"][-1],
            "directions": run["directions"][-1],
            "flat": run["flat"],
        }
        summary["spans"][str(span)] = row
        row = dict(row, flat="yes" if run["flat"] else "no")
        print(
            "{:6}  {updates:7}  {minutes:7.1f}  {first_loss:13.4f}  {last_loss:10.4f}  {directions:10.2f}  "
            "{flat:>4}".format(span, **row)
        )
    write_summary(args.out, summary)
    print(f"\n{os.path.join(args.out, 'losses.png')}: the curves")


def read_run(folder, span):
    """The validations of a run, in order.

    A run that went on after an interruption repeats some, of which the last counts.
    """
    path = os.path.join(folder, "logs", f"span_{span}.log")
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    points = {}
    for found in _STATS.finditer(text):
        stats = json.loads(found.group(1))
        points[int(stats["valid_num_updates"])] = float(stats["valid_loss"]), float(stats["valid_directions"])
    if not points:
        sys.exit(f"losses.py: {path} has no validation: the run ended too early")
    updates = sorted(points)
    with open(os.path.join(folder, "stages", f"span_{span}.minutes"), encoding="utf-8") as stream:
        minutes = float(stream.read())
    return {
        "updates": updates,
        "losses": [points[update][0] for update in updates],
        "directions": [points[update][1] for update in updates],
        "minutes": minutes,
        "flat": _FLAT in text,
    }


def draw(runs, path):
    """One curve for each span."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), constrained_layout=True)
    for span, run in runs.items():
        label = f"span {span:,}{'' if run['flat'] else ' (not flat yet)'}"
        left.plot(run["updates"], run["losses"], label=label)
        right.plot(run["updates"], run["directions"])
    left.set(
        xlabel="updates", ylabel="validation loss (nats)", title="Loss of Eq. 1, on draws that are always the same"
    )
    right.set(xlabel="updates", ylabel="directions", yscale="log", title="1 / mean squared cosine of random words")
    left.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
