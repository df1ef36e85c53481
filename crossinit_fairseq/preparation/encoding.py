"""Cut clean text into pieces, ready for fairseq-preprocess: held-out lines, training text in shards, dev and test.

    python encode.py --langs en,ro --model pieces/spm.model --text clean --valid 1000 --shards 2 --out pieces

Reads clean/LANG.txt of clean.py, which is in random order, and clean/dev.LANG and clean/test.LANG where there are such.
Writes

    pieces/valid.LANG        the first --valid lines, at most a tenth of the text: to validate on, not to train on
    pieces/K/train.LANG      all other lines in turns, K = 0 ... SHARDS - 1
    pieces/dev.LANG, test.LANG

A shard is what one fairseq-preprocess run holds and one epoch of `fairseq-train data/0:data/1:...` reads: take as
many as it needs for one to fit in memory. The text itself never has to.
"""

import os
from contextlib import ExitStack
from itertools import count

from programs import InputError, cores, language_list, parser, run
from stage_files import batches, count_lines, load_model, open_lines
from tqdm import tqdm

from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.complete_files import complete_file

_BATCH = 10000  # lines


def main(command=None):
    arguments = parser(__doc__)
    arguments.add_argument("--langs", required=True, type=language_list, help="such as en,ro")
    arguments.add_argument("--model", required=True, metavar="MODEL", help="spm.model of vocabulary.py")
    arguments.add_argument("--text", required=True, metavar="DIR", help="holds LANG.txt of clean.py")
    arguments.add_argument("--out", required=True, metavar="DIR")
    arguments.add_argument("--valid", type=positive, default=1000, metavar="N", help="(default: %(default)s)")
    arguments.add_argument("--shards", type=positive, default=1, metavar="N", help="(default: %(default)s)")
    arguments.add_argument("--workers", type=positive, default=cores(), metavar="N", help="(default: all cores)")
    options = arguments.parse_args(command)
    encode = encoder(options.model, options.workers)
    paths = {language: os.path.join(options.text, language + ".txt") for language in options.langs}
    lines = {language: count_lines(path) for language, path in paths.items()}
    for language in options.langs:
        if lines[language] < 10 or lines[language] - lines[language] // 10 < options.shards:
            raise InputError(
                "{} has {} lines: too few to hold out a tenth and make {} shards".format(
                    paths[language], lines[language], options.shards
                )
            )
    for language in options.langs:
        valid = min(options.valid, lines[language] // 10)
        encode_text(encode, paths[language], lines[language], valid, options.out, language, options.shards)
        remove_shards(options.out, language, options.shards)
        for name in ("dev", "test"):
            path = os.path.join(options.text, "{}.{}".format(name, language))
            if os.path.exists(path):
                encode_file(encode, path, os.path.join(options.out, "{}.{}".format(name, language)))
        print("{}: {:,} lines to train on, {:,} held out".format(language, lines[language] - valid, valid))


def encoder(path, workers):
    """A function from a list of lines to a list of lines of pieces between spaces. Raises InputError for no model."""
    model = load_model(path)
    return lambda lines: [" ".join(pieces) for pieces in model.encode(lines, out_type=str, num_threads=workers)]


def encode_text(encode, path, lines, valid, folder, language, shards):
    """Write valid.LANG and the shards' train.LANG of a file; all of them or none that is incomplete."""
    with ExitStack() as files:
        targets = []
        for name in ["."] + [str(shard) for shard in range(shards)]:
            target = os.path.join(folder, name, ("train." if name != "." else "valid.") + language)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            part = files.enter_context(complete_file(os.path.normpath(target)))
            targets.append(files.enter_context(open(part, "w", encoding="utf-8", newline="\n")))
        stream = files.enter_context(open_lines(path))
        bar = files.enter_context(tqdm(total=lines, unit=" lines", disable=None))
        bar.set_description("encoding " + language)
        number = 0
        for batch in batches(stream, _BATCH):
            for line in encode(batch):
                shard = 0 if number < valid else 1 + (number - valid) % shards
                targets[shard].write(line + "\n")
                number += 1
            bar.update(len(batch))


def remove_shards(folder, language, shards):
    """Remove the shards from number `shards` on that an earlier run with more of them left."""
    for shard in count(shards):
        path = os.path.join(folder, str(shard), "train." + language)
        if not os.path.exists(path):
            break
        os.remove(path)


def encode_file(encode, path, target):
    """Write the lines of a file as pieces, one line for each."""
    with complete_file(target) as part:
        with open_lines(path) as stream, open(part, "w", encoding="utf-8", newline="\n") as output:
            for batch in batches(stream, _BATCH):
                output.writelines(line + "\n" for line in encode(batch))


if __name__ == "__main__":
    run(main, "encode.py")
