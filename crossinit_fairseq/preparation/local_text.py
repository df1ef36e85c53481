"""Lay out a folder of your own text for a translation recipe:

    python local_text.py --folder DIR --langs en,ro --test newstest2016.en-ro --dev newsdev2016.en-ro --out text

DIR/mono/NAME.LANG.txt (also .gz, .bz2, .xz, .zst) is monolingual text, one sentence a line; every NAME is used, but NAME
`for-ne` (text chosen to go with Nepali) only where Nepali is among the languages, and then it is all there is of its language.
DIR/test/TEST.LANG and DIR/test/DEV.LANG are aligned, for the languages that the name TEST ends with; DEV may be missing.
Monolingual text is linked to text/mono/LANG/, aligned text is copied to text/test.LANG and text/dev.LANG.
"""

import argparse
import os
import shutil
import sys

_ENDINGS = ("", ".gz", ".bz2", ".xz", ".zst")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True, metavar="DIR")
    parser.add_argument("--langs", required=True, help="languages to train on, such as ne,hi,en")
    parser.add_argument("--test", required=True, help="name of the aligned test set, such as flores.devtest.ne-en")
    parser.add_argument("--dev", help="name of the aligned dev set")
    parser.add_argument("--out", required=True, metavar="DIR")
    args = parser.parse_args()
    try:
        lay_out(args)
    except (ValueError, OSError) as error:
        sys.exit("local_text.py: {}".format(error))


def lay_out(args):
    """Check everything, then link and copy. Raises ValueError with one sentence for what is missing or not aligned."""
    languages = args.langs.split(",")
    chosen = {language: monolingual(os.path.join(args.folder, "mono"), language, languages) for language in languages}
    sets = {"test": aligned(args.folder, args.test)}
    if args.dev and any(os.path.exists(path) for path in sides(args.folder, args.dev).values()):
        sets["dev"] = aligned(args.folder, args.dev)
    for language, paths in chosen.items():
        folder = os.path.join(args.out, "mono", language)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for path in paths:
            os.symlink(os.path.abspath(path), os.path.join(folder, os.path.basename(path)))
        print("{}: {}".format(language, ", ".join(map(os.path.basename, paths))))
    for name, paths in sets.items():
        for language, path in paths.items():
            shutil.copyfile(path, os.path.join(args.out, "{}.{}".format(name, language)))
        print("{}: {}".format(name, ", ".join(map(os.path.basename, paths.values()))))


def monolingual(folder, language, languages):
    """The files of a language: those made for another language of the run where there are any, else all general ones."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = [name for name in names if any(name.endswith(".{}.txt{}".format(language, end)) for end in _ENDINGS)]
    special = [name for name in found if name.startswith("for-")]
    matched = [name for name in special if name[len("for-") :].split(".")[0] in languages]
    chosen = matched or [name for name in found if name not in special]
    if not chosen:
        raise ValueError(
            "{} has no text in {!r}: a file such as {}/general.{}.txt".format(folder, language, folder, language)
        )
    return [os.path.join(folder, name) for name in chosen]


def sides(folder, name):
    """{language: path} of an aligned set, whose name ends with its two languages: newstest2016.en-ro."""
    return {
        language: os.path.join(folder, "test", "{}.{}".format(name, language))
        for language in name.rsplit(".", 1)[-1].split("-")
    }


def aligned(folder, name):
    """The two files of an aligned set. Raises ValueError when one is missing, empty, not UTF-8 or longer than the other."""
    paths = sides(folder, name)
    lengths = {}
    for path in paths.values():
        if not os.path.isfile(path):
            raise ValueError("there is no {}; the recipe is scored on it".format(path))
        try:
            with open(path, encoding="utf-8") as stream:
                lengths[path] = sum(1 for _ in stream)
        except UnicodeDecodeError:
            raise ValueError("{} is not UTF-8; convert it with iconv".format(path))
        if not lengths[path]:
            raise ValueError("{} is empty".format(path))
    if len(set(lengths.values())) > 1:
        raise ValueError(
            "the sides of {} are not aligned: {}".format(
                name, ", ".join("{} has {:,} lines".format(path, count) for path, count in lengths.items())
            )
        )
    return paths


if __name__ == "__main__":
    main()
