"""Make the second language share no string with the first, and undo it in a lexicon.

    python cipher.py text --lang fr --cipher CIPHER.tsv < mono.fr > enciphered.fr
    python cipher.py lexicon --langs en,fr --cipher CIPHER.tsv IN.tsv OUT.tsv

Every word, numbers and names too, is replaced by a made-up one of Greek letters, always the same one and the same for
every run; CIPHER.tsv says which. So nothing is spelt alike, and a lexicon can come from context, ranks and given pairs
alone. The lexicon's second column is then turned back, so that it can be judged and can translate like any other.
"""

import random
import sys

import regex

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.lexicon_file import Lexicon, read_word_pairs
from crossinit_fairseq.ranks.text.counting import text_words

_CONSONANTS, _VOWELS = "βγδζθκλμνξπρστφχψ", "αεηιουω"


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    text = commands.add_parser("text", help="encipher standard input")
    text.add_argument("--lang", required=True, help="the language of the text")
    lexicon = commands.add_parser("lexicon", help="turn the second column of a lexicon back")
    lexicon.add_argument("--langs", required=True, help="such as en,fr")
    lexicon.add_argument("input", metavar="IN.tsv")
    lexicon.add_argument("output", metavar="OUT.tsv")
    for command in (text, lexicon):
        command.add_argument("--cipher", required=True, metavar="CIPHER.tsv")
    args = parser.parse_args(arguments)
    try:
        if args.command == "text":
            encipher_text(args.lang, args.cipher)
        else:
            plain = {secret: word for word, secret in read_word_pairs(args.cipher)}
            read = Lexicon.load(args.input, tuple(args.langs.split(",")))
            decipher(read, plain).save(args.output)
    except InputError as error:
        sys.exit(f"cipher.py: {error}")


def encipher_text(language, path):
    """Standard input to standard output; write the cipher to `path`."""
    words = text_words(language, True)
    pattern = regex.compile(words.pattern)
    lines = [words.lower(words.normalise(line)) for line in sys.stdin]
    known = sorted({word for line in lines for word in pattern.findall(line)})
    cipher = dict(zip(known, made_up_words(random.Random(1), len(known))))
    for line in lines:
        sys.stdout.write(pattern.sub(lambda found: cipher[found.group()], line))
    with complete_file(path) as part, open(part, "w", encoding="utf-8") as stream:
        stream.writelines(f"{word}\t{secret}\n" for word, secret in cipher.items())


def made_up_words(rng, count):
    """`count` different words of two to four syllables."""
    made = {}
    while len(made) < count:
        syllables = rng.choice((2, 3, 3, 4))
        made["".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(syllables))] = None
    return list(made)


def decipher(lexicon, plain):
    """The lexicon with plain[word] for every word of its second language. Raises InputError when `plain` lacks one."""
    for pair in lexicon.pairs:
        if pair.target not in plain:
            raise InputError(f"the lexicon's word {pair.target!r} is not in the cipher: were they made together?")
    pairs = [pair._replace(target=plain[pair.target]) for pair in lexicon.pairs]
    return Lexicon(lexicon.source, lexicon.target, pairs, lexicon.settings)


if __name__ == "__main__":
    main()
