"""Train one SentencePiece model for all languages and write the one dictionary of every later stage.

    python vocabulary.py --langs en,ro --text clean --size 8000 --out pieces

Reads clean/LANG.txt. Writes pieces/spm.model, pieces/spm.vocab and pieces/dict.txt: the pieces, then a token [LANG]
for each language in the order given, then <mask>. With these at the end no later stage of fairseq adds a symbol, and
the embedding table keeps its size and the order of its rows from the first stage to the last.

The model sees lines drawn at random from each language, in proportion to (its share of all lines) ** ALPHA, as many
as --sentences and the smallest language allow without using a line twice. The same text, options and seed give the
same bytes.

    python vocabulary.py --langs en,ro --model sentence.bpe.model --out pieces

takes a ready model instead, such as XLM-R's, and only writes the dictionary.
"""

import io
import os
import re
from collections import Counter

from programs import InputError, language_list, parser, run
from stage_files import count_lines, load_model, open_lines

from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.complete_files import complete_file

_LONGEST = 1 << 14  # bytes of a line; SentencePiece skips longer ones. clean.py lets 2,000 characters through
_THREADS = 4  # a fixed number: sums of another number of threads round otherwise


def main(command=None):
    arguments = parser(__doc__)
    arguments.add_argument("--langs", required=True, type=language_list, help="such as en,ro")
    arguments.add_argument("--out", required=True, metavar="DIR")
    arguments.add_argument("--text", metavar="DIR", help="holds LANG.txt of clean.py")
    arguments.add_argument("--size", type=positive, metavar="N", help="pieces, with <unk>, <s> and </s>")
    arguments.add_argument("--model", help="a ready SentencePiece model; --text, --size and the rest are not looked at")
    arguments.add_argument(
        "--alpha", type=float, default=0.5, help="1: as the text is; 0: alike (default: %(default)s)"
    )
    arguments.add_argument("--sentences", type=positive, default=2000000, help="to train on (default: %(default)s)")
    arguments.add_argument("--model-type", choices=("unigram", "bpe"), default="unigram", help="(default: %(default)s)")
    arguments.add_argument("--character-coverage", type=float, default=0.9995, help="(default: %(default)s)")
    arguments.add_argument("--seed", type=int, default=1, help="of the drawing (default: %(default)s)")
    options = arguments.parse_args(command)
    if not 0 <= options.alpha <= 1:
        arguments.error("--alpha is not between 0 and 1: {}".format(options.alpha))
    if not options.model and not (options.text and options.size):
        arguments.error("give --text and --size to train a model, or --model with a ready one")
    if options.model:
        model = load_model(options.model)
    else:
        paths = [os.path.join(options.text, language + ".txt") for language in options.langs]
        lines = [count_lines(path) for path in paths]
        drawn = lines_per_language(lines, options.alpha, options.sentences)
        for language, all_lines, some in zip(options.langs, lines, drawn):
            print("{}: {:,} of {:,} lines".format(language, some, all_lines))
        model = train(sample(paths, lines, drawn, options.seed), options)
    symbols = dictionary(model, options.langs)
    os.makedirs(options.out, exist_ok=True)
    vocab = "".join("{}\t{:g}\n".format(model.id_to_piece(k), model.get_score(k)) for k in range(len(model)))
    _write(options.out, "spm.vocab", vocab.encode("utf-8"))
    _write(options.out, "spm.model", model.serialized_model_proto())
    _write(options.out, "dict.txt", "".join(symbol + " 1\n" for symbol in symbols).encode("utf-8"))
    print("{}: {:,} symbols".format(os.path.join(options.out, "dict.txt"), len(symbols)))


def dictionary(model, languages):
    """The symbols of dict.txt. Raises InputError when a piece of the model has the name of another symbol."""
    # fairseq has its own <unk>, <s> and </s>
    pieces = [model.id_to_piece(k) for k in range(len(model)) if not (model.is_unknown(k) or model.is_control(k))]
    symbols = pieces + ["[{}]".format(language) for language in languages] + ["<mask>"]
    for symbol, number in Counter(symbols + ["<s>", "<pad>", "</s>", "<unk>"]).items():
        if number > 1:
            raise InputError("the model has a piece {} that would stand for two symbols: use another".format(symbol))
    return symbols


def lines_per_language(lines, alpha, most):
    """How many lines to draw of each language: in proportion to (n / sum of n) ** alpha, as many as there are at most.

    lines: list of int, n of each language; most: lines to draw in all. Returns a list of int.
    """
    weights = [(n / sum(lines)) ** alpha for n in lines]
    shares = [weight / sum(weights) for weight in weights]
    total = min([most] + [n / share for n, share in zip(lines, shares)])
    # a rounding error must not ask for a line more than there is
    return [max(1, min(n, int(total * share + 1e-6))) for n, share in zip(lines, shares)]


def sample(paths, lines, drawn, seed):
    """Yield `drawn` of the `lines` of each path, drawn at random, in the order of the files."""
    import numpy as np

    for number, (path, all_lines, some) in enumerate(zip(paths, lines, drawn)):
        chosen = np.zeros(all_lines, dtype=bool)
        chosen[np.random.default_rng([seed, number]).permutation(all_lines)[:some]] = True
        with open_lines(path) as stream:
            for taken, line in zip(chosen, stream):
                if taken:
                    yield line.rstrip("\n")


def train(sentences, options):
    """A SentencePieceProcessor trained on an iterator of str. Raises InputError for a size unfit for the text."""
    import sentencepiece

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=sentences,
            model_writer=model,
            vocab_size=options.size,
            model_type=options.model_type,
            character_coverage=options.character_coverage,
            max_sentence_length=_LONGEST,
            num_threads=_THREADS,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise InputError(_explain(str(error), options.size)) from None
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def _explain(message, size):
    """What SentencePiece's error message comes to."""
    most = re.search(r"Vocabulary size too high.*<= (\d+)", message)
    if most:
        return "--size {}: the text is too small for so many pieces; use at most {}, or more text".format(
            size, most.group(1)
        )
    least = re.search(r"smaller than required_chars. \d+ vs (\d+)", message)
    if least:
        return "--size {}: the text has more different characters than that; use more than {}".format(
            size, least.group(1)
        )
    return "--size {}: SentencePiece found no model: {}".format(size, message)


def _write(folder, name, data):
    with complete_file(os.path.join(folder, name)) as path:
        with open(path, "wb") as stream:
            stream.write(data)


if __name__ == "__main__":
    run(main, "vocabulary.py")
