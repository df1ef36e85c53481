"""Download the text of the example into a folder that text.py takes as one of one's own.

    python web.py --langs en,de,hi --files 1 --out DIR

mono.LANG is Wikipedia of November 2023, from Hugging Face, in sentences. MultiNLI trains, the English part of XNLI's
development set chooses the checkpoint, XNLI's test set tests and, its hypotheses being aligned, serves retrieval. SQuAD
1.1 trains, the English part of MLQA's development set chooses, and its test set tests, in those of its seven languages
that are asked for. words.en-LANG.txt are MUSE's test dictionaries. Lines of XNLI's test set are left out of mono.LANG.
DIR/sources.json tells addresses, sizes and SHA-256; what is complete is not downloaded again, what was cut goes on.
"""

import glob
import gzip
import os
import shutil
import sys
import zipfile

from crossinit_fairseq.cli import command
from crossinit_fairseq.cli.command import at_least
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.nli_files import read_pairs
from crossinit_fairseq.folder_lock import lock_folder
from crossinit_fairseq.languages import base_language

XNLI = "https://dl.fbaipublicfiles.com/XNLI/XNLI-1.0.zip"
MULTINLI = "https://cims.nyu.edu/~sbowman/multinli/multinli_1.0.zip"
SQUAD = "https://rajpurkar.github.io/SQuAD-explorer/dataset/train-v1.1.json"
MLQA = "https://dl.fbaipublicfiles.com/MLQA/MLQA_V1.zip"
MUSE = "https://dl.fbaipublicfiles.com/arrival/dictionaries/en-{}.5000-6500.txt"
MLQA_LANGUAGES = "ar de en es hi vi zh".split()
NOT_IN_MUSE = "en sw ur".split()


def main(arguments=None):
    def work():
        args = _parser().parse_args(arguments)
        languages = {language: base_language(language) for language in args.langs.split(",")}
        download(languages, args.files, args.lines, os.path.abspath(args.out))

    return command.run("web.py", work)


def _parser():
    parser = CommandParser(description=__doc__)
    parser.add_argument("--langs", required=True, help="such as en,de,hi")
    parser.add_argument("--files", type=at_least(0), default=0, help="of each language's Wikipedia (default: all)")
    parser.add_argument("--lines", type=at_least(0), default=0, help="of each language to pre-train on (default: all)")
    parser.add_argument("--out", required=True, metavar="DIR")
    return parser


def download(languages, files, lines, folder):
    """languages: {as it is called here: ISO code}; files, lines: 0 for all. Raises InputError."""
    try:
        from crossinit_fairseq.preparation.downloads.manifest import Manifest
        from crossinit_fairseq.preparation.downloads.recipe_text import check_space, get_monolingual
        from crossinit_fairseq.preparation.downloads.sources import Source, files_of, with_size
    except ImportError as error:
        raise InputError(f"{error.name} is missing: pip install 'crossinit_fairseq[recipes]'") from None
    lock_folder(folder)
    manifest = Manifest(folder)
    remotes = [
        remote
        for code in languages.values()
        for remote in files_of(Source("wikipedia", code, files), manifest.listings)
    ]
    manifest.save()
    pending = [with_size(remote) for remote in remotes if not manifest.has(remote.target, remote.url)]
    if pending:
        check_space(pending, folder)
    labelled(languages, folder, manifest)
    for remote in pending:
        get_monolingual(remote, folder, manifest)
    shutil.rmtree(os.path.join(folder, "download"), ignore_errors=True)
    for language, code in languages.items():
        monolingual(language, code, lines, folder)


def labelled(languages, folder, manifest):
    """The files of XNLI, question answering and retrieval."""
    xnli, mlqa = get(XNLI, folder, manifest), get(MLQA, folder, manifest)
    unpack(
        get(MULTINLI, folder, manifest), "multinli_1.0/multinli_1.0_train.txt", os.path.join(folder, "nli.train.en.tsv")
    )
    unpack(xnli, "XNLI-1.0/xnli.dev.tsv", os.path.join(folder, "nli.dev.en.tsv"))
    link(get(SQUAD, folder, manifest), os.path.join(folder, "qa.train.en.json"))
    unpack(mlqa, "MLQA_V1/dev/dev-context-en-question-en.json", os.path.join(folder, "qa.dev.en.json"))
    tests = os.path.join(folder, "labelled", "xnli.test.tsv")
    unpack(xnli, "XNLI-1.0/xnli.test.tsv", tests)
    aligned = {}
    for language, code in languages.items():
        # all languages are in one file, whose reader takes the rows of one
        link(tests, os.path.join(folder, f"nli.test.{language}.tsv"))
        aligned[language] = {pair.id: pair.hypothesis for pair in read_pairs(tests, code)}
        if code in MLQA_LANGUAGES:
            member = f"MLQA_V1/test/test-context-{code}-question-{code}.json"
            unpack(mlqa, member, os.path.join(folder, f"qa.test.{language}.json"))
        if code not in NOT_IN_MUSE:
            link(get(MUSE.format(code), folder, manifest), os.path.join(folder, f"words.en-{language}.txt"))
    common = [name for name in next(iter(aligned.values())) if all(name in pairs for pairs in aligned.values())]
    for language, pairs in aligned.items():
        with complete_file(os.path.join(folder, f"aligned.{language}")) as part, open(
            part, "w", encoding="utf-8"
        ) as file:
            file.writelines(pairs[name] + "\n" for name in common)


def get(url, folder, manifest):
    """The path of a file in FOLDER/labelled, downloaded if it is not there."""
    from crossinit_fairseq.preparation.downloads.fetching import fetch

    name = "labelled/" + url.split("/")[-1]
    path = os.path.join(folder, name)
    if not manifest.has(name, url):
        size, digest = fetch(url, path, sha256=manifest.first_sha256(name, url))
        manifest.add(name, url, size, digest, 0)
    return path


def unpack(archive, member, path):
    """Write a member of a zip archive, whole or not at all."""
    try:
        with zipfile.ZipFile(archive) as files, files.open(member) as source:
            with complete_file(path) as part, open(part, "wb") as target:
                shutil.copyfileobj(source, target)
    except KeyError:
        raise InputError(f"{archive} has no file {member}: has its publisher changed it?") from None
    except (zipfile.BadZipFile, EOFError) as error:
        os.remove(archive)
        raise InputError(f"{archive} is no zip archive ({error}) and was deleted: run the same command again") from None


def link(path, name):
    """Make a relative symbolic link, in the place of what is there."""
    if os.path.lexists(name):
        os.remove(name)
    os.symlink(os.path.relpath(path, os.path.dirname(name)), name)


def monolingual(language, code, lines, folder):
    """Write mono.LANG of the files in mono/LANG, without the sentences of XNLI's test set. lines: at most; 0: all."""
    pairs = read_pairs(os.path.join(folder, f"nli.test.{language}.tsv"), code)
    kept_out = {text for pair in pairs for text in (pair.premise, pair.hypothesis)}
    written = 0
    with complete_file(os.path.join(folder, f"mono.{language}")) as part, open(part, "w", encoding="utf-8") as target:
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), "mono", code, "*.gz"))):
            with gzip.open(path, "rt", encoding="utf-8", newline="\n") as source:
                for line in source:
                    if lines and written == lines:
                        break
                    if line.strip() not in kept_out:
                        target.write(line)
                        written += 1
    print(f"{language}: {written:,} lines to pre-train on")


if __name__ == "__main__":
    sys.exit(main())
