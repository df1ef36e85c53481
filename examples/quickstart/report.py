"""Write OUT/report.html of a run of the quickstart: one page that needs no network.

    python report.py --out OUT --langs en,ro

Reads OUT/summary.json and what the stages wrote; OUT/report/ holds the pictures, report.md and report.json.
"""

import json
import os
import shutil

from crossinit_fairseq.analysis.pictures import bars, curves
from crossinit_fairseq.analysis.report import Picture, Report, Table
from crossinit_fairseq.analysis.study import Study
from crossinit_fairseq.analysis.training_logs import read_curve
from crossinit_fairseq.analysis.words import in_common, look_up
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.data.dictionary import read_symbols
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.export.checkpoint import Checkpoint
from crossinit_fairseq.lexicon.lexicon_file import Lexicon
from crossinit_fairseq.ranks import count_text

_NAMES = {
    "translation": "unsupervised translation",
    "word_by_word": "word by word, the lexicon alone",
    "copying": "copying the source",
}
_PAIRS = 30
_EXAMPLES = 12
_WORDS = 5000


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("--out", required=True, metavar="DIR", help="the folder of the run")
    parser.add_argument("--langs", required=True, metavar="A,B")
    args = parser.parse_args(arguments)
    with one_sentence():
        print(f"\n{write_report(args.out, args.langs.split(','))}: all of this as one page, with curves and pictures")


def write_report(out, languages):
    """Write OUT/report.html and OUT/report/; returns the path of the page."""
    with open(os.path.join(out, "summary.json"), encoding="utf-8") as stream:
        summary = json.load(stream)
    training = f", translation with {summary['training']}" if summary.get("training") else ""
    report = Report(f"Quickstart: {' and '.join(languages)}, init {summary['init']}, preset {summary['preset']}")
    report.about.append(
        f"Learnt from text of two languages that is not parallel, in {summary['minutes']['total']:.1f} minutes, seed "
        f"{summary['seed']}{training}. One seed is no comparison: with another one the order may change."
    )
    add_scores(report, summary)
    add_translations(report, out, languages)
    add_curves(report, out)
    if summary["init"] == "lexicon":
        add_pairs(report, out)
    add_tables(report, out, languages, summary["init"])
    folder = os.path.join(out, "report")
    report.write(folder)
    page = os.path.join(out, "report.html")
    with complete_file(page) as part:
        shutil.copyfile(os.path.join(folder, "report.html"), part)
    return page


def add_scores(report, summary):
    """BLEU and chrF2 beside copying the source and beside translating word by word."""
    section = report.section("Scores")
    if not summary["examples"]:
        section.parts.append("Not measured: there is no aligned test text (--test).")
        return
    directions = list(summary["bleu"])
    bleu = {name: summary["bleu" if name == "translation" else name] for name in _NAMES}
    systems = [name for name in _NAMES if bleu[name]]
    rows = []
    for name in systems:
        chrf = summary["chrf2"][name]
        rows.append([_NAMES[name]] + [score for each in directions for score in (bleu[name][each], chrf[each])])
    titles = ["system"] + [f"{metric} {each}" for each in directions for metric in ("BLEU", "chrF2")]
    section.parts.append(Table(f"Held-out test; sacreBLEU {summary['sacrebleu_signature']}", titles, rows))
    series = {_NAMES[name]: [bleu[name][each] for each in directions] for name in systems}
    alt = "BLEU in both directions: " + "; ".join(
        f"{name} {', '.join(f'{score:.2f}' for score in scores)}" for name, scores in series.items()
    )
    section.parts.append(Picture("scores", alt + ".", bars(directions, series, "BLEU", "")))


def add_translations(report, out, languages):
    """Translations beside their references, evenly spread over the test."""
    first, second = languages
    if not os.path.exists(os.path.join(out, "score", f"{first}-{second}.hyp")):
        return
    section = report.section("Translations beside references")
    for source, target in ((first, second), (second, first)):
        paths = {source: f"text/test.{source}", "translation": f"score/{source}-{target}.hyp"}
        if os.path.exists(os.path.join(out, f"score/{source}-{target}.word_by_word.hyp")):
            paths["word by word"] = f"score/{source}-{target}.word_by_word.hyp"
        paths[f"reference, {target}"] = f"text/test.{target}"
        columns = []
        for path in paths.values():
            with open(os.path.join(out, path), encoding="utf-8", newline="\n") as stream:
                columns.append([line.rstrip("\n") for line in stream])
        count = len(columns[0])
        chosen = sorted({(2 * k + 1) * count // (2 * _EXAMPLES) for k in range(_EXAMPLES)})
        rows = [[column[at] for column in columns] for at in chosen]
        section.parts.append(Table(f"{source} to {target}", list(paths), rows))


def add_curves(report, out):
    """The losses of each training, and BLEU on dev and of the round trip."""
    section = report.section("Curves")
    for stage, figures in (
        ("table", ("valid_coarse_loss", "valid_loss", "loss")),
        ("translation", ("loss",)),
        ("translation", ("valid_bleu",)),
        ("translation", ("valid_round_trip_bleu",)),
    ):
        try:
            curve = read_curve(stage, os.path.join(out, "logs", f"{stage}.log"), figures)
        except InputError:
            continue  # a random start trains no table; without dev text there is no BLEU
        label = {"valid_bleu": "BLEU on dev", "valid_round_trip_bleu": "round-trip BLEU"}.get(curve.figure, "loss")
        alt = f"{label} of the stage {stage} by updates: {curve.values[-1]:.3g} after {curve.updates[-1]:,}."
        section.parts.append(Picture(f"{stage}.{curve.figure}", alt, curves([curve], label, stage)))


def add_pairs(report, out):
    """The most frequent pairs of words that are each other's best."""
    lexicon = Lexicon.load(os.path.join(out, "lexicon", "lexicon.tsv"))
    pairs = sorted(lexicon.mutual(), key=lambda pair: -sum(pair.counts))
    section = report.section("Pairs of words found from the text alone")
    rows = [(pair.source, pair.target, pair.score, *pair.counts) for pair in pairs[:_PAIRS]]
    titles = (lexicon.source, lexicon.target, "score", f"in {lexicon.source}", f"in {lexicon.target}")
    section.parts.append(Table(f"The most frequent of {len(pairs):,} mutual pairs; higher is surer", titles, rows))


def add_tables(report, out, languages, init):
    """PCA and spread of the embedding table at the start of the translation and at its end."""
    import sentencepiece

    symbols = read_symbols(os.path.join(out, "data", "dict.txt"))
    model = sentencepiece.SentencePieceProcessor(model_file=os.path.join(out, "pieces", "spm.model"))
    ranks = {language: count_text(os.path.join(out, "text", f"mono.{language}"), language) for language in languages}
    stages = ["translation"] if init == "random" else ["table", "translation"]
    names = {"table": "before translation", "translation": "after translation"}
    found = []
    for stage in stages:
        table = Checkpoint(os.path.join(out, stage, "checkpoint_last.pt")).table(symbols)
        found.append(look_up(table, ranks, _WORDS, lambda word: model.encode(word, out_type=str)))
    study = Study([names[stage] for stage in stages], in_common(found))
    study.add_spread()
    study.add_shape()
    for section in study.report.sections:
        section.title = f"Embedding table: {section.title[0].lower()}{section.title[1:]}"
        report.sections.append(section)
    report.data["claims"] = [claim.as_dict() for claim in study.claims]


if __name__ == "__main__":
    main()
