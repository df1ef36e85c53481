#!/usr/bin/env python
"""Get the text of a translation recipe from the web.

    python scripts/web/web_text.py --recipe ro-en --size base --list          what would be fetched, offline
    python scripts/web/web_text.py --recipe ro-en --size base --out text      sizes, a question, then the download

Writes OUT/mono/LANG/*.txt.gz (one sentence a line), OUT/dev.LANG and OUT/test.LANG (aligned), and OUT/sources.json (where
each file came from, its size and SHA-256). Run it again after an interruption: it goes on where it stopped, and finished
files are kept. `paper` is all the paper names (Wikipedia and CC-100); `base` is a few GB for one GPU.
"""

import argparse
import os
import shutil
import sys

import aligned_sets
from download import fetch, human
from manifest import Manifest
from sentences import to_sentences
from sources import RECIPES, files_of, table, with_size

from crossinit_fairseq.errors import InputError


def parser():
    """The options."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--recipe", required=True, choices=["ro-en", "ne-en"], help="ne-en takes Hindi text too")
    parse.add_argument("--size", default="base", choices=["base", "paper"], help="how much text (default: base)")
    parse.add_argument("--out", default="text", metavar="OUT", help="the folder to fill (default: text)")
    parse.add_argument("--list", action="store_true", help="print the sources with licence and size, and stop")
    parse.add_argument("--yes", action="store_true", help="start without the question after the size estimate")
    return parse


def print_table(recipe, size):
    """The sources as a table."""
    rows = table(recipe, size) + [aligned_sets.TABLE[recipe]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print(
        "\nThe exact sizes are asked of the servers before anything is downloaded; nothing starts if they do not fit."
    )


def check_space(pending, folder):
    """Print the estimate. Raises InputError when the disk is too small for it.

    The most that is on the disk at once: all that is kept, and the largest download that is still being converted.
    """
    there = sum(
        os.path.getsize(path)
        for path in map(lambda r: download_path(folder, r) + ".part", pending)
        if os.path.exists(path)
    )
    download = sum(remote.size or 0 for remote in pending) - there
    converted = [remote.size or 0 for remote in pending if remote.form != "gz"]
    need = sum(remote.kept_bytes() for remote in pending) + max(converted + [0]) - there
    free = shutil.disk_usage(folder).free
    unknown = sum(remote.size is None for remote in pending)
    for remote in pending:
        print("{:>10}  {}".format(human(remote.size), remote.url))
    print(
        "{} files to get: {} to download, {} of disk space; {} has {} free{}".format(
            len(pending),
            human(download),
            human(need),
            folder,
            human(free),
            "; {} files of unknown size come on top".format(unknown) if unknown else "",
        ),
        flush=True,
    )
    if need > free:
        raise InputError(
            "this needs {} and {} has {} free: choose --size base or another --out".format(
                human(need), folder, human(free)
            )
        )


def agree():
    """Ask whether to start. Raises InputError for no."""
    if not sys.stdin.isatty():
        raise InputError("nobody is there to ask whether to start: add --yes")
    if input("Start? [y/N] ").strip().lower() not in ("y", "yes"):
        raise InputError("not started")


def download_path(folder, remote):
    """Where a file lies until it is complete: outside mono/, so that no other program reads half a file."""
    return os.path.join(folder, "download", remote.target.replace("/", "-") + "." + remote.form)


def get_mono(remote, folder, manifest):
    """Fetch one file, make sentences of it, and enter it in the manifest. Raises InputError."""
    sha256 = remote.sha256 or manifest.first_sha256(remote.target, remote.url)
    download = download_path(folder, remote)
    size, digest = fetch(remote.url, download, remote.size, sha256)
    lines = to_sentences(download, remote.form, remote.source.lang, os.path.join(folder, remote.target))
    manifest.add(remote.target, remote.url, size, digest, lines)
    print("{}: {:,} lines".format(remote.target, lines), flush=True)


def run(args):
    """Everything after the options. Raises InputError."""
    if args.list:
        return print_table(args.recipe, args.size)
    folder = os.path.abspath(args.out)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise InputError("{} cannot be made: {}".format(folder, error.strerror)) from None
    manifest = Manifest(folder)
    remotes = [remote for source in RECIPES[args.recipe, args.size] for remote in files_of(source, manifest.listings)]
    manifest.save()
    pending = [with_size(remote) for remote in remotes if not manifest.has(remote.target, remote.url)]
    if pending:
        check_space(pending, folder)
        if not args.yes:
            agree()
    for name in aligned_sets.get(args.recipe, folder):
        print(name)
    for remote in pending:
        get_mono(remote, folder, manifest)
    shutil.rmtree(os.path.join(folder, "download"), ignore_errors=True)
    print("complete: {} files in {}/mono".format(len(remotes), folder))


def main(argv=None):
    """Run the program. Returns the exit status."""
    args = parser().parse_args(argv)
    try:
        run(args)
    except InputError as error:
        print("web_text.py: error: {}".format(error), file=sys.stderr)
        return 1
    except OSError as error:
        print("web_text.py: error: {}: {}".format(error.filename or args.out, error.strerror or error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nweb_text.py: stopped: run the same command again, it goes on where it stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
