"""A lexicon of two languages through a third."""

import pytest

from crossinit_fairseq.cli.lexicon import main
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.bridge import compose
from crossinit_fairseq.lexicon.lexicon_file import BACKWARD, FORWARD, MUTUAL, Lexicon, Pair

SETTINGS = {"lowercase": "yes"}
NE_HI = Lexicon(
    "ne",
    "hi",
    [
        Pair("ghar", "makan", 0.9, (50, 60)),
        Pair("pani", "pani", 0.8, (40, 30)),
        Pair("bhawan", "makan", 0.7, (5, 60), FORWARD),  # makan's own best is ghar
        Pair("kitab", "pustak", 0.6, (4, 3)),  # pustak is not in the other lexicon
        Pair("jal", "nir", 0.5, (2, 1), BACKWARD),
    ],
    SETTINGS,
)
HI_EN = Lexicon(
    "hi",
    "en",
    [
        Pair("makan", "house", 0.3, (60, 70)),
        Pair("pani", "water", 0.95, (30, 20)),
        Pair("nir", "water", 0.2, (1, 20), FORWARD),
        Pair("nir", "fluid", 0.1, (1, 8), BACKWARD),
    ],
    SETTINGS,
)
# ghar -> makan -> house and back; pani likewise; bhawan -> makan -> house, but house -> makan -> ghar;
# fluid -> nir -> jal, but jal has no translation of its own
EXPECTED = [
    Pair("ghar", "house", 0.3, (50, 70), MUTUAL),
    Pair("pani", "water", 0.8, (40, 20), MUTUAL),
    Pair("bhawan", "house", 0.3, (5, 70), FORWARD),
    Pair("jal", "fluid", 0.1, (2, 8), BACKWARD),
]


@pytest.mark.parametrize("left, right, trusted", [("yes", "yes", True), ("no", "yes", False), ("yes", "no", False)])
def test_no_better_than_what_it_is_made_of(left, right, trusted):
    one, other = [
        Lexicon(lex.source, lex.target, lex.pairs, {**SETTINGS, "trusted": said})
        for lex, said in ((NE_HI, left), (HI_EN, right))
    ]
    assert compose(one, other).trusted is trusted
    other.settings["trusted"] = "unknown"
    assert compose(one, other).settings["trusted"] == ("no" if left == "no" else "unknown")


@pytest.mark.parametrize("left", [NE_HI, NE_HI.reversed()])
@pytest.mark.parametrize("right", [HI_EN, HI_EN.reversed()])
def test_worked_by_hand_whichever_way_round_the_files_are(left, right):
    got = compose(left, right)
    assert (got.source, got.target, got.lowercase) == ("ne", "en", True)
    assert sorted(got.pairs) == sorted(EXPECTED)


def test_other_codes_of_the_language_between():
    got = compose(NE_HI, Lexicon("hin_Deva", "en", HI_EN.pairs, SETTINGS))
    assert sorted(got.pairs) == sorted(EXPECTED)


def test_the_other_order_is_the_other_direction():
    assert sorted(compose(HI_EN, NE_HI).reversed().pairs) == sorted(EXPECTED)


@pytest.mark.parametrize(
    "right, message",
    [
        (Lexicon("fr", "en", [Pair("a", "b")], SETTINGS), "0 languages in common"),
        (NE_HI, "2 languages in common"),
        (Lexicon("hi", "en", [Pair("makan", "house")], {}), "one is lower-cased"),
        (Lexicon("hi", "en", [Pair("x", "y")], SETTINGS), "no word of hi is in both"),
    ],
)
def test_lexicons_that_make_no_bridge(right, message):
    with pytest.raises(InputError, match=message):
        compose(NE_HI, right)


def test_the_command_writes_mutual_pairs_or_all(tmp_path, capsys):
    NE_HI.save(str(tmp_path / "ne-hi.tsv"))
    HI_EN.save(str(tmp_path / "hi-en.tsv"))
    given = ["compose", str(tmp_path / "ne-hi.tsv"), str(tmp_path / "hi-en.tsv"), "-o", str(tmp_path / "ne-en.tsv")]
    assert main(given) == 0
    assert Lexicon.load(str(tmp_path / "ne-en.tsv"), ("ne", "en")).pairs == EXPECTED[:2]
    assert main(given + ["--all"]) == 0
    assert sorted(Lexicon.load(str(tmp_path / "ne-en.tsv"), ("ne", "en")).pairs) == sorted(EXPECTED)
    assert main(["compose", str(tmp_path / "ne-hi.tsv"), str(tmp_path / "ne-en.tsv"), "-o", str(tmp_path / "x")]) == 0
    capsys.readouterr()
    assert main(["compose", str(tmp_path / "ne-hi.tsv"), str(tmp_path / "ne-hi.tsv"), "-o", str(tmp_path / "y")]) == 1
    assert "2 languages in common" in capsys.readouterr().err
