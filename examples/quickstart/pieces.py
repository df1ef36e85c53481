"""Train one SentencePiece model for both languages, write the one dictionary, and cut all text into pieces.

    python pieces.py --langs en,ro --text DIR --vocabulary 8000 --out DIR

The dictionary ends with the language tokens and <mask>: then no later stage of fairseq adds a symbol, and the embedding
table keeps its size and the order of its rows from the first stage to the last.
"""

import io
import os
import re
import sys

import sentencepiece

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.cores import usable_cores
from crossinit_fairseq.errors import one_sentence
from crossinit_fairseq.preparation.vocabulary import write_vocabulary

_VALID = 300  # monolingual sentences to validate on; at most a tenth of the text


def main():
    parser = CommandParser(description=__doc__)
    parser.add_argument("--langs", required=True, help="such as en,ro")
    parser.add_argument(
        "--text", required=True, metavar="DIR", help="holds mono.LANG and, maybe, dev.LANG and test.LANG"
    )
    parser.add_argument(
        "--vocabulary",
        type=int,
        default=8000,
        help="pieces of the model; fewer where the text has not as many (default: 8000)",
    )
    parser.add_argument("--longest", type=int, metavar="WORDS", help="leave longer lines out of the training text")
    parser.add_argument("--out", required=True, metavar="DIR")
    args = parser.parse_args()
    languages = args.langs.split(",")
    try:
        model = train(args, languages, args.vocabulary)
    except RuntimeError as error:
        possible = re.search(r"value <= (\d+)", str(error))
        if not possible:
            sys.exit(
                f"pieces.py: no SentencePiece model of {args.vocabulary} pieces from this text; use more text: {error}"
            )
        print(f"this text makes no more than {possible.group(1)} pieces, fewer than {args.vocabulary}")
        model = train(args, languages, int(possible.group(1)))
    write_vocabulary(model, languages, args.out)
    for language in languages:
        lines = encode(model, os.path.join(args.text, "mono." + language))
        if args.longest:
            short = [line for line in lines if line.count("\u2581") <= args.longest]
            longer = len(lines) - len(short)
            print(f"{language}: {longer:,} of {len(lines):,} lines have over {args.longest} words, left out")
            lines = short
        valid = min(_VALID, len(lines) // 10)
        write(args.out, "valid", language, lines[:valid])
        write(args.out, "train", language, lines[valid:])
        for name in ("dev", "test"):
            path = os.path.join(args.text, f"{name}.{language}")
            if os.path.exists(path):
                write(args.out, name, language, encode(model, path))


def train(args, languages, vocabulary):
    """A model of so many pieces. Raises RuntimeError where the text has not as many."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        input=[os.path.join(args.text, "mono." + language) for language in languages],
        model_writer=model,
        vocab_size=vocabulary,
        model_type="bpe",
        character_coverage=coverage(args, languages, vocabulary),
        num_threads=usable_cores(),
        minloglevel=1,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def coverage(args, languages, vocabulary):
    """The share of characters to keep: all, so that no letter is <unk>, unless they fill a quarter of the pieces."""
    characters = set()
    for language in languages:
        with open(os.path.join(args.text, "mono." + language), encoding="utf-8", newline="\n") as stream:
            characters.update(*stream)
    return 1.0 if len(characters) <= vocabulary // 4 else 0.9995


def encode(model, path):
    """The lines of a file as pieces between spaces."""
    with open(path, encoding="utf-8", newline="\n") as stream:
        return [" ".join(pieces) for pieces in model.encode([line.strip() for line in stream], out_type=str)]


def write(folder, name, language, lines):
    with complete_file(os.path.join(folder, f"{name}.{language}")) as part, open(part, "w", encoding="utf-8") as stream:
        stream.writelines(line + "\n" for line in lines)


if __name__ == "__main__":
    with one_sentence():
        main()
