"""Cleaning and splitting of the messages of gettext catalogues.

A message catalogue (``.mo``) is a list of translated pairs: the English text
a program was written with (``msgid``) and its translation (``msgstr``).  This
module turns such pairs into clean lines of text, and then deals the pairs out
so that no unsupervised method can profit from them by accident:

* a few *natural* pairs are held out, aligned, as dev and test sets;
* of the others, one half gives its English side, the other half gives its
  foreign side, and no string stands opposite its own translation.
"""

import functools
import html
import random
import re
import struct
import unicodedata
from collections import Counter

from crossinit_fairseq.preparation.splitting import connected_pairs

MAX_WORDS = 60
MAX_CHARACTERS = 2000  # of a message; patterns take time by the square of a longer one's length
MAX_DIRECTIVES = 2
NATURAL_WORDS = (4, 25)

# Romanian is written with a comma below; old catalogues have the cedilla.
LETTERS = {"ro": str.maketrans("\u015f\u0163\u015e\u0162", "\u0219\u021b\u0218\u021a")}

DIRECTIVE = re.compile(
    r"%(?:\(\w+\)|<\w+>|\d+\$)?[-+#0']*(?:\d+|\*)?(?:\.(?:\d+|\*))?"
    r"(?:hh|h|ll|l|z|j|t|q)?[a-zA-Z](?![a-z])"  # printf: %s %5.2f %(name)s
    r"|%\w*\d\b|%[A-Z]{2,}\b|%%"  # Qt: %1; LibreOffice: %NAME
    r"|\$\{?\w+\}?|\$\(\w+\)|\{\w*(?::[^}\s]*)?\}|@\w+@"
)
TAG = re.compile(r"</?[A-Za-z][^<>]*>")
BREAK = re.compile(r"<\s*/?\s*(?:br|p|li|para|item|title)\b[^<>]*>", re.I)
OPTION = re.compile(r"^\s*-{1,2}[\w?@].*?(?:\s{2,}|\t)\s*(?=\S)")
CODE = re.compile(r"://|^www\.|\w@\w|^--?\w|^[~.]?/\w|/.*/|[{}\\$=<>|#\[\]_^`]" r"|::|\(\)|\w\.\w{1,4}\b(?!\.)|^\W+$")
MARK = re.compile(r"[_&~](?=[^\W_])")
CJK_MARK = re.compile(r"\s?\([_&~]\w\)")  # "File(_F)"
END = (".", "!", "?", ":", ";", "\u2026")


def read_mo(data):
    """The (msgid, msgstr) texts of the bytes of a .mo file, singular forms.

    Python's ``gettext`` offers look-up but no public way to list a
    catalogue, and the format is four tables of integers.
    """
    magic = data[:4]
    order = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}.get(magic)
    if order is None:
        raise ValueError("not a .mo file")
    try:
        count, ids, strs = struct.unpack_from(order + "3I", data, 8)
        charset, raw = "utf-8", []
        for i in range(count):
            pair = []
            for table in (ids, strs):
                size, start = struct.unpack_from(order + "2I", data, table + 8 * i)
                pair.append(data[start : start + size])
            if not pair[0]:  # the header
                found = re.search(rb"charset=([\w.:-]+)", pair[1])
                charset = found.group(1).decode() if found else charset
                continue
            raw.append(pair)
        pairs = []
        for msgid, msgstr in raw:
            msgid = msgid.split(b"\x04")[-1].split(b"\0")[0]
            msgstr = msgstr.split(b"\0")[0]
            pairs.append((msgid.decode(charset, "replace"), msgstr.decode(charset, "replace")))
        return pairs
    except (struct.error, LookupError) as error:
        raise ValueError(f"broken .mo file: {error}") from error


@functools.lru_cache(maxsize=None)  # each line's is asked for ten times
def key(text):
    """Near-duplicate key: the lower-cased letters (and their marks) only."""
    text = DIRECTIVE.sub("", text).lower()
    if text.isascii():  # quicker
        return re.sub("[^a-z]+", "", text)
    return "".join(c for c in text if unicodedata.category(c)[0] in "LM")


def tidy(text, lang):
    """NFC, one kind of white space, and the letters usual today."""
    text = unicodedata.normalize("NFC", text).translate(LETTERS.get(lang, {}))
    if not text.isprintable():
        kinds = [(c, unicodedata.category(c)) for c in text]
        text = "".join(" " if kind in ("Cc", "Zs", "Zl", "Zp") else c for c, kind in kinds if kind != "Cf")
    return " ".join(text.split())


def strip_marks(source, target):
    """Remove the accelerator marks of menu entries (``_File``, ``E&xit``).

    A mark stands once in a string.  A word that both sides share with its
    mark (``user_id``, ``R&D``) is a name, not an accelerator.
    """
    source, target = CJK_MARK.sub("", source), CJK_MARK.sub("", target)
    for mark in set(MARK.findall(source + " " + target)):
        sides = []
        for text in (source, target):
            words = [w for w in text.split() if any(m.group() == mark for m in MARK.finditer(w))]
            sides.append(words)
        if set(sides[0]) & set(sides[1]) or max(map(len, sides)) > 1:
            continue
        one = re.compile(re.escape(mark) + r"(?=[^\W_])")
        if max(len(one.findall(t)) for t in (source, target)) == 1:
            source, target = one.sub("", source), one.sub("", target)
    return source, target


def split_lines(source, target):
    """Split both texts alike into (source, target) pieces, else join lines.

    Paragraphs are split where both sides have equally many; lines only where
    every line but the last ends like a sentence, since help texts are often
    wrapped by hand and their lines then do not correspond.
    """

    def paragraphs(text):
        return [p for p in re.split(r"\n[ \t]*\n", text) if p.strip()]

    left, right = paragraphs(source), paragraphs(target)
    if len(left) != len(right):
        return [(source, target)]
    pieces = []
    for a, b in zip(left, right):
        lines = [[x for x in p.split("\n") if x.strip()] for p in (a, b)]
        whole = all(x.rstrip().endswith(END) for side in lines for x in side[:-1])
        if len(lines[0]) == len(lines[1]) and whole:
            pieces.extend(zip(*lines))
        else:
            pieces.append((a, b))
    return pieces


@functools.lru_cache(maxsize=None)  # a word stands in many lines
def is_code(word):
    """Whether a word, without its directives, belongs to a program rather than to a language."""
    return bool(CODE.search(DIRECTIVE.sub("", word) or "%"))


def fault(text):
    """Why a clean text is no use as a line of text, or None."""
    words = text.split()
    if not any(sum(c.isalpha() for c in w) > 1 for w in words):
        return "no letters"
    if len(words) > MAX_WORDS:
        return "too long"
    if len(DIRECTIVE.findall(text)) > MAX_DIRECTIVES:
        return "directives"
    code = sum(map(is_code, words))
    if code > len(words) / 2 or code > 5:
        return "code"
    letters = sum(map(str.isalpha, text)) + text.count(" ")
    if not text.isascii():
        letters += sum(map(bool, map(unicodedata.combining, text)))
    if letters < 0.6 * len(text):
        return "symbols"
    return None


def clean(source, target, lang, dropped=None):
    """Clean line pairs of one message; drops are counted in ``dropped``."""
    dropped = Counter() if dropped is None else dropped
    if not target.strip():
        dropped["untranslated"] += 1
        return []
    if max(len(source), len(target)) > MAX_CHARACTERS:
        dropped["too long"] += 1
        return []
    # Old catalogues put the context before a bar: "keyboard label|Foo".
    if "|" in source and "|" not in target:
        source = source.split("|")[-1]
    markup = sum(len(m) for m in TAG.findall(source))
    if markup > len(source) / 2:
        dropped["markup"] += 1
        return []
    if markup:
        source, target = (html.unescape(TAG.sub("", BREAK.sub("\n\n", t))) for t in (source, target))
    kept = []
    for a, b in split_lines(source, target):
        if OPTION.match(a) and OPTION.match(b):  # "-f, --force   do it"
            a, b = OPTION.sub("", a), OPTION.sub("", b)
        a, b = strip_marks(tidy(a, "en"), tidy(b, lang))
        lengths = sorted((len(a.split()), len(b.split())))
        if "\ufffd" in a + b:
            reason = "encoding"
        else:
            reason = fault(a) or fault(b)
        if reason is None and key(a) == key(b):
            reason = "same on both sides"
        if reason is None and (lengths[1] > 2 * lengths[0] + 3 or not 1 / 3 < (len(a) + 8) / (len(b) + 8) < 3):
            reason = "length ratio"
        if reason is None and not (key(a) and key(b)):
            reason = "no letters"
        if reason:
            dropped[reason] += 1
        else:
            kept.append((a, b))
    return kept


def vocabularies(pairs):
    """How often each word occurs on either side: two Counters."""
    return tuple(
        Counter(word for pair in pairs for word in re.findall(r"[^\W\d_]+", pair[side].lower())) for side in (0, 1)
    )


def misplaced(text, own, other):
    """Whether more words are typical of the other language than of its own.

    Translations are often unfinished, and leave paragraphs in English.
    """
    votes = 0
    for word in re.findall(r"[^\W\d_]+", text.lower()):
        votes += (own[word] > 4 * other[word]) - (other[word] > 4 * own[word])
    return votes < 0


def unique(pairs):
    """The pairs less those whose two keys were both seen, in order."""
    seen, kept = set(), []
    for pair in pairs:
        mark = (key(pair[0]), key(pair[1]))
        if mark not in seen:
            seen.add(mark)
            kept.append(pair)
    return kept


def components(pairs):
    """Lists of pairs such that any two pairs sharing a key are together.

    "Open" may have two translations of which one also translates "Opened";
    all of them belong together.
    """
    groups = connected_pairs([(key(a), key(b)) for a, b in pairs])
    return [[pairs[number] for number in group] for group in groups]


def is_natural(pair):
    """Whether a pair looks like sentences somebody might say."""
    low, high = NATURAL_WORDS
    return all(
        low <= len(t.split()) <= high
        and t[0].isupper()
        and not DIRECTIVE.search(t)
        and not t.isupper()
        and not any(CODE.search(w) for w in t.split())
        for t in pair
    )


def words(lines):
    """The number of words in lines."""
    return sum(len(line.split()) for line in lines)


def split(pairs, dev, test, seed):
    """Deal pairs out: a dict of dev, test (pairs), source and target (pairs).

    Held-out pairs are components of a single pair, so that nothing close to
    them is left.  Whole components go to ``source`` or ``target``, the
    largest first and each to the side that has fewer words.
    """
    rng = random.Random(seed)
    groups = sorted(sorted(group) for group in components(unique(pairs)))
    rng.shuffle(groups)
    single = [i for i, group in enumerate(groups) if len(group) == 1]
    single.sort(key=lambda i: not is_natural(groups[i][0]))  # stable
    held = single[: dev + test]
    if len(held) < dev + test:
        raise ValueError(f"only {len(held)} message pairs can be held out, {dev + test} wanted")
    out = {
        "dev": [groups[i][0] for i in held[:dev]],
        "test": [groups[i][0] for i in held[dev:]],
        "source": [],
        "target": [],
    }
    held = set(held)
    rest = [group for i, group in enumerate(groups) if i not in held]
    rest.sort(key=lambda group: -len(group))  # stable
    size = {"source": 0, "target": 0}
    for group in rest:
        gain = {"source": words(a for a, _ in group), "target": words(b for _, b in group)}
        side = min(("source", "target"), key=lambda s: size[s] + gain[s])
        size[side] += gain[side]
        out[side].extend(group)
    return out


def one_each(lines):
    """The lines less those whose key was seen, in order."""
    seen = {}
    for line in lines:
        seen.setdefault(key(line), line)
    return list(seen.values())
