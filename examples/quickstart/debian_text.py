#!/usr/bin/env python3
"""Real English and foreign text out of ordinary Debian or Ubuntu packages.

The programs of a Linux distribution come with message catalogues (gettext's
``.mo`` files) and manual pages in many languages.  That is enough text for a
first experiment, and the package manager fetches and verifies it.  Nothing is
installed: ``apt-get download`` runs with lists and caches of its own in the
``--cache`` folder, so no root is needed either, and the packages' files are
read without being unpacked.

    python debian_text.py --out data/text             # English and Romanian
    python debian_text.py --out data/text --langs en,sv --packages bash,tar

writes into ``--out``, one sentence a line:

    mono.en mono.ro     text of either language, never one the other's
                        translation: disjoint halves of the messages, and
                        manual pages each used in one language only
    dev.en dev.ro       aligned pairs held out of the above, for validation
    test.en test.ro     and for the final score
    report.json         where everything came from and what was dropped

The same packages and seed give the same files, byte for byte.
"""

import json
import os
import random
import re
import sys
from collections import Counter

import manpages
import messages
from apt_packages import Apt, Problem, read_deb, say
from package_list import package_names

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.preparation.splitting import connected_pairs

BOILERPLATE = 3  # a sentence of so many pages says little
LICENCE = (
    "The text belongs to the packages listed here and is under their licences (GPL, LGPL, MPL, GFDL and others; see "
    "/usr/share/doc/PACKAGE/copyright in each). It is only cached locally, for experiments; keep those terms if you "
    "pass it on."
)
INSTEAD = "give texts of your own to run.sh instead, as --text en=FILE --text %s=FILE"


def decode(data):
    """The text of a manual page, old ones being Latin-1."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def collect(debs, langs):
    """Read {package: path}: (clean pairs, pages, package counts, drops).

    ``pages`` is {page name: {language: [sentences]}}.
    """
    pairs, pages, counts, dropped = [], {}, {}, Counter()
    for package in sorted(debs):
        counts[package] = {"pairs": 0, "pages": 0}
        for name, kind, data in read_deb(debs[package], langs):
            if kind == "mo":
                try:
                    catalogue = messages.read_mo(data)
                except ValueError:
                    dropped["broken catalogue"] += 1
                    continue
                for source, target in catalogue:
                    clean = messages.clean(source, target, langs[1], dropped)
                    pairs.extend(clean)
                    counts[package]["pairs"] += len(clean)
            else:
                page = re.sub(r"\.gz$", "", os.path.basename(name))
                lines = manpages.lines(decode(data), kind)
                if lines:
                    pages.setdefault(page, {}).setdefault(kind, lines)
                    counts[package]["pages"] += 1
    english, foreign = messages.vocabularies(pairs)
    kept = [
        pair
        for pair in pairs
        if not messages.misplaced(pair[0], english, foreign) and not messages.misplaced(pair[1], foreign, english)
    ]
    dropped["other language"] = len(pairs) - len(kept)
    for sides in pages.values():
        for lang in sides:
            own, other = (english, foreign) if lang == "en" else (foreign, english)
            good = [line for line in sides[lang] if not messages.misplaced(line, own, other)]
            dropped["manual other language"] += len(sides[lang]) - len(good)
            sides[lang] = good
    return kept, pages, counts, dropped


def families(pages, seen):
    """{page: name of its family}: pages that share a sentence in any language, such as one page under two names."""
    links = [
        (page, (lang, messages.key(line)))
        for page in sorted(pages)
        for lang, lines in pages[page].items()
        for line in lines
        if seen[lang][messages.key(line)] < BOILERPLATE
    ]
    return {links[number][0]: links[group[0]][0] for group in connected_pairs(links) for number in group}


def manual(pages, langs, dropped):
    """{language: [sentences]} of manual pages, each page, and each that shares a sentence with it, on one side."""
    seen = {
        lang: Counter(messages.key(line) for sides in pages.values() for line in set(sides.get(lang, ())))
        for lang in langs
    }
    out = {lang: [] for lang in langs}
    family = families(pages, seen)
    written = {}
    for page in pages:
        written.setdefault(family.get(page, page), set()).update(pages[page])
    for page in sorted(pages):
        name = family.get(page, page)
        lang = manpages.side(name, [x for x in langs if x in written[name]])
        other = langs[lang == langs[0]]
        for line in pages[page].get(lang, ()):
            mark = messages.key(line)
            if seen[lang][mark] >= BOILERPLATE:
                dropped["manual boilerplate"] += 1
            elif mark in seen[other]:
                dropped["manual untranslated"] += 1
            else:
                out[lang].append(line)
    return out


def compose(pairs, pages, langs, dev, test, seed, ratio, dropped):
    """{file name: [lines]} of everything to write."""
    dealt = messages.split(pairs, dev, test, seed)
    prose = manual(pages, langs, dropped)
    out, held = {}, dealt["dev"] + dealt["test"]
    mono = {}
    for side, lang in enumerate(langs):
        mine = ("source", "target")[side]
        other = ("target", "source")[side]
        lines = messages.one_each(pair[side] for pair in dealt[mine])
        # Neither held-out strings nor translations of the other side's.
        barred = {messages.key(pair[side]) for pair in held + dealt[other]}
        barred |= {messages.key(line) for line in lines}
        extra = [line for line in messages.one_each(prose[lang]) if messages.key(line) not in barred]
        dropped["manual repeated or held out"] += len(prose[lang]) - len(extra)
        random.Random(f"{seed} manual {lang}").shuffle(extra)
        mono[lang] = (lines, extra)
        for name in ("dev", "test"):
            out[f"{name}.{lang}"] = [pair[side] for pair in dealt[name]]
    smaller = min(messages.words(a + b) for a, b in mono.values())
    for lang, (lines, extra) in mono.items():
        size = messages.words(lines)
        for number, line in enumerate(extra):
            size += len(line.split())
            if size > ratio * smaller:
                dropped["manual to balance"] += len(extra) - number
                extra = extra[:number]
                break
        lines = lines + extra
        random.Random(f"{seed} mono {lang}").shuffle(lines)
        out["mono." + lang] = lines
    return out


def write(path, text):
    """Write a text file at once or not at all."""
    with complete_file(path) as part, open(part, "w", encoding="utf-8", newline="\n") as out:
        out.write(text)


def fetch(names, cache):
    """Download packages: ({name: path}, {name: fields}, [missing names])."""
    apt = Apt(cache)
    apt.update()
    found = apt.candidates(names)
    error = apt.download(found)
    debs = {name: apt.path(found[name]) for name in found if apt.have(found[name])}
    if not debs:
        raise Problem(
            f"none of {len(names)} packages could be downloaded ({error or 'these package lists have none of them'})"
        )
    return debs, found, sorted(set(names) - set(debs))


def parse(argv):
    """The command line."""
    parser = CommandParser(description=__doc__)
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to write the text files into")
    parser.add_argument(
        "--langs",
        default="en,ro",
        metavar="en,XX",
        help="English, and a language as catalogues name it: ro, sv, pt_BR (default: %(default)s)",
    )
    parser.add_argument(
        "--packages",
        metavar="NAMES",
        help="package names with commas between them, or a "
        "file of them; {lang} stands for the language "
        "(default: a list chosen for Romanian)",
    )
    parser.add_argument(
        "--cache",
        metavar="DIR",
        help="folder of apt's lists and the downloaded packages, used again next time (default: OUT/apt)",
    )
    parser.add_argument(
        "--dev", type=int, default=500, metavar="N", help="pairs held out for dev (default: %(default)s)"
    )
    parser.add_argument(
        "--test", type=int, default=500, metavar="N", help="pairs held out for test (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="another seed deals another split (default: %(default)s)"
    )
    parser.add_argument(
        "--max-ratio",
        type=float,
        default=1.2,
        metavar="R",
        help="most words of one side for a word of the other; manual pages beyond are cut (default: %(default)s)",
    )
    args = parser.parse_args(argv)
    langs = args.langs.split(",")
    if (
        len(langs) != 2
        or "en" not in langs
        or langs[0] == langs[1]
        or not all(re.match(r"[A-Za-z]{2,3}(_[A-Za-z]+)?(@\w+)?$", x) for x in langs)
    ):
        parser.error("--langs takes en and one other language, as in en,ro")
    if min(args.dev, args.test) < 0 or args.max_ratio < 1:
        parser.error("--dev and --test are 0 or more, --max-ratio 1 or more")
    args.langs = ["en"] + [x for x in langs if x != "en"]
    args.cache = args.cache or os.path.join(args.out, "apt")
    return args


def build(args):
    """Fetch, clean, split and write; the report."""
    names = package_names(args.packages, args.langs[1])
    debs, found, missing = fetch(names, args.cache)
    say(f"reading {len(debs)} packages")
    pairs, pages, counts, dropped = collect(debs, args.langs)
    try:
        files = compose(pairs, pages, args.langs, args.dev, args.test, args.seed, args.max_ratio, dropped)
    except ValueError as error:
        raise Problem(f"{len(debs)} packages have too little text: {error}") from error
    empty = [name for name in files if name[:4] == "mono" and not files[name]]
    if empty:
        raise Problem(f"{len(debs)} packages leave no text for {' and '.join(sorted(empty))}")
    report = {
        "languages": args.langs,
        "seed": args.seed,
        "licence": LICENCE,
        "packages": {
            name: dict(
                counts[name],
                version=found[name]["Version"],
                bytes=int(found[name]["Size"]),
                sha256=found[name].get("SHA256"),
            )
            for name in sorted(debs)
        },
        "missing_packages": missing,
        "bytes": sum(int(found[name]["Size"]) for name in debs),
        "pairs": {"clean": len(pairs), "unique": len(messages.unique(pairs))},
        "dropped": dict(sorted(dropped.items())),
        "files": {name: {"lines": len(files[name]), "words": messages.words(files[name])} for name in sorted(files)},
    }
    for name in sorted(files):
        write(os.path.join(args.out, name), "".join(line + "\n" for line in files[name]))
    write(
        os.path.join(args.out, "report.json"), json.dumps(report, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    )
    return report


def main(argv=None):
    """The program; its exit code."""
    args = parse(argv)
    try:
        os.makedirs(args.out, exist_ok=True)
        report = build(args)
    except Problem as problem:
        say(f"debian_text.py: {problem}; {INSTEAD % args.langs[1]}.")
        return 2
    print(
        f"{len(report['packages'])} packages ({len(report['missing_packages'])} not in this release), "
        f"{report['bytes'] / 1e6:.1f} MB, {report['pairs']['unique']} message pairs"
    )
    for name, size in sorted(report["files"].items()):
        print(f"{name:<8} {size['lines']:>7} lines {size['words']:>8} words")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)  # the recipe says that it was interrupted
