"""crossinit-score: score translations, and predictions on XNLI and MLQA, so that they can be compared."""

import argparse
import logging
import sys
from typing import Any, Dict, Iterable, List, Optional

from crossinit_fairseq.cli import command
from crossinit_fairseq.cli.command import at_least
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import check_new_file, complete_file
from crossinit_fairseq.errors import InputError, printable

_ABOUT = """\
Score the output of fairseq-generate, or plain text of one sentence a line: sacreBLEU with its signatures, what papers
report beside it, whether systems differ, and how much is copied from the source."""

_EXAMPLES = """\
examples:
  fairseq-generate data-bin ... -s en -t ro --remove-bpe sentencepiece --required-batch-size-multiple 1 > out.txt
  crossinit-score --pair en-ro --reference test.ro out.txt
  crossinit-score --pair en-ro --reference test.ro --source test.en --json en-ro.json crossinit=out.txt random=out2.txt
  crossinit-score --table en-ro.json ro-en.json        both directions in one table
  crossinit-score --task xnli --reference en=xnli.test.tsv --reference de=xnli.test.tsv --train en=multinli.train.tsv \\
    random=out/r1,out/r2,out/r3 crossinit=out/c1,out/c2,out/c3

The reference is the original text, never the T- lines of fairseq-generate, which went through the dictionary. The
first system is the baseline of the paired bootstrap.

scores                    of
  bleu                    all: sacreBLEU's default (13a; zh, ja-mecab and ko-mecab for Chinese, Japanese and Korean;
                          single characters for Thai, Khmer, Lao, Burmese, Tibetan), or --tokenizer, such as flores200
  chrf                    all: chrF2
  bleu_ro_normalised      Romanian: 13a after \u015f, \u0163 (cedilla) are made \u0219, \u021b (comma below)
  bleu_ro_no_diacritics   Romanian: Moses punctuation, the same, no diacritics, Moses tokens; unsmoothed. Many papers
                          report this one: the same output of mBART scores 26.9 by 13a and 37 or more by this
  bleu_flores             Nepali, Hindi, Gujarati, Sinhala: normalised and tokenised by the Indic NLP library;
                          unsmoothed. FLoRes reports it for translation out of English
The last two need `pip install 'crossinit_fairseq[recipes]'`. Without it they are left out, and the table says so; where
--metrics asks for them, the command fails. What we do to the text before sacreBLEU sees it stands at the end of the
signature as `crossinit.norm`, `crossinit.tok` and `crossinit.LIBRARY`.

Copied lines are equal to their source; copied words stand in it too. The table shows the reference's shares beside.
Published figures of the paper's Table 7 stand in the row that is nearest to their scoring.

--task xnli|mlqa: a system is a folder, or one for each seed, of the LANG.txt or LANG.json that crossinit-predict or the
official baselines write. Accuracy; F1 and exact match by the rules of MLQA, or of SQuAD (XQuAD). Beside them the
baselines that need no model, the gap between English and the others, and the paper's Tables 3, 5 and 6.

Checked: that no sentence is missing, that the S- and T- lines are those of --source and --reference, and, where
py3langid is installed, that the files are in the right language."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; returns the exit status: 0, or 1 after one sentence on stderr. Wrong usage exits with 2."""
    # another library may have opened the log for everything; only warnings are for the user
    for name in ("sacrebleu", "py3langid"):
        logging.getLogger(name).setLevel(logging.WARNING)

    def work() -> None:
        parser = _parser()
        options = parser.parse_args(arguments)
        _check_usage(parser, options)
        _run(options)

    return command.run("crossinit-score", work)


def _parser() -> CommandParser:
    parser = CommandParser(prog="crossinit-score", description=_ABOUT, epilog=_EXAMPLES)
    parser.add_argument(
        "systems", nargs="*", metavar="[NAME=]FILE", help="translations; the name is the file's by default"
    )
    parser.add_argument("--pair", metavar="SRC-TGT", help="the direction, such as en-ro")
    parser.add_argument(
        "--reference",
        action="append",
        metavar="[LANG=]FILE",
        help="the original text in the target language; with --task: LANG=FILE of the labelled text, for each language",
    )
    parser.add_argument(
        "--task", choices=["translation", "xnli", "mlqa"], default="translation", help="(default: %(default)s)"
    )
    parser.add_argument("--train", metavar="LANG=FILE", help="xnli: the pairs trained on, for the baselines")
    parser.add_argument(
        "--rules", choices=["mlqa", "squad"], default="mlqa", help="mlqa: whose rules of scoring (default: %(default)s)"
    )
    parser.add_argument("--source", metavar="FILE", help="the text in the source language, to see what is copied")
    parser.add_argument("--metrics", metavar="KEY,...", help="only these scores (default: all of the target language)")
    parser.add_argument(
        "--tokenizer", metavar="NAME", help="of bleu: one of sacreBLEU's, such as flores200 (default: the language's)"
    )
    parser.add_argument(
        "--bootstrap", type=at_least(0), default=1000, metavar="N", help="samples, 0 for none (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=at_least(0), default=12345, metavar="N", help="of the bootstrap (default: %(default)s)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the scores to this file too")
    parser.add_argument(
        "--table", nargs="+", action="extend", metavar="JSON", help="only print one table of files that --json wrote"
    )
    return parser


def _check_usage(parser: CommandParser, options: argparse.Namespace) -> None:
    """Exit with 2 when that is not one thing, completely said."""
    if options.task != "translation":
        if not options.reference or options.pair or options.source or options.metrics or options.table:
            parser.error(f"--task {options.task} takes --reference LANG=FILE, systems, and no option of translations")
        if options.task != "xnli":
            parser.refuse(["--train"], f"with --task {options.task}")
        if options.task != "mlqa":
            parser.refuse(["--rules"], f"with --task {options.task}")
        parser.refuse(["--tokenizer", "--bootstrap", "--seed"], f"with --task {options.task}")
        return
    parser.refuse(["--train", "--rules"], "without --task xnli or mlqa")
    if len(options.reference or []) > 1:
        parser.error("several --reference go with --task xnli or mlqa")
    options.reference = options.reference[0] if options.reference else None
    if options.table:
        if (
            options.systems
            or options.pair
            or options.reference
            or options.source
            or options.metrics
            or options.json
            or options.tokenizer
        ):
            parser.error("--table takes files that --json wrote, and nothing else")
        parser.refuse(["--bootstrap", "--seed"], "with --table")
    elif not (options.systems and options.pair and options.reference):
        parser.error("give --pair SRC-TGT --reference FILE and at least one file of translations, or --table JSON ...")
    if not options.bootstrap:
        parser.refuse(["--seed"], "with --bootstrap 0")
    if options.metrics and "bleu" not in options.metrics.split(","):
        parser.refuse(["--tokenizer"], "without bleu among --metrics")


def _run(options: argparse.Namespace) -> None:
    if options.task != "translation":
        from crossinit_fairseq.cli import score_finetuned

        print(score_finetuned.format_result(score_finetuned.score(options)))
        return
    from crossinit_fairseq.cli.score_table import format_results

    text = format_results(_load(options.table) if options.table else [_score(options)])
    # names and notes come from files
    print("\n".join(map(printable, text.split("\n"))))


def _load(paths: List[str]) -> List[Dict[str, Any]]:
    from crossinit_fairseq.cli.score_table import format_results
    from crossinit_fairseq.scoring.results import load_result

    results = []
    for path in paths:
        results.append(load_result(path))
        try:
            format_results(results[-1:])
        except (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError) as error:
            raise InputError(
                f"{path} was damaged or edited ({error!r:.60}): write it again with crossinit-score --json"
            ) from None
    return results


def _score(options: argparse.Namespace) -> Dict[str, Any]:
    from crossinit_fairseq.languages import language_pair
    from crossinit_fairseq.scoring.comparison import compare
    from crossinit_fairseq.scoring.consistency import check_sentences, check_text_languages, likely_language
    from crossinit_fairseq.scoring.metrics import metrics_for, missing_mecab
    from crossinit_fairseq.scoring.outputs import read_output, undo_escapes
    from crossinit_fairseq.scoring.results import make_result, write_result
    from crossinit_fairseq.text_files import read_lines

    pair = language_pair(options.pair)
    metrics = metrics_for(pair[1], options.metrics.split(",") if options.metrics else None, options.tokenizer)
    if not options.tokenizer and missing_mecab(pair[1]):
        print(
            f"without MeCab, BLEU of {pair[1]} counts characters, not words: {missing_mecab(pair[1])}", file=sys.stderr
        )
    files = command.named_files(options.systems, "system")
    if options.json:
        inputs = [path for path in [options.reference, options.source] + list(files.values()) if path]
        check_new_file(options.json, inputs)

    reference = read_lines(options.reference)
    source = read_lines(options.source) if options.source else None
    if source and len(source) != len(reference):
        raise InputError(
            f"{options.source} has {len(source):,} lines, {options.reference} has {len(reference):,}: they must be the "
            "same sentences"
        )
    texts = (reference, options.reference, source, options.source)
    check_text_languages(pair, *texts)
    outputs = {name: read_output(path, len(reference), pair) for name, path in files.items()}
    for output in outputs.values():
        undo_escapes(output, reference)
        check_sentences(output, *texts)
        if likely_language(output.hypotheses, pair) == pair[0]:
            output.notes.append(f"reads as {pair[0]}, not as {pair[1]}")

    scores, left_out = compare(
        {name: output.hypotheses for name, output in outputs.items()},
        reference,
        metrics,
        samples=options.bootstrap,
        seed=options.seed,
        demand=bool(options.metrics),
        progress=_progress,
    )
    result = make_result(
        options.pair, metrics, outputs, scores, left_out, *texts, samples=options.bootstrap, seed=options.seed
    )
    if options.json:
        with complete_file(options.json) as part:
            write_result(result, part)
    return result


def _progress(metrics: Iterable[Any]) -> Iterable[Any]:
    try:
        from tqdm import tqdm
    except ImportError:  # fairseq brings it, sacreBLEU does not
        return metrics
    return tqdm(metrics, desc="scoring", unit="score", leave=False, disable=None)


if __name__ == "__main__":
    sys.exit(main())
