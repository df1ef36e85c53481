"""No splitter of the examples leaves a translation in the training text: looked for in the files that they write.

Own text (quickstart), captions, messages and manual pages of Debian packages. Lines are the same if their letters are.
"""

import collections
import itertools
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.programs import modules_of

pytest.importorskip("sacremoses")

ROOT = Path(__file__).parents[2]
# few words, so that many lines are shared; case and punctuation differ
LINE = st.lists(st.sampled_from("alpha beta gamma delta".split()), min_size=1, max_size=2).map(" ".join)
LOOKS = st.sampled_from(["{}", "{} !", "{}...", "«{}»"])
PAIRS = st.lists(st.tuples(LINE, LINE), min_size=12, max_size=40)
PER_TEST = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def module(folder, name):
    """A program of an example."""
    return modules_of(ROOT / "examples" / folder, name)[0]


def key(line):
    return "".join(character for character in line.lower() if character.isalpha())


def written(folder, name):
    """The keys of the lines of a file; none of one that is not there."""
    path = folder / name
    return {key(line) for line in path.read_text("utf-8").split("\n") if key(line)} if path.exists() else set()


def check_no_leak(folder, pairs, first, second):
    """pairs: the aligned text as keys; first, second: its languages. Returns the keys of the two monolingual files."""
    mono = [written(folder, f"mono.{language}") for language in (first, second)]
    held = [written(folder, f"dev.{language}") | written(folder, f"test.{language}") for language in (first, second)]
    for side, language in enumerate((first, second)):
        assert not mono[side] & held[side], "a held-out line is trained on"
        assert not written(folder, f"dev.{language}") & written(folder, f"test.{language}"), "a line is in dev and test"
    for one, other in pairs:
        assert not (one in mono[0] and other in mono[1]), f"{one} and its translation {other} are trained on"
        assert not (one in held[0] and other in mono[1]), f"{other}, which translates the held-out {one}, is trained on"
        assert not (one in mono[0] and other in held[1]), f"{one}, which translates the held-out {other}, is trained on"
    return mono


def write(path, lines):
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return str(path)


@PER_TEST
@given(st.data(), PAIRS, st.booleans(), st.integers(0, 3))
def test_own_text(tmp_path_factory, data, pairs, given_test, seed):
    folder = tmp_path_factory.mktemp("own")
    own_text = module("quickstart", "own_text")
    own_text._FEWEST, own_text.looks_aligned = 0, lambda *sides: True
    lines = [[data.draw(LOOKS).format("x " + one), data.draw(LOOKS).format("y " + other)] for one, other in pairs]
    arguments = ["--text"] + [f"{name}={write(folder / name, side)}" for name, side in zip("ab", zip(*lines))]
    arguments[1:] = [argument.replace("a=", "en=", 1).replace("b=", "ro=", 1) for argument in arguments[1:]]
    if given_test:
        test = data.draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=3))
        for name, side in zip(("en", "ro"), (0, 1)):
            write(folder / f"given.{name}", ["xy"[side] + " " + pair[side] for pair in test])
        arguments += ["--test"] + [f"{name}={folder / ('given.' + name)}" for name in ("en", "ro")]
    try:
        run_main(own_text, arguments + ["--hold-out", "2", "--seed", str(seed), "--out", str(folder / "out")])
    except SystemExit as stop:
        assert "can be held out" in str(stop.code)
        return
    keys = [(key("x " + one), key("y " + other)) for one, other in pairs]
    mono = check_no_leak(folder / "out", keys, "en", "ro")
    assert len(written(folder / "out", "dev.en")) == 2 and len(written(folder / "out", "dev.ro")) == 2
    assert mono[0] <= {one for one, _ in keys} and mono[1] <= {other for _, other in keys}


def run_main(program, arguments):
    before = sys.argv
    sys.argv = ["program"] + arguments
    try:
        program.main()
    finally:
        sys.argv = before


@PER_TEST
@given(PAIRS, st.lists(st.tuples(LINE, LINE), min_size=4, max_size=8), st.data())
def test_captions(tmp_path_factory, train, held_out, data):
    folder = tmp_path_factory.mktemp("captions")
    text = module("captions", "text")
    text._FEWEST = 1
    for name, pairs in (("train", train), ("val", held_out)):
        for side, language in enumerate(("en", "fr")):
            write(
                folder / f"{name}.{language}",
                [data.draw(LOOKS).format("xy"[side] + " " + pair[side]) for pair in pairs],
            )
    text.main(["--text", str(folder), "--langs", "en,fr", "--dev", "2", "--out", str(folder / "out")])
    keys = [(key("x " + one), key("y " + other)) for one, other in train + held_out]
    out = folder / "out"
    for language in ("en", "fr"):  # dev and test are the two parts of val, which may repeat one another
        (out / f"test.{language}").write_text(
            (out / f"test.{language}").read_text() + (out / f"dev.{language}").read_text()
        )
        (out / f"dev.{language}").unlink()
    check_no_leak(out, keys, "en", "fr")


NAMES = ["a.1", "b.1", "c.1", "d.1", "e.1"]
CONTENT = 6  # sentences that some pages hold, each in both languages


def sentence(language, number):
    return {"en": "the sentence called ", "ro": "propoziția numită "}[language] + "abcdefghij"[number] * 5


@PER_TEST
@given(
    st.lists(st.tuples(LINE, LINE), max_size=25),
    st.dictionaries(
        st.sampled_from(NAMES),
        st.tuples(
            st.lists(st.integers(0, CONTENT), min_size=1, max_size=3, unique=True),
            st.sampled_from(["en", "ro", "both"]),
        ),
        max_size=5,
    ),
    st.integers(0, 5),
)
def test_messages_and_manual_pages(tmp_path_factory, pairs, described, seed):
    folder = tmp_path_factory.mktemp("debian")
    debian_text = module("quickstart", "debian_text")
    pairs = [("x " + one, "y " + other) for one, other in pairs]
    pages = {
        name: {lang: [sentence(lang, n) for n in numbers] for lang in ("en", "ro") if languages in (lang, "both")}
        for name, (numbers, languages) in described.items()
    }
    try:
        files = debian_text.compose(pairs, pages, ["en", "ro"], 1, 1, seed, 9.0, collections.Counter())
    except ValueError:
        return
    for name, lines in files.items():
        debian_text.write(str(folder / name), "".join(line + "\n" for line in lines))
    keys = [(key(one), key(other)) for one, other in pairs]
    # that two sentences translate each other can be known by a page that is there in both languages
    known = {n for numbers, languages in described.values() if languages == "both" for n in numbers}
    keys += [(key(sentence("en", n)), key(sentence("ro", n))) for n in sorted(known)]
    check_no_leak(folder, keys, "en", "ro")


def test_a_page_under_two_names_is_on_one_side(tmp_path):
    """Without families of pages the two names would be dealt apart for some of these names."""
    debian_text = module("quickstart", "debian_text")
    for first, second in itertools.permutations(NAMES, 2):
        pages = {first: {"en": [sentence("en", 0)]}, second: {"en": [sentence("en", 0)], "ro": [sentence("ro", 0)]}}
        found = debian_text.manual(pages, ["en", "ro"], collections.Counter())
        assert sorted(map(bool, found.values())) == [False, True], (first, second)


@pytest.mark.parametrize("language", ["../x", "a b", "*", "", "x"])
def test_a_language_that_is_no_code_is_refused(tmp_path, language):
    own_text = module("quickstart", "own_text")
    text = write(tmp_path / "t", ["a"])
    with pytest.raises(SystemExit, match="is no language code"):
        run_main(own_text, ["--text", f"{language}={text}", f"ro={text}", "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
