"""Plain sentences out of manual pages (groff with the ``man`` macros).

This is no groff: it knows enough of the macros to find running text, and
leaves out whatever is not: synopses, tables, code, tags of options.
"""

import hashlib
import re

import messages

# Sections that hold no sentences, or the same ones in every page.
SKIP = re.compile(
    r"name|synopsis|see also|author|copyright|licen|report|bugs? report"
    r"|colophon|history|conform|standards|availab|version|files|library"
    r"|attribut"
    r"|nume|rezumat|sinopsis|sumar|consulta|vezi|autor|drepturi|raport"
    r"|traduc|istoric|versiun|fi\u0219ier|bibliotec|disponib",
    re.I,
)
BLOCKS = {"TS": "TE", "EQ": "EN", "nf": "fi", "EX": "EE", "Vb": "Ve", "PS": "PE", "SY": "YS"}
FONT = re.compile(r"\\[fFmM](?:\[[^\]]*\]|\(..|.)|\\s(?:\[[^\]]*\]|[-+]?\d)" r"|\\[&%:/,|^c)]|\\[hvwzk]'[^']*'|\\[ud]")
GLYPHS = {
    "aq": "'",
    "cq": "\u2019",
    "oq": "\u2018",
    "lq": "\u201c",
    "rq": "\u201d",
    "dq": '"',
    "bu": "",
    "em": "\u2014",
    "en": "\u2013",
    "co": "\u00a9",
    "rs": "\\",
    "ti": "~",
    "ha": "^",
    "hy": "-",
    "mi": "-",
    "ga": "`",
    "Bq": "\u201e",
    "Fo": "\u00ab",
    "Fc": "\u00bb",
    "R": "",
    "rg": "",
    "tm": "",
    "Tm": "",
    "pc": "\u00b7",
}
GLYPH = re.compile(r"\\\*?(?:\[([^\]]*)\]|\((..))|\\\*(.)")
PARAGRAPH = {"PP", "P", "LP", "TP", "TQ", "IP", "HP", "RS", "RE", "sp", "br", "SH", "SS", "TH", "Sp", "in", "ti", "ce"}
ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|etc|vs|cf|resp|ex|nr|pag|vol|fig|approx|viz|al|[^\W\d_])" r"\.[)\"\u201d]?$", re.I
)


def side(name, languages):
    """The one language that may use a page, by a hash of its name.

    Of pages that exist in several languages the last one, the scarcer, gets
    seven out of eight, for English has plenty of others.
    """
    if len(languages) == 1:
        return languages[0]
    digest = hashlib.sha256(name.encode("utf-8")).digest()
    return languages[-1] if digest[1] % 8 < 7 else languages[0]


def unescape(text):
    """Text without groff's escapes."""
    text = FONT.sub("", text.replace("\\\\", "\\e"))
    text = GLYPH.sub(lambda m: GLYPHS.get(m.group(1) or m.group(2) or m.group(3) or "", ""), text)
    for escape, plain in (
        ("\\-", "-"),
        ("\\ ", " "),
        ("\\~", " "),
        ("\\0", " "),
        ("\\'", "'"),
        ("\\`", "`"),
        ("\\.", "."),
        ("\\t", " "),
        ("\\e", "\\"),
    ):
        text = text.replace(escape, plain)
    return text


def arguments(rest):
    """The arguments of a macro; double quotes keep spaces."""
    found = re.findall(r'"((?:[^"]|"")*)"?|((?:\\.|[^\s"\\])\S*(?:\\ \S*)*)', rest)
    return [(a or b).replace('""', '"') for a, b in found]


def macro(name, rest):
    """The text that a font macro sets, or None for any other macro."""
    if name in ("B", "I", "SM", "SB", "R"):
        return " ".join(arguments(rest))
    if name in ("BR", "BI", "IB", "IR", "RB", "RI"):
        return "".join(arguments(rest))
    return None


def paragraphs(source):
    """The paragraphs of running text of a page's groff source."""
    if re.search(r"^\.\s*(Dd|Sh)\b", source, re.M):
        return []  # mdoc, another language altogether
    done, now = [], []
    until, skipping, tag, braces = None, True, False, 0
    for line in source.split("\n"):
        line = re.sub(r'(?:^|(?<=[^\\]))\\["#].*', "", line)
        request = re.match(r"[.']\s*([A-Za-z]+|\\\})?\s*(.*)", line)
        name, rest = request.groups() if request else (None, line)
        if until:
            if (until == ".." and line.startswith("..")) or name == until:
                until = None
            continue
        if braces or name in ("if", "ie", "el", "while"):
            braces = max(0, braces + line.count("\\{") - line.count("\\}"))
            continue
        if name in ("de", "ig", "am", "de1"):
            until = ".."
            continue
        if name in BLOCKS:
            until = BLOCKS[name]
        if name in PARAGRAPH or name in BLOCKS or not line.strip():
            if now:
                done.append(" ".join(now))
            now, tag = [], name in ("TP", "TQ")
            if name in ("SH", "SS", "TH"):
                title = unescape(" ".join(arguments(rest)))
                # A sub-section belongs to its section: it cannot end a skip.
                if name == "SH":
                    skipping = not title or bool(SKIP.match(title))
            continue
        if request and name in ("UE", "ME"):
            text = rest
        else:
            text = macro(name, rest) if request else line
        if text is None or skipping:
            continue
        if tag:  # the line after .TP is an option's name
            tag = False
            continue
        text = unescape(text).strip()
        if request and name in ("UE", "ME") and now:
            now[-1] += text
        elif text:
            now.append(text)
    if now:
        done.append(" ".join(now))
    return done


def sentences(paragraph):
    """A simple split at sentence ends before a capital letter."""
    start = 0
    for end in re.finditer(r"[.!?]+[)\"\u201d\u00bb]*\s+", paragraph):
        after = paragraph[end.end() :].lstrip('"(\u201e\u00ab\u201c')[:1]
        before = paragraph[start : end.end()].strip()
        if after.isupper() and not ABBREVIATION.search(before):
            yield before
            start = end.end()
    yield paragraph[start:].strip()


def lines(source, lang):
    """Clean sentences of a page: 4 to 60 words and little code in them."""
    kept = []
    for paragraph in paragraphs(source):
        for sentence in sentences(messages.tidy(paragraph, lang)):
            tokens = sentence.split()
            code = sum(bool(messages.CODE.search(t)) for t in tokens)
            if (
                4 <= len(tokens)
                and messages.fault(sentence) is None
                and 4 * code <= len(tokens)
                and sentence[0].isalpha()
            ):
                kept.append(sentence)
    return kept
