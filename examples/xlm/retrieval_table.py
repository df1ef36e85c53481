"""Print the retrieval figures of all runs: python retrieval_table.py OUT INITS SEEDS."""

import json
import os
import statistics
import sys

out, inits, seeds = sys.argv[1], sys.argv[2].split(","), sys.argv[3].split(",")
print("Retrieval, percent right: layer 0, best layer; mean over seeds (± standard deviation)")
for init in inits:
    runs = []
    for seed in seeds:
        with open(os.path.join(out, "runs", f"{init}-{seed}", "retrieval", "scores.json"), encoding="utf-8") as stream:
            runs.append(json.load(stream))
    for group in ("sentences", "words"):
        for pair in runs[0][group]:
            cells = []
            for pick in (lambda layers: layers[0], max):
                values = [pick(run[group][pair]) for run in runs]
                spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
                cells.append(f"{statistics.mean(values):.1f}{spread}")
            print(f"{init:12}{group:12}{pair:8}" + "  ".join(f"{cell:14}" for cell in cells))
print()
