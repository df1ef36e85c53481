"""crossinit-prepare: from raw text to what fairseq-preprocess takes."""

import argparse
import os
import sys
from typing import Any, Dict, Optional, Sequence

from crossinit_fairseq.cli import command, prepare_options
from crossinit_fairseq.errors import InputError, printable


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command; returns the exit status: 0, or 1 after one sentence on stderr. Wrong usage exits with 2."""
    with command.ended_as_by_ctrl_c():
        return command.run("crossinit-prepare", lambda: _run(_parser().parse_args(arguments)))


def _parser() -> argparse.ArgumentParser:
    return prepare_options.build_parser(_FUNCTIONS)


def _run(options: argparse.Namespace) -> None:
    options.run(options)


def _download(options: argparse.Namespace) -> None:
    from crossinit_fairseq.cli.prepare_tables import format_sources
    from crossinit_fairseq.preparation.downloads.recipe_text import download, sources_table

    if options.list:
        options.usage.refuse(["--out", "--yes"], "with --list, which fetches nothing")
        print(format_sources(sources_table(options.recipe, options.size)))
        return
    try:
        download(options.recipe, options.size, options.out, (lambda: None) if options.yes else _agree)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped: run the same command again, it goes on where it stopped") from None


def _agree() -> None:
    """Ask whether to start. Raises InputError for no."""
    if not sys.stdin.isatty():
        raise InputError("nobody is there to ask whether to start: add --yes")
    if input("Start? [y/N] ").strip().lower() not in ("y", "yes"):
        raise InputError("not started")


def _local(options: argparse.Namespace) -> None:
    from crossinit_fairseq.preparation.local_text import lay_out

    for line in lay_out(options.folder, options.langs, options.test, options.dev, options.out):
        print(printable(line))


def _clean(options: argparse.Namespace) -> None:
    from crossinit_fairseq.preparation.cleaning import CleaningSettings, clean

    if not options.files + options.input:
        options.usage.error("give at least one FILE")
    counts = options.counts or os.path.splitext(options.output)[0] + ".json"
    report = clean(
        options.files + options.input,
        options.output,
        counts,
        CleaningSettings(
            language=options.lang,
            keep_out=options.keep_out,
            max_lines=options.max_lines,
            words=(options.min_words, options.max_words),
            max_chars=options.max_chars,
            max_word_chars=options.max_word_chars,
            language_filter=options.language_filter,
            seed=options.seed,
            workers=options.workers,
        ),
    )
    for remark in report["remarks"]:
        print(printable(remark), file=sys.stderr)
    print(f"{printable(options.output)}: {report['lines']:,} of {report['lines_read']:,} lines")


def _normalise(options: argparse.Namespace) -> None:
    from contextlib import ExitStack

    from crossinit_fairseq.complete_files import check_new_file, complete_file
    from crossinit_fairseq.preparation.normaliser import LineNormaliser, normalise_stream

    normaliser = LineNormaliser(options.lang)
    if options.output:
        check_new_file(options.output, [options.input])
    with ExitStack() as files:
        source = sys.stdin.buffer if options.input == "-" else files.enter_context(open(options.input, "rb"))
        target = sys.stdout.buffer
        if options.output:
            target = files.enter_context(open(files.enter_context(complete_file(options.output)), "wb"))
        normalise_stream(normaliser, source, target)


def _vocabulary(options: argparse.Namespace) -> None:
    from crossinit_fairseq.preparation.stage_files import load_model
    from crossinit_fairseq.preparation.vocabulary import VocabularySettings, train_vocabulary, write_vocabulary

    if not 0 <= options.alpha <= 1:
        options.usage.error(f"--alpha is not between 0 and 1: {options.alpha}")
    if not 0 < options.character_coverage <= 1:
        options.usage.error(f"--character-coverage is not between 0 and 1: {options.character_coverage}")
    if not options.model and not (options.text and options.size):
        options.usage.error("give --text and --size to train a model, or --model with a ready one")
    if options.model:
        training = "--text --size --alpha --sentences --model-type --character-coverage --seed".split()
        options.usage.refuse(training, "with --model, which is ready")
        model = load_model(options.model)
    else:
        settings: Dict[str, Any] = {
            name: getattr(options, name)
            for name in ("size", "alpha", "sentences", "model_type", "character_coverage", "seed")
        }
        model = train_vocabulary(options.langs, options.text, VocabularySettings(**settings))
    size = write_vocabulary(model, options.langs, options.out)
    print(f"{os.path.join(options.out, 'dict.txt')}: {size:,} symbols")


def _encode(options: argparse.Namespace) -> None:
    from crossinit_fairseq.preparation.encoding import encode

    written = encode(
        options.langs, options.model, options.text, options.out, options.valid, options.shards, options.workers
    )
    for language, (lines, held_out) in written.items():
        print(f"{language}: {lines:,} lines to train on, {held_out:,} held out")


def _report(options: argparse.Namespace) -> None:
    import json

    from crossinit_fairseq.cli.prepare_tables import format_report
    from crossinit_fairseq.complete_files import complete_file
    from crossinit_fairseq.preparation.report import make_report

    report = make_report(options.langs, options.clean, options.pieces)
    os.makedirs(options.out, exist_ok=True)
    text = format_report(report)
    for name, content in (("report.json", json.dumps(report, ensure_ascii=False, indent=1)), ("report.txt", text)):
        with complete_file(os.path.join(options.out, name)) as path, open(
            path, "w", encoding="utf-8", errors="backslashreplace"
        ) as stream:
            stream.write(content + "\n")
    print(text)


_FUNCTIONS = {
    "download": _download,
    "local": _local,
    "clean": _clean,
    "normalise": _normalise,
    "vocabulary": _vocabulary,
    "encode": _encode,
    "report": _report,
}


if __name__ == "__main__":
    sys.exit(main())
