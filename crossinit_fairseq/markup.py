"""Text that still carries markup: character entities, and files that are no text of one sentence a line yet."""

import csv
import html
import re
import unicodedata
from typing import List, NamedTuple, Optional, Sequence, Tuple

_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_ENTITY_BYTES = re.compile(_ENTITY.pattern.encode("ascii"))
_LINES = 20  # of the beginning of a file tell what it is
_ROWS = 5  # at least, of what is a table
_MBOX = re.compile(r"From \S+ +(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d")
_MAIL_HEADER = re.compile(
    r"(From|To|Cc|Subject|Date|Message-ID|In-Reply-To|Received|Return-Path|MIME-Version|Content-Type|Reply-To): \S",
    re.I,
)
_HEADER_FIELD = re.compile(r"[A-Za-z][A-Za-z-]*: |[ \t]+\S")  # or its next line
# what people do not write by hand: addresses, dates with their zones, fields of programs
_OF_A_PROGRAM = re.compile(
    r"(From|To|Cc|Reply-To|Return-Path): .*\S@\S|Message-ID: <|(Received|MIME-Version|Content-Type|Return-Path): "
    r"|Date: .*\d{4} \d\d:\d\d(:\d\d)? ([+-]\d{4}|[A-Z]{3})",
    re.I,
)
_HEADING = re.compile(r"#{1,6} [^#\s]")
_MARKDOWN = re.compile(r"^(```|~~~|[-*+] (\[|\*\*|`))|\[[^\]]+\]\((https?:|[./#])[^)]*\)|\*\*\S[^*]*\*\*|`[^`]+`")
_COLUMN = re.compile(r"[\w .-]{1,30}")
_NUMBERS = re.compile(r"(unnamed: 0)?")  # the name of a first column of rows' numbers, as pandas and R write it
_COLUMNS = set(
    "id idx index no number text sentence sentences sentence1 sentence2 source target src tgt label lang language "
    "title content body comment translation premise hypothesis question answer review en de fr ro ne".split()
)


class Markup(NamedTuple):
    """A kind of file that is no text yet. name: what it is; remedy: what to do first, as the end of a sentence; least:
    how many lines of its pattern tell it from text that somebody left a little in."""

    name: str
    remedy: str
    pattern: "re.Pattern"
    least: int = 1


# the order matters: a dump of MediaWiki is XML too
_KINDS = (
    Markup(
        "a dump of MediaWiki",
        "take the text out of it, for example with WikiExtractor, and split it into sentences",
        re.compile(r"<mediawiki\b|<page>\s*(<title>|$)"),
    ),
    Markup(
        "the output of WikiExtractor",
        r"take its tags out, for example with `sed '/^<\/\?doc/d'`",
        re.compile(r"<doc id=\"\d+\" "),
    ),
    Markup(
        "a test set in SGML or XML",
        "take the sentences out of it; for those of WMT `sacrebleu -t wmt16 -l en-ro --echo src` does it",
        re.compile(r"<(refset|srcset|tstset|seg id=|doc [^>]*(sysid|origlang|docid)=)", re.I),
    ),
    Markup(
        "a translation memory (TMX or XLIFF)",
        "take the sentences of one language out of it",
        re.compile(r"<(tmx|xliff)\b", re.I),
    ),
    Markup(
        "HTML",
        "take the text out of it, for example with trafilatura, and split it into sentences",
        re.compile(r"<!doctype html|<html\b", re.I),
    ),
    Markup(
        "the source of a wiki's pages",
        "take the text out of it, for example with WikiExtractor or mwparserfromhell, and split it into sentences",
        re.compile(r"'''[^']+'''.*\[\[|(\* )?\[\[\w+:[^\]]+\]\]|\{\{[^{}|=]+\|[^{}|=]+="),
        least=3,
    ),
    Markup(
        "a dump of a database (SQL)",
        "take the text out of it, one sentence a line",
        re.compile(r"-- (MySQL|MariaDB|PostgreSQL|SQLite).* dump|INSERT INTO \S+ (\(|VALUES)|CREATE TABLE .*\("),
    ),
    Markup(
        "a source of LaTeX",
        "take the text out of it, for example with pandoc or detex, and split it into sentences",
        re.compile(r"\\documentclass\b|\\begin\{document\}"),
    ),
    Markup(
        "a treebank (CoNLL-U)",
        "take the sentences out of it, for example with `sed -n 's/^# text = //p'`",
        re.compile(r"# sent_id = |\d+\t[^\t ]+\t[^\t ]+\t([A-Z]+|_)\t"),
    ),
    Markup("XML", "take the text out of it, one sentence a line", re.compile(r"<\?xml\b")),
    Markup(
        "JSON lines",
        "take the text out of it, for example with `jq -r .text`, and split it into sentences",
        re.compile(r"\{\s*\"[^\"]+\"\s*:"),
    ),
    Markup(
        "JSON",
        "take the text out of it, for example with `jq -r '.. | .text? // empty'`, and split it into sentences",
        re.compile(r"\[\s*\{\s*\"|\"[A-Za-z_]\w*\"\s*:\s*([\[{]|(\".*\"|[-+\d.eE]+|true|false|null)[\s,}\]]*$)"),
    ),
    Markup(
        "a gettext catalogue (.po)",
        "take the messages of one language out of it, for example with translate-toolkit's po2txt",
        re.compile(r"(msgid|msgstr(\[\d\])?) \""),
    ),
    Markup(
        "an archive of web pages (WARC, WET)",
        "take the text out of it, for example with the library warcio, and split it into sentences",
        re.compile(r"WARC/\d\.\d$|WARC-[A-Z][A-Za-z-]+: "),
        least=2,
    ),
    Markup(
        "subtitles with their times (.srt, .vtt)",
        "take the numbers and times out of it",
        re.compile(r"WEBVTT($| - |[ \t][A-Z]\w*:)|\d\d:\d\d:\d\d[,.]\d{3} --> "),
    ),
)


def recognise_markup(beginning: str) -> Optional[Markup]:
    """What a file is by its first lines, if it is no text yet: a dump, SGML, JSON and the like. None for plain text."""
    lines = [line.strip("\ufeff \t\r") for line in beginning.split("\n")]
    lines = [line for line in lines if line][:_LINES]
    found = (kind for kind in _KINDS if sum(bool(kind.pattern.match(line)) for line in lines) >= kind.least)
    return next(found, None)


def suspect_markup(beginning: str) -> Optional[Tuple[str, str]]:
    """What a file certainly is by its first lines, if it is text with something around its sentences: a table, mail,
    Markdown. Returns (its name, what to do first); None for plain text.

    Such files are taken all the same, with a warning: nobody means what is around, but words can be counted in them.
    """
    lines = [line.strip("\ufeff\r") for line in beginning.split("\n")]
    lines = [line for line in lines if line.strip()][:_LINES]
    if lines and (_MBOX.match(lines[0]) or _has_mail_headers(lines)):
        return "mail with its headers", "take the text out of it, for example with Python's module mailbox"
    if sum(bool(_HEADING.match(line)) for line in lines) >= 2 and any(map(_MARKDOWN.search, lines)):
        return "Markdown", "take the text out of it, for example with `pandoc -t plain`"
    if len(lines) > _ROWS:
        # text may begin or end with tabs in every line
        between = sum("\t" in line.strip() for line in lines)
        if len({line.count("\t") for line in lines}) == 1 and 2 * between > len(lines):
            return "a table, with tabs between its columns", "take the sentences out of it, such as with `cut -f 2`"
        for delimiter in ",;":
            if _is_table(lines, delimiter):
                return (
                    f"a table (CSV), with `{delimiter}` between its columns",
                    "take the sentences out of it, for example with `csvcut`",
                )
    return None


def _has_mail_headers(lines: Sequence[str]) -> bool:
    """Whether three fields of mail stand together, one of them as only programs write it: people write `From: here`."""
    together: List[str] = []
    for line in [*lines, ""]:
        if _HEADER_FIELD.match(line):
            together.append(line)
            continue
        fields = {found.group(1).lower() for found in map(_MAIL_HEADER.match, together) if found}
        if len(fields) >= 3 and any(map(_OF_A_PROGRAM.match, together)):
            return True
        together = []
    return False


def _is_table(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the first line names columns, one of them by a usual name, and all others have as many cells."""
    names = [name.strip().strip('"').lower() for name in lines[0].split(delimiter)]
    if (
        len(names) < 2
        or delimiter + " " in lines[0]
        or not _COLUMNS.intersection(names)
        or not (_NUMBERS.fullmatch(names[0]) or _COLUMN.fullmatch(names[0]))
        or not all(map(_COLUMN.fullmatch, names[1:]))
    ):
        return False
    # a cell may go on in the next line, and the last one be cut
    rows = list(csv.reader(lines[1:], delimiter=delimiter))[:-1]
    return len(rows) >= _ROWS - 1 and all(len(row) == len(names) for row in rows)


def unescape(text: str) -> str:
    """Character entities become what they stand for: `&quot;` a quote, `&#91;` a bracket, as Moses and HTML write them.

    Those that were escaped twice (`&amp;quot;`) too. A name that HTML does not know stays as it is. The number of lines
    stays: an entity that stands for a line break or another control character becomes a space.
    """
    for _ in range(2):
        if "&" not in text:
            return text
        text = _ENTITY.sub(_character, text)
    return text


def unescape_bytes(data: bytes) -> Tuple[bytes, int]:
    """The same of UTF-8, whether or not all of it is valid. Returns (the bytes, how many entities there were)."""
    counts = [0, 0]  # of entities, and of those that were escaped twice
    for turn in range(2):

        def replace(entity: "re.Match[bytes]") -> bytes:
            character = _ENTITY.sub(_character, entity.group().decode("ascii")).encode("utf-8", "replace")
            counts[turn] += character != entity.group()  # noqa: B023
            return character

        if b"&" not in data:
            break
        data = _ENTITY_BYTES.sub(replace, data)
    return data, counts[0]


def _character(entity: "re.Match") -> str:
    text = html.unescape(entity.group())
    return "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)
