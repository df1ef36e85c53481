"""Files as they come: edited, cut short, in another encoding, compressed; and a reader that is fed with them."""

import bz2
import gzip
import lzma
import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError

NASTY = [
    *(
        b"\xff",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\r",
        b"\n",
        b"\t",
        b" ",
        b",",
        b"#",
        b"=",
        b'"',
        b"\\",
        b"{",
        b"[",
    ),
    *(b"-", b"-1", b"0", b"1", b"9" * 19, b"9" * 5000, b"1e999", b"nan", b"inf", b"1.5", b"null", b"{}", b"[" * 9000),
    *("\u00b2".encode(), "\u0663".encode(), "\u2028".encode(), "\ud800".encode("utf-8", "surrogatepass"), b"\x1b[31m"),
    *(
        "\u0301".encode(),
        "\U0001f600".encode(),
        "\u0640".encode(),
        b"&quot;",
        b"&#0;",
        b"&#x110000;",
        b"<mediawiki",
        b"<0xE2>",
    ),
    *(
        b"# words: 7\n",
        b"# tokens: \n",
        b"# language: ../x\n",
        b"# languages: en\n",
        b"# columns",
        b"D-0\t",
        b"S-" + b"9" * 30,
    ),
]


@st.composite
def damaged(draw, whole):
    """Bytes: some whole file with a few edits, cut short, compressed, in another encoding; or any bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=80))
    data = whole if isinstance(whole, bytes) else whole.encode("utf-8")
    for _ in range(draw(st.integers(0, 4))):
        begin, length = draw(st.integers(0, len(data))), draw(st.integers(0, 12))
        new = draw(st.sampled_from(NASTY + [b"", data[begin : begin + 20], data[:begin]]))
        data = data[:begin] + new + data[begin + length :]
    kind = draw(st.integers(0, 11))
    if kind == 0:
        data = data.decode("utf-8", "replace").encode("utf-16")
    elif kind < 4:
        data = (gzip.compress, bz2.compress, lzma.compress)[kind - 1](data)
        data = data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data
    return data


def _feed(read, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        try:
            read(path)
        except InputError as error:
            assert "\n" not in str(error) and str(error).strip()


def fuzz(whole, read, count):
    """Call a reader, a function of a path, with `count` damaged versions of a file: it ends well or in a sentence."""

    @settings(max_examples=count, deadline=None, derandomize=True)
    @given(damaged(whole))
    def run(data):
        _feed(read, data)

    run()


def cut(whole, read, count):
    """The same with the whole file cut at random places."""
    data, rng = whole if isinstance(whole, bytes) else whole.encode("utf-8"), random.Random(len(whole))
    for _ in range(count):
        _feed(read, data[: rng.randrange(len(data))])
