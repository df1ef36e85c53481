"""Dictionaries from aligned text, to judge tables by: python dictionary.py --langs en,fr --aligned PREFIX --out DIR

Line k of PREFIX.en translates line k of PREFIX.fr. Writes DIR/en-fr.txt and DIR/fr-en.txt in MUSE's format, a word and
one of its translations a line, by competitive linking (crossinit_fairseq/lexicon/dictionary_from_aligned.py).
"""

import os
import sys

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.dictionary_from_aligned import dictionary_from_aligned
from crossinit_fairseq.text_files import read_lines


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("--langs", required=True, help="such as en,fr")
    parser.add_argument("--aligned", required=True, metavar="PREFIX")
    parser.add_argument("--out", required=True, metavar="DIR")
    args = parser.parse_args(arguments)
    languages = tuple(args.langs.split(","))
    try:
        sides = [read_lines(f"{args.aligned}.{language}") for language in languages]
        for pair, translations in zip((languages, languages[::-1]), dictionary_from_aligned(*sides, languages)):
            with complete_file(os.path.join(args.out, "-".join(pair) + ".txt")) as part:
                with open(part, "w", encoding="utf-8", newline="\n") as stream:
                    stream.writelines(
                        f"{word} {other}\n" for word in translations for other in sorted(translations[word])
                    )
            print(f"{'-'.join(pair)}: {len(translations):,} words with translations")
    except InputError as error:
        sys.exit(f"dictionary.py: {error}")


if __name__ == "__main__":
    main()
