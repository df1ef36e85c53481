"""crossinit-predict: what a fine-tuned checkpoint says of XNLI and MLQA in any language."""

import argparse
import os
import sys
from typing import Any, Callable, Dict, List, Optional, Tuple

from crossinit_fairseq.cli import command
from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.errors import InputError

_ABOUT = """\
Predict with a checkpoint that fairseq-train --task crossinit_xnli or crossinit_qa has fine-tuned on one language, in
every language whose token stands in dict.txt."""

_EXAMPLES = """\
examples:
  crossinit-predict data-bin --path checkpoints/xnli/checkpoint_best.pt --text en=xnli.test.tsv \\
    --text de=xnli.test.tsv --out predictions/seed1
  crossinit-predict data-bin --path checkpoints/qa/checkpoint_best.pt --text de=test-context-de-question-de.json \\
    --text de-en=test-context-de-question-en.json --out predictions/seed1

It writes OUT/LANG.txt, one label a line (XNLI), or OUT/LANG.json, {id of the question: answer} (MLQA, XQuAD, SQuAD),
as the official evaluators take them; crossinit-score --task xnli|mlqa scores them. de-en: paragraphs in German,
questions in English (G-XLT), as --context-lang de --question-lang en say too. Checkpoints are unpickled: open only
those of people you trust."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; returns the exit status: 0, or 1 after one sentence on stderr. Wrong usage exits with 2."""
    return command.run("crossinit-predict", lambda: _run(_parser().parse_args(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(prog="crossinit-predict", description=_ABOUT, epilog=_EXAMPLES)
    parser.add_argument("data", metavar="DATA", help="folder with dict.txt")
    parser.add_argument("--path", required=True, metavar="FILE", help="the checkpoint")
    parser.add_argument("--pieces", metavar="FILE", help="SentencePiece model (default: DATA/spm.model)")
    parser.add_argument(
        "--text", action="append", required=True, metavar="LANG=FILE", help="pairs or questions; for several languages"
    )
    parser.add_argument(
        "--context-lang",
        metavar="LANG",
        help="language of the paragraphs, with --question-lang: --text is then a single FILE, and "
        "`--context-lang de --question-lang en --text FILE` says the same as `--text de-en=FILE`",
    )
    parser.add_argument("--question-lang", metavar="LANG", help="language of the questions (G-XLT)")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to write to; made if it is not there")
    parser.add_argument(
        "--max-tokens", type=positive, default=8192, metavar="N", help="of a batch (default: %(default)s)"
    )
    return parser


def _run(options: argparse.Namespace) -> None:
    from crossinit_fairseq.finetuning.results import context_and_question

    files = _files(options)
    if os.path.exists(options.out) and not os.path.isdir(options.out):
        raise InputError(f"--out: {options.out} is a file: name a folder")
    # every file is read before the model, which takes longer
    for path in files.values():
        if not os.path.isfile(path):
            raise InputError(f"--text: there is no file {path}")
    task, model = load_fine_tuned(options.path, options.data, options.pieces)
    os.makedirs(options.out, exist_ok=True)
    for name, path in files.items():
        context, asked = context_and_question(name)
        written, count = _predict(
            task, model, path, context, asked, os.path.join(options.out, name), options.max_tokens
        )
        print(f"{written}: {count:,} predictions")


def _files(options: argparse.Namespace) -> Dict[str, str]:
    """{"de" or, of questions in another language, "de-en": path of the file}. Raises InputError."""
    from crossinit_fairseq.finetuning.language_files import language_file, unique
    from crossinit_fairseq.languages import check_code

    context, question = options.context_lang, options.question_lang
    if context is None and question is None:
        return unique([language_file(text, "--text") for text in options.text], "--text")
    if context is None or question is None:
        raise InputError("--context-lang and --question-lang go together: give both, or --text LANG=FILE alone")
    if len(options.text) > 1:
        raise InputError("--context-lang and --question-lang are of one file: give --text once")
    context, question = check_code(context), check_code(question)
    return {context if context == question else f"{context}-{question}": options.text[0]}


def _predict(
    task: Any, model: Any, path: str, language: str, asked: str, stem: str, max_tokens: int
) -> Tuple[str, int]:
    """Predict a file. Returns the path of the file written, and the number of predictions."""
    from crossinit_fairseq.finetuning.nli_files import read_pairs
    from crossinit_fairseq.finetuning.predictions import write_answers, write_labels
    from crossinit_fairseq.finetuning.qa_files import read_questions

    if task.name == "crossinit_xnli":
        if asked != language:
            raise InputError(f"{language}-{asked}: premise and hypothesis are of one language")
        labels = task.predict(model, _read(task, lambda: read_pairs(path, language)), language, max_tokens)
        write_labels(stem + ".txt", labels)
        return stem + ".txt", len(labels)
    questions = _read(task, lambda: read_questions(path, language, asked))
    answers: Dict[str, str] = task.predict(model, questions, language, asked, max_tokens)
    write_answers(stem + ".json", answers)
    return stem + ".json", len(answers)


def _read(task: Any, read: Callable[[], Any]) -> Any:
    """What `read` returns. Raises its InputError with what the checkpoint wants, of which the file may have nothing."""
    try:
        return read()
    except InputError as error:
        wants = "questions" if task.name == "crossinit_qa" else "premise and hypothesis"
        raise InputError(f"{error} (the checkpoint is of {task.name}, which reads {wants})") from None


def load_fine_tuned(path: str, data: str, pieces: Optional[str]) -> Tuple[Any, Any]:
    """The task and the model, in eval mode, of a fine-tuned checkpoint. Raises InputError for one of another task."""
    import crossinit_fairseq.tasks  # noqa: F401  (says what to do where there is no fairseq)
    from crossinit_fairseq.checkpoint_files import read_header
    from crossinit_fairseq.checkpoint_origin import options_of

    if not os.path.isfile(path):
        raise InputError(f"there is no checkpoint {path}")
    # before its task looks for text of its own
    name = options_of(read_header(path)).get("task", "")
    if name not in ("crossinit_xnli", "crossinit_qa"):
        trained = f", but trained by {name}" if name else ""
        raise InputError(
            f"{path} was not fine-tuned{trained}: give one that --task crossinit_xnli or crossinit_qa has written"
        )
    model, task = command.load_checkpoint(path, data=data, pieces=pieces)
    import torch

    return task, model.cuda() if torch.cuda.is_available() else model


if __name__ == "__main__":
    sys.exit(main())
