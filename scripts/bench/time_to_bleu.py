"""How long examples/captions takes until it translates: core-minutes to 5, 10 and 15 BLEU on dev, and where they go.

    python scripts/bench/time_to_bleu.py --run OUT [--json FILE]               of runs that examples/captions has made
    python scripts/bench/time_to_bleu.py --out OUT [--text DIR] [--json FILE]  makes them first (an hour)

Of each start (random, lexicon, ...) the median over its seeds, from the beginning of its first stage (inducing the
lexicon, aligning the table) to the end of the first validation that reaches the BLEU: a run validates every 400
updates, so the BLEU was reached before. `clock` is by the clock. `core` is of one core: the updates and validations up
to there, each with the seconds of CPU that the profile finds, and never more than the clock says, since a run has one
thread.

The profile is of the best run: from its last checkpoint on some updates, one validation and one saving, by CPU time.
    reading     sentences from the disk, batches of them       forward    loss of denoising and of back-translation
    noise       what denoising has to undo                     backward   their gradients
    generation  back-translation's sources                     optimizer  clipping, Adam
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from checkout import ROOT
from time_to_bleu_parts.runs import median_minutes, read_run

from crossinit_fairseq.cli.command import at_least
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.errors import InputError, one_sentence

BLEU = (5, 10, 15)


def main():
    parser = CommandParser(description=__doc__)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--run", metavar="OUT", help="the --out of examples/captions/run.sh, with runs/INIT-SEED")
    place.add_argument("--out", metavar="OUT", help="run examples/captions there first, from random and lexicon")
    parser.add_argument("--text", metavar="DIR", help="with --out: its --text (default: Multi30k is downloaded)")
    parser.add_argument("--preset", default="default", help="with --out: its --preset (default: default)")
    parser.add_argument(
        "--updates", type=at_least(0), default=20, metavar="N", help="to profile; 0: none (default: 20)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    args = parser.parse_args()
    with one_sentence():
        if args.updates < 0:
            raise InputError(f"--updates is {args.updates}; it must be 0 or more")
        if args.out:
            make_runs(args)
        figures = measure(Path(args.run or args.out).resolve(), args.updates)
    report(figures)
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def make_runs(args):
    """Run the example."""
    command = ["bash", str(ROOT / "examples" / "captions" / "run.sh"), "--out", args.out, "--preset", args.preset]
    command += ["--inits", "random,lexicon", "--seeds", "1", "--jobs", "1"] + (
        ["--text", args.text] if args.text else []
    )
    if subprocess.run(command, env=dict(os.environ, OMP_NUM_THREADS="1")).returncode:
        raise InputError("examples/captions/run.sh failed, see above; the same command goes on where it ended")


def measure(out, updates):
    """The figures, as a dict. Raises InputError when no run of the folder can be read."""
    folders, runs, told = sorted((out / "runs").glob("*-*")), [], []
    for folder in folders:
        try:
            runs.append(read_run(folder))
        except InputError as error:
            told.append(str(error))
            print(f"left out: {error}", file=sys.stderr)
    if not runs:
        raise InputError(f"{out / 'runs'} has no run to measure" + (f": {told[0]}" if told else ""))
    directions = sorted(runs[0].points[0].bleu)
    profile = None
    if updates:
        from time_to_bleu_parts.profile import profile_run  # fairseq takes seconds to load, too long for --help

        best = max(runs, key=lambda run: sum(run.points[-1].bleu.values()))
        profile = profile_run(best.folder, out / "data", updates)
        profile.update(run=best.folder.name, share=shares(profile, best.points))
    figures = {"left_out": len(told), "profile": profile, "runs": []}
    for clock in ("core", "clock"):
        figures[clock + "_minutes"] = {
            init: by_bleu([run for run in runs if run.init == init], directions, profile if clock == "core" else None)
            for init in sorted({run.init for run in runs})
        }
    for run in runs:
        reached = {str(bleu): run.first(bleu, directions) for bleu in BLEU}
        updates_by = {bleu: None if at is None else run.points[at].updates for bleu, at in reached.items()}
        figures["runs"].append(
            {
                "init": run.init,
                "seed": run.seed,
                "updates": run.points[-1].updates,
                "updates_to_both": updates_by,
                "last_bleu": run.points[-1].bleu,
            }
        )
    return figures


def by_bleu(runs, directions, profile):
    """{direction or "both": {BLEU: minutes or None}}, medians over runs."""
    wanted = dict({direction: [direction] for direction in directions}, both=directions)
    return {
        name: {str(bleu): median_minutes([minutes_to(run, bleu, each, profile) for run in runs]) for bleu in BLEU}
        for name, each in wanted.items()
    }


def minutes_to(run, bleu, directions, profile):
    """Minutes of a run until a BLEU, by its profile if there is one; None if it never had it."""
    place = run.first(bleu, directions)
    if place is None:
        return None
    clock = run.points[place].minutes
    if profile is not None:
        an_update, a_validation = sum(profile["update"].values()), profile["validation"]
        seconds = run.points[place].updates * an_update + (place + 1) * a_validation + place * profile["saving"]
        clock = min(clock, seconds / 60)
    return run.before + clock


def shares(profile, points):
    """The share of each stage in the training of a run, which saves at every validation."""
    seconds = {stage: value * points[-1].updates for stage, value in profile["update"].items()}
    seconds.update({kind: profile[kind] * len(points) for kind in ("validation", "saving")})
    return {stage: value / sum(seconds.values()) for stage, value in seconds.items()}


def report(figures):
    """Print the figures."""
    print("| start | direction | " + " | ".join(f"{bleu} BLEU: core (clock), minutes" for bleu in BLEU) + " |")
    print("| --- | --- |" + " --- |" * len(BLEU))
    for init, by_direction in figures["core_minutes"].items():
        for name, minutes in by_direction.items():
            clock = figures["clock_minutes"][init][name]
            longest = max(run["updates"] for run in figures["runs"] if run["init"] == init)
            cells = [
                f"not in {longest:,} updates" if minutes[b] is None else f"{minutes[b]:.1f} ({clock[b]:.1f})"
                for b in minutes
            ]
            print(f"| {init} | {name} | " + " | ".join(cells) + " |")
    profile = figures["profile"]
    if profile is None:
        print("without a profile the core-minutes are those of the clock, which are too many on a busy machine")
        return
    an_update = sum(profile["update"].values())
    print(
        f"{profile['run']}: {an_update:.3f} s of CPU an update (mean of {profile['updates']}), "
        f"{profile['validation']:.1f} s a validation, {profile['saving']:.1f} s a saving; of its training:"
    )
    for stage, share in sorted(profile["share"].items(), key=lambda item: -item[1]):
        print(f"  {stage:12}{share:7.1%}")


if __name__ == "__main__":
    main()
