"""Train one SentencePiece model on the words of rank tables, each as often as it was counted, and write the dictionary.

    python pieces.py --langs en,de,hi --ranks DIR --vocabulary 32000 --out DIR

The dictionary ends with the language tokens and <mask>, so that every later stage of fairseq can share it. Each
language has the same weight, whatever the size of its corpus.
"""

import io
import os
import sys

import sentencepiece

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.preparation.vocabulary import write_vocabulary
from crossinit_fairseq.ranks import RankTable

_TOTAL = 100_000_000  # occurrences of all words of a language, after scaling; rarer words than one in this count once


def main():
    parser = CommandParser(description=__doc__)
    parser.add_argument("--langs", required=True, help="such as en,de,hi")
    parser.add_argument("--ranks", required=True, metavar="DIR", help="holds LANG.tsv")
    parser.add_argument("--vocabulary", type=int, default=32000, help="size of the SentencePiece model")
    parser.add_argument("--out", required=True, metavar="DIR")
    args = parser.parse_args()
    languages = args.langs.split(",")
    os.makedirs(args.out, exist_ok=True)
    written = io.BytesIO()
    words = os.path.join(args.out, "words.tsv")
    try:
        with complete_file(words) as part, open(part, "w", encoding="utf-8") as stream:
            for language in languages:
                table = RankTable.load(os.path.join(args.ranks, language + ".tsv"))
                scale = _TOTAL / table.total
                for word, count in zip(table.words, table.counts):
                    stream.write(f"{word}\t{max(1, int(count * scale))}\n")
        sentencepiece.SentencePieceTrainer.train(
            input=words,
            input_format="tsv",
            model_writer=written,
            vocab_size=args.vocabulary,
            model_type="bpe",
            character_coverage=0.9999,
            minloglevel=1,
        )
    except (InputError, RuntimeError) as error:
        sys.exit(f"pieces.py: no SentencePiece model of {args.vocabulary} pieces: {error}")
    write_vocabulary(sentencepiece.SentencePieceProcessor(model_proto=written.getvalue()), languages, args.out)


if __name__ == "__main__":
    with one_sentence():
        main()
