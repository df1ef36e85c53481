"""crossinit_fairseq/languages.py: the same language by all its codes, and pairs of codes with hyphens of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.helpers  # noqa: F401  (the hypothesis profile)
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import (
    base_language,
    check_code,
    comma_below,
    doubt_of_script,
    is_chinese,
    is_known,
    language_list,
    language_pair,
    own_letters,
    same_language,
    script_of,
    spaceless_language,
    unlike_script,
)


@pytest.mark.parametrize(
    "base, codes",
    [
        ("ro", "ro RO ro_RO ro-RO ron ron_Latn rum ro_MD mo"),
        ("zh", "zh zho chi zho_Hans zho_Hant zh-CN zh_TW cmn cmn_Hans zh-Hans-CN"),
        ("th", "th tha tha_Thai th_TH"),
        ("ne", "ne nep npi npi_Deva ne_NP ne-NP"),
        ("tr", "tr tur tur_Latn"),
        ("fr", "fr fra fra_Latn fre fr_CA"),
        ("he", "he heb iw heb_Hebr"),
        ("ar", "ar ara arb arb_Arab"),
        ("az", "az aze azj_Latn"),
        ("my", "my mya mya_Mymr bur"),
        ("ja", "ja jpn jpn_Jpan ja_XX"),
        ("xx", "xx XX xx_YY"),  # no standard knows it: it stays what it is
        ("und", "und"),
    ],
)
def test_one_language_by_all_its_codes(base, codes):
    assert {base_language(code) for code in codes.split()} == {base}


def test_a_script_is_named_where_it_is_not_the_usual_one():
    assert [script_of(code) for code in ("hi_Latn", "sr_Latn", "hin_Deva", "hi", "zho_Hans", "ro_RO", "xx")] == [
        "Latn",
        "Latn",
        None,
        None,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    "code", ["", "x", "../x", "a b", "*", "ro/", "ro_", "_ro", "english", "ro\n", "[ro]", "en_US.UTF-8", "1a"]
)
def test_what_is_no_code(code):
    for function in (base_language, check_code, script_of):
        with pytest.raises(InputError, match="is no language code: give one such as en"):
            function(code)
    assert not is_known(code)


def test_letters_of_another_script():
    nepali, english = ["घर", "को", "छ", "पानी", "Linux"], ["the", "house", "घर"]
    assert unlike_script("npi_Deva", nepali) is None and unlike_script("en", english) is None
    assert (unlike_script("ne", english), unlike_script("en", nepali)) == ("Latin", "Devanagari")
    # a code that names a script asks for that one; 2 of 4 letters are enough
    assert unlike_script("hi_Latn", english) is None and unlike_script("ne", ["घर", "ab"]) is None
    # no letter at all; a script that is not looked for; a language that nobody knows
    assert [unlike_script(code, ["12", "!"]) for code in ("ne", "en")] == [None, None]
    assert unlike_script("zh", english) is None is unlike_script("xx", nepali) and unlike_script("ne", ["家"]) is None
    # a thousand frequent words tell
    assert unlike_script("ne", ["घर"] * 1000 + english * 1000) is None


def test_text_of_another_script_is_doubted():
    nepali, english = "घर को छ", "the house is"
    assert doubt_of_script("ne", [nepali]) is None is doubt_of_script("en", ["", english]) is doubt_of_script("ne", [])
    assert doubt_of_script("ne", [english]) == "most letters are Latin: is this text ne?"
    # lines spread over the whole text are looked at, not the first ones
    assert doubt_of_script("ne", [english] * 1000 + [nepali] * 4000) is None
    assert doubt_of_script("ne", [nepali] * 1000 + [english] * 4000)


def test_known_and_same():
    assert is_known("ro_RO") and is_known("npi_Deva") and not is_known("xx")
    assert same_language("ro", "ron_Latn") and not same_language("ro", "rom") and check_code("ron_Latn") == "ron_Latn"


@given(st.text(st.sampled_from("aAzZrRoO-_0/. *"), max_size=9))
def test_any_text_is_a_code_or_refused_in_a_sentence(text):
    try:
        base = base_language(text)
    except InputError:
        return
    # a code is a safe file name, and the language of a language is itself
    assert not set(text) & set("/. *") and base_language(base) == base


def test_lists():
    assert language_list("en, ro_RO,,ne") == ["en", "ro_RO", "ne"]
    for text in ("", ",", "en,en", "ro,ron_Latn"):
        with pytest.raises(InputError, match="is no list of different languages"):
            language_list(text)
    with pytest.raises(InputError, match="'../x' is no language code"):
        language_list("en,../x")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("en-ro", ("en", "ro")),
        ("en_XX-ro_RO", ("en_XX", "ro_RO")),
        ("zh-Hans-en", ("zh-Hans", "en")),
        ("en-pt-BR", ("en", "pt-BR")),  # not en-PT and Breton
        ("pt-BR-en", ("pt-BR", "en")),
        ("zh-Hans-pt-BR", ("zh-Hans", "pt-BR")),
        ("eng_Latn-npi_Deva", ("eng_Latn", "npi_Deva")),
        ("xx-yy", ("xx", "yy")),
    ],
)
def test_pairs(text, expected):
    assert language_pair(text) == expected == language_pair(text, expected)


def test_pairs_of_known_languages():
    langs = ["zh-Hans", "zh", "en", "en_GB"]
    assert language_pair("zh-Hans-en", langs) == ("zh-Hans", "en")
    assert language_pair("en-en_GB", langs) == ("en", "en_GB")  # two dialects, if both were asked for
    # names that are no codes, such as those of folders
    assert language_pair("src1-tgt1", ["src1", "tgt1"]) == ("src1", "tgt1")
    with pytest.raises(InputError, match="can be read in two ways"):
        language_pair("a-b-c", ["a", "b-c", "a-b", "c"])
    with pytest.raises(InputError, match="'en-ro' is no pair of languages: give SOURCE-TARGET of two of zh-Hans, zh"):
        language_pair("en-ro", langs)
    with pytest.raises(InputError, match="into itself"):
        language_pair("zh-Hans-zh-Hans", langs)


@pytest.mark.parametrize(
    "text, told",
    [
        ("en", "is no pair of languages"),
        ("en-ro-", "is no pair of languages"),
        ("en-../x", "'../x' is no language code"),
        ("ro-ron_Latn", "translates a language into itself"),
        ("en-pt-br", "can be read in two ways"),
    ],
)
def test_what_is_no_pair(text, told):
    with pytest.raises(InputError, match=told):
        language_pair(text)


def test_own_letters():
    arabic, persian = "\u0643\u064a\u0649", "\u06a9\u06cc\u06cc"
    assert [own_letters(arabic, base) for base in ("fa", "ur", "ckb", "ar", "ps")] == [persian] * 3 + [arabic] * 2
    spellings = {"ckb": "\u0647\u200c", "ca": "col\u2022lega", "haw": "Hawai'i", "to": "'i", "sm": "fa'a", "ty": "`a"}
    for base, text in spellings.items():
        assert own_letters(text, base) != text and own_letters(text, "en") == text
    assert own_letters("\u015fi", "ro") == "\u0219i" and own_letters("\u015fu", "tr") == "\u015fu"


def test_comma_below():
    assert comma_below("\u015eeful \u0163\u0103rii \u0162\u0163") == "\u0218eful \u021b\u0103rii \u021a\u021b"


def test_languages_written_without_spaces():
    chinese = "zh zh_TW zho_Hans cmn yue yue_Hant zh_yue zh-HK wuu lzh nan hak"
    for code in chinese.split():
        assert is_chinese(code) and spaceless_language(code), code
    assert spaceless_language("yue_Hant") == "Cantonese" and spaceless_language("tha_Thai") == "Thai"
    for code in ("ja", "jpn_Jpan", "th", "km", "lo", "my"):
        assert spaceless_language(code) and not is_chinese(code), code
    for code in ("en", "ko", "vi", "xx", "zh_Latn", "nan_Latn", "ja_Latn"):
        assert spaceless_language(code) is None and not is_chinese(code), code
