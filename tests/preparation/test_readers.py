"""Whatever a file holds, each command of crossinit-prepare ends well or with one sentence: no traceback.

bash scripts/test.sh -m long tests/preparation/test_readers.py       2,000 files for each
"""

import functools
import json
import pathlib
import tempfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)

pytest.importorskip("sacremoses")
pytest.importorskip("indicnlp")
pytest.importorskip("py3langid")
pytest.importorskip("requests")

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation import line_filter
from crossinit_fairseq.preparation.downloads.manifest import Manifest

from .conftest import ENGLISH, ROMANIAN, read, run_in_process, sentences, write

PER_TEST = settings(suppress_health_check=list(HealthCheck), deadline=None)
MANY = settings(PER_TEST, max_examples=2000)
# bytes of text in several scripts, of encodings, of markup, and of no text at all
BYTES = st.lists(
    st.one_of(
        st.binary(max_size=8),
        st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.sampled_from(["\n", "\r\n", "\ufeff", "\0", "\u2028", "&quot;", "&#10;", "<b>", "पुन:", "ş", "." * 50]).map(
            str.encode
        ),
    ),
    max_size=30,
).map(b"".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["files", "listings", "url", "sha256", "file", "bytes", "dropped", "lines", "words", "lines_read"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module", autouse=True)
def one_identifier():
    """py3langid's model is loaded once a language, and not for each example: most of their time."""
    stock = line_filter.Identifier
    cached = functools.lru_cache(maxsize=None)(stock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_filter, "Identifier", lambda languages: cached(languages and tuple(languages)))
        yield


def ends_well(name, *options):
    """Run a subcommand; whether it ended without an error of the user's. Any other exception fails the test."""
    try:
        run_in_process(name, *options)
    except InputError as error:
        assert str(error) and "\n" not in str(error)
        return False
    return True


def clean_and_normalise(folder, data, language):
    (folder / "a").write_bytes(data)
    if ends_well("normalise", folder / "a", "--lang", language, "-o", folder / "b"):
        assert len(read(folder / "b")) == data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
    ends_well("clean", folder / "a", "--lang", language, "-o", folder / "c", "--workers", "1")
    kept_out = ["--keep-out", folder / "a"]
    text = write(folder / "t", sentences(ROMANIAN, 20))
    ends_well("clean", text, "--lang", "ro", "-o", folder / "c", "--workers", "1", *kept_out)


def vocabulary_encode_report(folder, data, name):
    counts = {"lines_read": 1, "words_read": 1, "lines": 1, "words": 1, "dropped": {}}
    for language, words in (("en", ENGLISH), ("ro", ROMANIAN)):
        write(folder / "clean" / f"{language}.txt", sentences(words, 30))
        write(folder / "clean" / f"{language}.json", [json.dumps(counts)])
    where = ["--langs", "en,ro", "--text", folder / "clean"]
    if name.startswith("clean"):
        (folder / name).write_bytes(data)
    ends_well("vocabulary", *where, "--size", "60", "--out", folder / "pieces")
    if name.endswith("model") or name.endswith("dict.txt"):
        (folder / "pieces").mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    ends_well(
        "encode", *where, "--model", folder / "pieces" / "spm.model", "--out", folder / "pieces", "--workers", "1"
    )
    if name.endswith("train.en") and (folder / name).exists():
        (folder / name).write_bytes(data)
    given = ["--langs", "en,ro", "--clean", folder / "clean", "--pieces", folder / "pieces", "--out", folder]
    ends_well("report", *given)


def json_files(folder, content):
    (folder / "sources.json").write_text(json.dumps(content))
    try:
        manifest = Manifest(str(folder))
        for name, _ in manifest.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            assert manifest.has(name, "no such address") is False and manifest.first_sha256(name, "none") is None
    except InputError as error:
        assert "sources.json cannot be read: delete it" in str(error)
    for language in ("en", "ro"):
        write(folder / "clean" / f"{language}.json", [json.dumps(content)])
        write(folder / "pieces" / "0" / f"train.{language}", ["a b"])
    write(folder / "pieces" / "dict.txt", ["a 1", "[en] 1", "[ro] 1", "<mask> 1"])
    ends_well("report", "--langs", "en,ro", "--clean", folder / "clean", "--pieces", folder / "pieces", "--out", folder)


LANGUAGES = st.sampled_from(["en", "ro", "ne", "de"])
NAMES = st.sampled_from(["clean/en.txt", "clean/test.ro", "pieces/spm.model", "pieces/dict.txt", "pieces/0/train.en"])
READERS = {
    "clean, normalise": (clean_and_normalise, (BYTES, LANGUAGES)),
    "vocabulary, encode, report": (vocabulary_encode_report, (BYTES, NAMES)),
    "JSON": (json_files, (JSON,)),
}


def fuzz(how_many, name):
    read, drawn = READERS[name]

    @how_many
    @given(st.tuples(*drawn))
    def run(arguments):
        with tempfile.TemporaryDirectory() as folder:
            read(pathlib.Path(folder), *arguments)

    run()


@pytest.mark.parametrize("name", READERS)
def test_damaged_files(name):
    fuzz(PER_TEST, name)


@pytest.mark.long
@pytest.mark.parametrize("name", READERS)
def test_many_damaged_files(name):
    fuzz(MANY, name)
