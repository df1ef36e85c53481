"""crossinit-ranks: count the words of a language, and look at and merge rank tables."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence

from crossinit_fairseq.cli import command
from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import check_new_file
from crossinit_fairseq.cores import usable_cores
from crossinit_fairseq.languages import unlike_script

if TYPE_CHECKING:  # --help need not wait for numpy
    from crossinit_fairseq.ranks import RankTable

_ABOUT = """\
Step 1 of CrossInit, Sorting: count the words of each language and sort them, most frequent first.

  crossinit-ranks count --lang ne wiki.ne.txt.xz -o ne.tsv    count raw text
  crossinit-ranks count --lang en --wordfreq -o en.tsv        or take a ready list
  crossinit-ranks show en.tsv ne.tsv                          compare languages rank by rank
  crossinit-ranks merge ne.tsv more.ne.tsv -o all.ne.tsv      add up tables of one language

A rank table is a text file to open and edit: lines `# key: value`, then `word<TAB>count`."""

_COUNT = """\
examples:
  crossinit-ranks count --lang ro 'wiki.ro.*.zst' -o ro.tsv             several files, in quotes; all cores
  zcat ne.gz | crossinit-ranks count --lang ne - -o ne.tsv              standard input
  crossinit-ranks count --lang en --lowercase --min-count 5 en.txt -o en.tsv
  crossinit-ranks count --lang th th.txt.gz -o th.tsv                   Thai words, needs crossinit_fairseq[segment]
  crossinit-ranks count --lang th --sub-tokens spm.model th.txt -o th.tsv
  crossinit-ranks count --lang hi --list unilex.hi.txt -o hi.tsv        `word count` or `word` in every line
  crossinit-ranks count --lang de --wordfreq -o de.tsv                  needs crossinit_fairseq[wordfreq]
  crossinit-ranks count --lang en --dask tcp://host:8786 '/corpus/en.*' -o en.tsv

A word is a run of letters, combining marks and digits, with apostrophes inside it (don't), in Unicode's form NFC.
Only distinct words are kept in memory, and these go to disk when they are too many: --min-count bounds the result.
The table is the same for any number of workers and on any cluster."""

_SHOW = """\
examples:
  crossinit-ranks show en.tsv fr.tsv de.tsv ne.tsv       the first 20 ranks side by side, as the paper's Figure 1
  crossinit-ranks show --ranks 50 --first 10000 en.tsv

Coverage is the share of all words in the text that the first 20,000 ranks make up: over 80 % in the paper
(section 3.3). The Zipf exponent is b in count = k / rank ** b, fitted to the same ranks; languages whose exponents
are close have comparable ranks."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; returns the exit status: 0, or 1 after one sentence on stderr. Wrong usage exits with 2."""

    def work() -> None:
        options = _parser().parse_args(arguments)
        options.run(options)

    return command.run("crossinit-ranks", work)


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(prog="crossinit-ranks", description=_ABOUT)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    commands.required = True

    count = commands.add_parser(
        "count",
        help="count text or read a ready list",
        description="Make a rank table.",
        epilog=_COUNT,
    )
    count.add_argument(
        "files", nargs="*", metavar="FILE", help="UTF-8 text, plain, .gz, .bz2, .xz or .zst; a glob; - for stdin"
    )
    count.add_argument("--lang", required=True, help="language code: en, ne, ro_RO, ...")
    count.add_argument("-o", "--output", metavar="TSV", help="the rank table to write (default: standard output)")
    count.add_argument("--lowercase", action="store_true", help="count The and the as one word")
    count.add_argument(
        "--min-count", type=positive, default=1, metavar="N", help="leave out rarer words (default: 1, all)"
    )
    count.add_argument(
        "--workers", type=positive, metavar="N", help="threads, or processes of `--dask local` (default: all cores)"
    )
    ready = count.add_mutually_exclusive_group()
    ready.add_argument(
        "--list", action="store_true", help="FILE is a ready list: `word count`, or `word`, most frequent first"
    )
    ready.add_argument("--wordfreq", action="store_true", help="take the list of the Python package wordfreq; no FILE")
    ready.add_argument("--dask", metavar="ADDRESS", help="count on the Dask cluster of this scheduler, or `local`")
    count.add_argument(
        "--sub-tokens", metavar="MODEL", help="count the sub-tokens of a SentencePiece model (scripts without spaces)"
    )
    count.set_defaults(run=_count, usage=count)

    show = commands.add_parser(
        "show", help="compare tables", description="Show rank tables side by side.", epilog=_SHOW
    )
    show.add_argument("tables", nargs="+", metavar="TSV")
    show.add_argument("--ranks", type=positive, default=20, metavar="N", help="ranks to list (default: 20)")
    show.add_argument(
        "--first", type=positive, default=20000, metavar="N", help="ranks for coverage and fit (default: 20000)"
    )
    show.set_defaults(run=_show)

    merge = commands.add_parser("merge", help="add up tables", description="Add up rank tables of one language.")
    merge.add_argument("tables", nargs="+", metavar="TSV")
    merge.add_argument("-o", "--output", metavar="TSV", help="the rank table to write (default: standard output)")
    merge.set_defaults(run=_merge)
    return parser


def _count(options: argparse.Namespace) -> None:
    from crossinit_fairseq.ranks.text.sources import find_sources

    if bool(options.files) == options.wordfreq:
        options.usage.error(
            "--wordfreq takes no FILE" if options.wordfreq else "give at least one FILE, or - for standard input"
        )
    if options.sub_tokens and (options.list or options.wordfreq):
        options.usage.error("--sub-tokens is for text, not for ready lists")
    if options.list or options.wordfreq:
        options.usage.refuse(["--workers"], "on a ready list")
    if options.wordfreq:
        options.usage.refuse(["--lowercase"], "with --wordfreq, all of whose words are lower-case")
    if options.dask and options.dask != "local":
        options.usage.refuse(["--workers"], "on a cluster, which has its own")
    files = [source.path for source in find_sources(options.files)] if options.files else []
    if options.output:
        check_new_file(options.output, files)
    workers = options.workers or usable_cores()
    common = {"lowercase": options.lowercase, "min_count": options.min_count}
    if options.wordfreq:
        from crossinit_fairseq.ranks.word_lists import wordfreq_table

        table = wordfreq_table(options.lang, **common)
    elif options.list:
        from crossinit_fairseq.ranks.word_lists import read_word_list

        table = read_word_list(files, options.lang, **common)
    else:
        # Polars reads this when it is first imported
        os.environ.setdefault("POLARS_MAX_THREADS", str(workers if not options.dask else 1))
        table = _count_text(options, workers, common)
    _finish(table, options.output)


def _count_text(options: argparse.Namespace, workers: int, common: Dict[str, Any]) -> "RankTable":
    if options.sub_tokens:
        from crossinit_fairseq.ranks.text.segmenters import SubTokens

        common["segmenter"] = SubTokens(os.path.abspath(options.sub_tokens))
    if not options.dask:
        from crossinit_fairseq.ranks.text.counting import count_text

        return count_text(options.files, options.lang, workers=workers, **common)
    from crossinit_fairseq.ranks.text.distributed import count_text_distributed, open_cluster

    with open_cluster(options.dask, workers) as client:
        return count_text_distributed(client, options.files, options.lang, **common)


def _merge(options: argparse.Namespace) -> None:
    from crossinit_fairseq.ranks import RankTable

    if options.output:
        check_new_file(options.output)
    _finish(RankTable.merge([RankTable.load(path) for path in options.tables]), options.output)


def _finish(table: "RankTable", path: Optional[str]) -> None:
    """Write the table, and say on stderr what is in it and what is not."""
    if path:
        table.save(path)
    else:
        table.write(sys.stdout)
    said = f"{len(table):,} different words"
    if table.has_counts:
        said += f" of {table.total:,} in all; the first 20,000 make up {table.coverage(20000):.1%}"
    for name, what in (
        ("left_out_words", "rarer words left out"),
        ("skipped_long_words", "overlong words skipped"),
        ("too_low_by", "is what counts may be too low by, since the tables leave out rare words"),
        ("entities", "entities such as &quot; taken for what they stand for"),
        ("skipped_entries", "entries skipped, no words or repeated"),
    ):
        if table.settings.get(name, "0") != "0":
            said += f"; {table.settings[name]} {what}"
    print(f"{path or 'standard output'}: {said}", file=sys.stderr)
    other = unlike_script(table.language, table.words)
    if other:
        print(f"crossinit-ranks: most letters are {other}: is this text {table.language}?", file=sys.stderr)


def _show(options: argparse.Namespace) -> None:
    from crossinit_fairseq.cli.command import format_columns
    from crossinit_fairseq.ranks import RankTable

    tables = [RankTable.load(path) for path in options.tables]
    shown = min(options.ranks, max(len(table) for table in tables))
    rows = [["rank"] + _titles(options.tables, tables)]
    for rank in range(shown):
        rows.append([str(rank + 1)] + [table.words[rank] if rank < len(table) else "" for table in tables])
    print(format_columns(rows))
    facts = [["different words"] + [f"{len(table):,}" for table in tables]]
    facts.append(["words in all"] + [f"{table.total:,}" if table.has_counts else "unknown" for table in tables])
    first = f"{options.first:,}"
    coverage = [f"{table.coverage(options.first):.1%}" if table.has_counts else "unknown" for table in tables]
    facts.append(["coverage of the first " + first] + coverage)
    fits = [table.zipf_fit(options.first) if table.has_counts and len(table) > 1 else None for table in tables]
    facts.append(
        ["Zipf exponent of the first " + first] + [f"{fit.exponent:.3f}" if fit else "unknown" for fit in fits]
    )
    facts.append(["R squared of the fit"] + [f"{fit.r_squared:.3f}" if fit else "unknown" for fit in fits])
    print()
    print(format_columns([[""] + _titles(options.tables, tables)] + facts))


def _titles(paths: List[str], tables: Sequence["RankTable"]) -> List[str]:
    """Languages, or the names of the files where two are of one language."""
    languages = [table.language for table in tables]
    if len(set(languages)) == len(languages):
        return languages
    return [os.path.basename(path) for path in paths]


if __name__ == "__main__":
    sys.exit(main())
