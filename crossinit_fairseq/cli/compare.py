"""crossinit-compare: one recipe from several starts and seeds, and what can be concluded."""

import argparse
import os
import statistics
import sys
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Sequence, Set

from crossinit_fairseq.cli import command
from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.cli.compare_recipes import CURVES, RECIPES, VECTORS, Recipe, last_update_of, name_of
from crossinit_fairseq.cli.compare_runs import Runner, gpus_here, name_of_run, run_all
from crossinit_fairseq.cli.compare_scores import ABOUT_POINTS, read_scores
from crossinit_fairseq.command_line import CommandParser, between_commas
from crossinit_fairseq.cores import usable_cores
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.run_summary import minutes_so_far
from crossinit_fairseq.text_files import whole_number

if TYPE_CHECKING:  # --help need not wait for numpy
    from crossinit_fairseq.analysis.comparison import Difference, Scored
    from crossinit_fairseq.analysis.report import Cell, Report, Table
    from crossinit_fairseq.analysis.training_logs import Curve

_ABOUT = """\
Does the start help? The same recipe, with the same number of updates, from several starts and several seeds; at the end
one table with means and deviations, a paired bootstrap over the sentences of the test, a test over the seeds, the
learning curves on one picture, and in words what can be concluded."""

_EXAMPLES = """\
examples:
  crossinit-compare cipher --inits random,crossinit,rank,oracle --seeds 1,2,3 --out compared
  crossinit-compare captions --inits random,crossinit,lexicon --seeds 1,2,3,4,5,6 --out compared -- --langs en,de
  crossinit-compare quickstart --inits crossinit,lexicon --seeds 1,2,3 --out compared -- --preset smoke
  crossinit-compare xlm --inits random,crossinit,lexicon,mine.vec --seeds 1,2,3 --out compared -- --text DIR

What stands after -- goes to the recipe. The first start is the one that the others are compared with. A start may be a
file of embeddings, as wide as the model: FILE.vec of any program, as word2vec text, or FILE.safetensors, a table of
crossinit-export. The same command again goes on where it ended. DIR/runs/INIT-SEED holds the runs,
DIR/compared/report.html the result, for people, report.md and report.json the same."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; returns the exit status: 0, or 1 after one sentence on stderr. Wrong usage exits with 2."""
    arguments = sys.argv[1:] if arguments is None else arguments
    at = arguments.index("--") if "--" in arguments else len(arguments)
    # else the recipe that it started would go on by itself
    with command.ended_as_by_ctrl_c():
        return command.run("crossinit-compare", lambda: _compare(_parse(arguments[:at]), arguments[at + 1 :]))


def _parse(arguments: List[str]) -> argparse.Namespace:
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}; options of the recipe come last, after --")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(prog="crossinit-compare", description=_ABOUT, epilog=_EXAMPLES)
    parser.add_argument("recipe", metavar="RECIPE", choices=sorted(RECIPES), help=f"of {', '.join(sorted(RECIPES))}")
    parser.add_argument("--inits", required=True, metavar="LIST", help="starts, such as random,crossinit,lexicon")
    parser.add_argument("--seeds", default="1,2,3", metavar="LIST", help="numbers (default: 1,2,3)")
    parser.add_argument("--jobs", type=positive, metavar="N", help="runs side by side (default: one a GPU or core)")
    parser.add_argument("--out", required=True, metavar="DIR", help="where everything goes")
    return parser


def _compare(options: argparse.Namespace, further: Sequence[str]) -> None:
    recipe = RECIPES[options.recipe]
    inits, seeds = _list(options.inits, "--inits"), [_seed(text) for text in _list(options.seeds, "--seeds")]
    if len(inits) < 2:
        raise InputError("--inits: give two starts at least, to compare them")
    for init in inits:
        recipe.check_init(init)
    names = [name_of(init) for init in inits]
    if len(set(names)) < len(names):
        raise InputError(f"--inits: two starts are called {next(name for name in names if names.count(name) > 1)}")
    recipe.check_options(further)
    script = recipe.script
    for init in inits:
        if init.endswith(VECTORS):
            command.read_table(init)  # before the hours of other starts
    out = os.path.abspath(options.out)
    if os.path.exists(out) and not os.path.isdir(out):
        raise InputError(f"--out: {options.out} is a file: name a folder")
    os.makedirs(os.path.join(out, "logs"), exist_ok=True)
    runs = [(name, seed) for seed in seeds for name in names]
    gpus = gpus_here()
    jobs = options.jobs or len(gpus) or usable_cores()
    call = ["bash", str(script), *further]
    runner = Runner(out, runs, gpus, recipe.end)
    try:
        run_all(recipe, runner, call, inits, seeds, jobs)
    except KeyboardInterrupt:
        runner.stop()
        raise KeyboardInterrupt("interrupted; finished runs are kept, the same command goes on") from None
    except BaseException:
        runner.stop()
        raise
    runner.end()
    report = summarise(recipe, out, names, seeds)
    report.write(os.path.join(out, "compared"))
    print(os.path.join(options.out, "compared", "report.html"))


class _FinishedRuns(NamedTuple):
    """What runs have left.

    scores: {init: {seed: {direction: Scored}}}; rows: of the table of runs; curves: of training, where it was logged;
    groups: {name of a curve: init}; updates: of training, each number once (None: unknown).
    """

    scores: Dict[str, Dict[int, Dict[str, "Scored"]]]
    rows: List[Sequence["Cell"]]
    curves: List["Curve"]
    groups: Dict[str, str]
    updates: Set[Optional[int]]


def _read_runs(recipe: Recipe, out: str, inits: Sequence[str], seeds: Sequence[int]) -> _FinishedRuns:
    """Raises InputError where a run is not finished."""
    from crossinit_fairseq.analysis.training_logs import read_curve

    runs = _FinishedRuns({}, [], [], {}, set())
    for init in inits:
        for seed in seeds:
            name = name_of_run((init, seed))
            folder = os.path.join(out, "runs", name)
            scored = read_scores(recipe, folder, out, name)
            runs.scores.setdefault(init, {})[seed] = scored
            log = os.path.join(folder, "logs", recipe.training + ".log")
            count = last_update_of(log)
            runs.updates.add(count)
            runs.rows.append((init, seed, *(one.score for one in scored.values()), count, minutes_so_far(folder)))
            try:
                runs.curves.append(read_curve(name, log, tuple(CURVES)))
                runs.groups[name] = init
            except InputError:
                pass  # a recipe that logs nothing has no curve
    return runs


def summarise(recipe: Recipe, out: str, inits: Sequence[str], seeds: Sequence[int]) -> "Report":
    """The report of finished runs; its tables are printed too. Raises InputError where one is not finished."""
    from crossinit_fairseq.analysis.comparison import compare_starts
    from crossinit_fairseq.analysis.pictures import curves
    from crossinit_fairseq.analysis.report import Cell, Picture, Report, Table
    from crossinit_fairseq.cli.command import format_columns

    runs = _read_runs(recipe, out, inits, seeds)
    scores = runs.scores
    directions = list(scores[inits[0]][seeds[0]])
    differences = compare_starts(scores, inits[0])
    report = Report(f"{recipe.name}: {', '.join(inits)}")
    words = [one.in_words() for one in differences]
    report.about.append("What can be concluded:")
    report.about += words
    if len(runs.updates) > 1:
        report.about.append("Not all runs had equally many updates of their training: see the table of runs.")
    first = scores[inits[0]][seeds[0]]
    signature = next(iter(first.values())).signature
    report.about.append(f"BLEU, sacreBLEU {signature}." if signature else ABOUT_POINTS)

    section = report.section("Starts")
    means: List[Sequence[Cell]] = []
    for init in inits:
        row: List[Cell] = [init, len(seeds)]
        for direction in directions:
            own = [run[direction].score for run in scores[init].values()]
            row += [statistics.mean(own), statistics.stdev(own) if len(own) > 1 else None]
        means.append(row)
    columns = [f"{first[direction].metric} {direction}" for direction in directions]
    titles = ["start", "seeds"]
    for direction, column in zip(directions, columns):
        titles += [column, f"deviation {direction}"]
    points = dict.fromkeys(titles[2:], 2)
    section.parts.append(Table("Mean and sample standard deviation over the seeds", titles, means, points))
    section.parts.append(_difference_table(differences))
    for figure in dict.fromkeys(one.figure for one in runs.curves):
        own_curves = [one for one in runs.curves if one.figure == figure]
        alt = f"{CURVES[figure]} by updates, a line for each seed of {', '.join(inits)}."
        section.parts.append(Picture(f"curves.{figure}", alt, curves(own_curves, CURVES[figure], "", runs.groups)))
    titles = ["start", "seed", *columns, "updates", "minutes"]
    report.section("Runs").parts.append(Table("", titles, runs.rows, {**dict.fromkeys(columns, 2), "minutes": 1}))
    for table in (part for part in section.parts if isinstance(part, Table)):
        print("\n" + format_columns([list(table.titles)] + table.shown()))
    print("\n" + "\n".join(words))
    return report


def _difference_table(differences: Sequence["Difference"]) -> "Table":
    from crossinit_fairseq.analysis.report import Cell, Table

    rows: List[Sequence[Cell]] = []
    for one in differences:
        test = one.seed_test
        sentences = f"{one.bootstrap.low:+.2f} to {one.bootstrap.high:+.2f}"
        seeds = f"{test.low:+.2f} to {test.high:+.2f}" if test else None
        row: List[Cell] = [f"{one.system} - {one.baseline}", one.direction, one.mean]
        rows.append(row + [sentences, one.bootstrap.p_value, seeds, test.p_value if test else None])
    unit = differences[0].unit if differences else "BLEU"
    test_name, items = ("direction", "sentences") if unit == "BLEU" else ("test", "items")
    titles = ("difference", test_name, unit, f"95 % over {items}", "p", "95 % over seeds (t)", "p (exact)")
    return Table(f"Paired bootstrap over the test's {items}; exchange of signs over the seeds", titles, rows, {unit: 2})


def _list(text: str, option: str) -> List[str]:
    entries = between_commas(text, option)
    if not entries or len(set(entries)) < len(entries):
        raise InputError(f"{option}: {text!r} is no list of different entries between commas")
    return entries


def _seed(text: str) -> int:
    seed = whole_number(text)
    if seed is None:
        raise InputError(f"--seeds takes numbers and commas, not {text}")
    return seed


if __name__ == "__main__":
    sys.exit(main())
