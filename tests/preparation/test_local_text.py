"""crossinit-prepare local: preparation/local_text.py: which files of a folder a recipe takes."""

from pathlib import Path

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation import local_text


@pytest.fixture
def folder(tmp_path):
    names = [
        "general.en.txt.xz",
        "law.en.txt",
        "for-ne.en.txt.gz",
        "general.ro.txt",
        "general.ne.txt",
        "general.en.txt.bak",
        "en.txt",
    ]
    for name in names:
        (tmp_path / name).write_text("text\n")
    return str(tmp_path)


def names(paths):
    return [Path(path).name for path in paths]


def test_general_text_unless_some_was_made_for_a_language_of_the_run(folder):
    assert names(local_text.monolingual(folder, "en", ["en", "ro"])) == ["general.en.txt.xz", "law.en.txt"]
    assert names(local_text.monolingual(folder, "en", ["ne", "hi", "en"])) == ["for-ne.en.txt.gz"]
    assert names(local_text.monolingual(folder, "ro", ["en", "ro"])) == ["general.ro.txt"]


def test_a_language_without_text(folder):
    with pytest.raises(InputError, match="has no text in 'hi'"):
        local_text.monolingual(folder, "hi", ["ne", "hi", "en"])


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is empty"),
        (b"caf\xe9\n", "is not UTF-8"),
        (b"\x1f\x8b\x08\x00", "is compressed by gzip: unpack it.*gzip -d"),
        (b"a\nb\n", "not aligned: .*1 lines.*2 lines"),
    ],
)
def test_unfit_test_sets(tmp_path, content, message):
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "t.ne-en.ne").write_text("a\n")
    (tmp_path / "test" / "t.ne-en.en").write_bytes(content)
    with pytest.raises(InputError, match=message):
        local_text.aligned(str(tmp_path), "t.ne-en")
