"""examples/quickstart/debian_text.py and the modules beside it."""

import gettext
import gzip
import io
import json
import os
import shutil
import struct
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.programs import modules_of

HERE = os.path.dirname(os.path.abspath(__file__))
QUICKSTART = os.path.join(HERE, "..", "..", "examples", "quickstart")
apt_packages, debian_text, manpages, messages = modules_of(
    QUICKSTART, "apt_packages", "debian_text", "manpages", "messages"
)

HEADER = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=3; plural=n;\n"


def make_mo(entries):
    """The bytes of a .mo file of {msgid: msgstr}."""
    entries = sorted((a.encode(), b.encode()) for a, b in dict(entries, **{"": HEADER}).items())
    count, start = len(entries), 28
    text, tables = b"", ([], [])
    base = start + 16 * count
    for side in (0, 1):
        for entry in entries:
            tables[side].append((len(entry[side]), base + len(text)))
            text += entry[side] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, count, start, start + 8 * count, 0, 0)
    return head + b"".join(struct.pack("<2I", *row) for table in tables for row in table) + text


def test_make_mo_is_a_catalogue():
    data = io.BytesIO(make_mo({"File": "Fi\u0219ier"}))
    catalogue = gettext.GNUTranslations(data)
    assert catalogue.gettext("File") == "Fi\u0219ier"


def test_read_mo():
    data = make_mo({"menu\x04_File": "_Fi\u015fier", "%d file\0%d files": "%d fi\u0219ier\0%d fi\u0219iere\0x"})
    assert sorted(messages.read_mo(data)) == [("%d file", "%d fi\u0219ier"), ("_File", "_Fi\u015fier")]
    with pytest.raises(ValueError):
        messages.read_mo(b"not a catalogue")
    with pytest.raises(ValueError):
        messages.read_mo(data[:40])


@pytest.mark.parametrize(
    "source, target, pairs",
    [
        ("_File", "_Fi\u015fier", [("File", "Fi\u0219ier")]),
        ("E&xit now", "&Ie\u015fire acum", [("Exit now", "Ie\u0219ire acum")]),
        ("~Insert", "~Inserare", [("Insert", "Inserare")]),
        ("Set user_id now", "Stabile\u0219te user_id acum", [("Set user_id now", "Stabile\u0219te user_id acum")]),
        ("Save  the\tfile", "Salveaz\u0103\u00a0fi\u0219ierul", [("Save the file", "Salveaz\u0103 fi\u0219ierul")]),
        (
            "<b>Bold &amp; big</b> letters here",
            "Litere <b>groase</b> &amp; mari",
            [("Bold & big letters here", "Litere groase & mari")],
        ),
        ("label|Open", "Deschide", [("Open", "Deschide")]),
        ("  -f, --force    do it anyway", "  -f, --force    f\u0103 oricum", [("do it anyway", "f\u0103 oricum")]),
        (
            "It works.\nAll is well.",
            "Merge.\nTotul e bine.",
            [("It works.", "Merge."), ("All is well.", "Totul e bine.")],
        ),
        (
            "a text that is\nwrapped by hand",
            "un text care este\nrupt cu m\u00e2na",
            [("a text that is wrapped by hand", "un text care este rupt cu m\u00e2na")],
        ),
        (
            "First.\n\nSecond one",
            "\u00cent\u00e2i.\n\nAl doilea",
            [("First.", "\u00cent\u00e2i."), ("Second one", "Al doilea")],
        ),
    ],
)
def test_clean_keeps(source, target, pairs):
    assert messages.clean(source, target, "ro") == pairs


@pytest.mark.parametrize(
    "source, target, reason",
    [
        ("OK", "", "untranslated"),
        ("Linux %s", "Linux: %s", "same on both sides"),
        ("%d: %s", "%s: %d", "no letters"),
        ("Line %d of %s in %s", "Linia %d din %s \u00een %s", "directives"),
        ("<a href='x.html'>x</a>", "<a href='x.html'>y</a>", "markup"),
        ("https://example.org/", "https://example.ro/", "code"),
        ("No", "Nu se poate face asta acum, nici mai t\u00e2rziu", "length ratio"),
        ("word " * 61, "cuv\u00e2nt " * 61, "too long"),
    ],
)
def test_clean_drops(source, target, reason):
    dropped = Counter()
    assert messages.clean(source, target, "ro", dropped) == []
    assert dropped == {reason: 1}


def test_key():
    assert messages.key("Open the File %s: 12!") == "openthefile"
    assert messages.key("\u0218terge") == "\u0219terge"


PAGE = r""".\" a comment
.TH TOY 1 "2020" "toys" "User Commands"
.SH NAME
toy \- not to be kept as a line
.SH SYNOPSIS
.B toy
[\fIOPTION\fR]... and many words that are dropped
.SH DESCRIPTION
.PP
The program \fBtoy\fP copies well\-known
.I files
into your
.BR folder .
It doesn\(aqt ask, e.g. Bob would wonder.
.TP
\fB\-f\fR, \fB\-\-force\fR
overwrite whatever is already there
.nf
code that nobody wants to read
.fi
.if n \{\
skipped by the condition of this block
.\}
.SH "SEE ALSO"
Other pages that are listed here.
"""


def test_groff():
    assert manpages.lines(PAGE, "en") == [
        "The program toy copies well-known files into your folder.",
        "It doesn't ask, e.g. Bob would wonder.",
        "overwrite whatever is already there",
    ]
    assert manpages.lines(".Dd May 1\n.Sh NAME\nsome words of mdoc here\n", "en") == []
    assert manpages.arguments('a "b c" d') == ["a", "b c", "d"]


def test_pages_go_to_one_side():
    assert manpages.side("ls.1", ["en"]) == "en"
    sides = Counter(manpages.side(f"page{i}.1", ["en", "ro"]) for i in range(400))
    assert sides["ro"] > sides["en"] > 0


def test_misplaced():
    english, foreign = messages.vocabularies([("the file is open", "fi\u0219ierul este deschis")])
    assert messages.misplaced("the file este open", foreign, english)
    assert not messages.misplaced("fi\u0219ierul open este", foreign, english)


WORDS = (
    st.lists(st.sampled_from("alpha beta gamma delta 1 %s".split()), min_size=1, max_size=3)
    .map(" ".join)
    .filter(messages.key)
)
PAGES = st.dictionaries(
    st.sampled_from(["a.1", "b.1", "c.1", "d.1"]),
    st.dictionaries(st.sampled_from(["en", "ro"]), st.lists(WORDS, min_size=1, max_size=3), min_size=1),
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(WORDS, WORDS.map(str.upper)), max_size=25),
    PAGES,
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 5),
)
def test_split_shares_nothing(pairs, pages, dev, test, seed):
    # A prefix keeps the languages apart; pages and messages share strings.
    pairs = [("x" + a, "y" + b) for a, b in pairs]
    pages = {
        page: {lang: [{"en": "x", "ro": "y"}[lang] + line for line in lines] for lang, lines in sides.items()}
        for page, sides in pages.items()
    }
    try:
        files = debian_text.compose(pairs, pages, ["en", "ro"], dev, test, seed, 9.0, Counter())
    except ValueError:
        return
    keys = {name: [messages.key(line) for line in lines] for name, lines in files.items()}
    for a, b in pairs:
        a, b = messages.key(a), messages.key(b)
        assert not (a in keys["mono.en"] and b in keys["mono.ro"])
    for lang in ("en", "ro"):
        mono = keys["mono." + lang]
        assert len(mono) == len(set(mono))
        held = keys["dev." + lang] + keys["test." + lang]
        assert len(held) == len(set(held))
        assert not set(held) & set(mono)
    assert (len(files["dev.en"]), len(files["test.ro"])) == (dev, test)
    for name in ("dev", "test"):
        assert set(zip(files[name + ".en"], files[name + ".ro"])) <= set(pairs)


def test_components_join_by_either_key():
    pairs = [("Open", "Deschide"), ("Opened", "Deschide"), ("Close", "\u00cenchide")]
    assert sorted(map(len, messages.components(pairs))) == [1, 2]


COUNT = 40
LETTERS = "abcdefghij"


def entries():
    """Forty messages, of letters that tell them apart."""
    names = [(LETTERS[i // 10] + LETTERS[i % 10]) * 3 for i in range(COUNT)]
    return {"_Press the button " + name: "_Apas\u0103 pe butonul " + name for name in names}


@pytest.fixture
def deb(tmp_path):
    """A small package with a catalogue and two manual pages."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("no dpkg-deb")
    root = tmp_path / "root"
    files = {
        "DEBIAN/control": b"Package: toy\nVersion: 1:2\n"
        b"Architecture: all\nMaintainer: A <a@example.org>\n"
        b"Description: toy\n",
        "usr/share/locale/ro/LC_MESSAGES/toy.mo": make_mo(entries()),
        "usr/share/locale/sv/LC_MESSAGES/toy.mo": b"other language",
        "usr/share/man/man1/toy.1.gz": gzip.compress(PAGE.encode()),
        "usr/share/man/ro/man1/jucarie.1": PAGE.encode(),
    }
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (root / "DEBIAN").chmod(0o755)
    out = tmp_path / "toy_1%3a2_all.deb"
    subprocess.run(["dpkg-deb", "--build", "-Znone", str(root), str(out)], check=True, stdout=subprocess.DEVNULL)
    return str(out)


def test_read_deb(deb, tmp_path):
    assert [(kind, name) for name, kind, _ in apt_packages.read_deb(deb, ["en", "ro"])] == [
        ("mo", "/./usr/share/locale/ro/LC_MESSAGES/toy.mo"),
        ("en", "/./usr/share/man/man1/toy.1.gz"),
        ("ro", "/./usr/share/man/ro/man1/jucarie.1"),
    ]
    broken = tmp_path / "broken.deb"
    broken.write_bytes(b"no package")
    assert apt_packages.read_deb(str(broken), ["en", "ro"]) == []


def test_program(deb, tmp_path, monkeypatch, capsys):
    fields = {"Version": "1:2", "Size": "9", "SHA256": "0"}
    monkeypatch.setattr(debian_text, "fetch", lambda names, cache: ({"toy": deb}, {"toy": fields}, ["gone"]))
    texts = []
    for out in ("one", "two"):
        folder = tmp_path / out
        assert debian_text.main(["--out", str(folder), "--dev", "3", "--test", "4", "--packages", "toy,gone"]) == 0
        texts.append({p.name: p.read_bytes() for p in folder.iterdir()})
    assert texts[0] == texts[1]
    assert sorted(texts[0]) == ["dev.en", "dev.ro", "mono.en", "mono.ro", "report.json", "test.en", "test.ro"]
    lines = {name: data.decode().splitlines() for name, data in texts[0].items()}
    assert len(lines["dev.en"]) == len(lines["dev.ro"]) == 3
    assert len(lines["test.en"]) == len(lines["test.ro"]) == 4
    assert all("Apas\u0103" in line for line in lines["dev.ro"])
    report = json.loads(texts[0]["report.json"].decode())
    assert report["missing_packages"] == ["gone"]
    assert report["packages"]["toy"]["pairs"] == COUNT
    assert report["files"]["test.en"]["lines"] == 4
    assert "3 lines" in capsys.readouterr().out


def run(arguments, path):
    """The program as a user calls it, with another PATH."""
    return subprocess.run(
        [sys.executable, os.path.join(QUICKSTART, "debian_text.py")] + arguments,
        env=dict(os.environ, PATH=path, PYTHONIOENCODING="utf-8", PYTHONDONTWRITEBYTECODE="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_without_apt(tmp_path):
    done = run(["--out", str(tmp_path / "out")], str(tmp_path))
    error = done.stderr.decode().splitlines()
    assert done.returncode == 2
    assert "apt-get was not found" in error[-1]
    assert "--text ro=FILE" in error[-1]
    assert len(error) <= 2 and "Traceback" not in "".join(error)
    assert not (tmp_path / "out" / "mono.en").exists()


def test_without_network(tmp_path):
    fake = tmp_path / "bin"
    fake.mkdir()
    program = fake / "apt-get"
    program.write_text("#!/bin/sh\necho 'E: Could not resolve host' >&2\nexit 100\n")
    program.chmod(0o755)
    done = run(["--out", str(tmp_path / "out")], str(fake))
    assert done.returncode == 2
    assert "Could not resolve host" in done.stderr.decode().splitlines()[-1]


def test_help_and_bad_arguments(tmp_path):
    assert b"mono.ro" in run(["--help"], "").stdout
    done = run(["--out", str(tmp_path), "--langs", "ro,sv"], "")
    assert done.returncode == 2
