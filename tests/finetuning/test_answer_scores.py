"""crossinit_fairseq/finetuning/answer_scores.py: every rule by an example worked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.answer_scores import exact_match, f1, normaliser, score_answers


def score(prediction, *answers, language="en", rules="mlqa"):
    found = score_answers({"q": prediction}, {"q": answers}, language, rules)
    return found["f1"], found["em"]


@pytest.mark.parametrize(
    "language, text, words",
    [
        ("en", "The cat, an Owl & a dog!", ["cat", "owl", "dog"]),  # & is ASCII punctuation
        ("en", "another theme", ["another", "theme"]),  # articles are whole words
        ("en", "der cat", ["der", "cat"]),  # the articles of English alone
        ("de", "Der Hund und eines Tages", ["hund", "und", "tages"]),
        ("es", "Las casas de unos y el", ["casas", "de", "y"]),
        ("vi", "những cái nhà của tôi", ["nhà", "tôi"]),
        ("ar", "البيت الكبير", ["بيت", "كبير"]),
        ("ar", "خيال", ["خي"]),  # the rule takes the letters away wherever they stand
        ("hi", "यह घर है।", ["यह", "घर", "है"]),  # the danda is Unicode punctuation
        ("zh", "北京IBM 公司，2008年", ["北", "京", "ibm", "公", "司", "2008", "年"]),
        ("zh_Hans", "北京", ["北", "京"]),
        ("en", "«U.S.» — $5", ["us", "5"]),
        # the borders of the Chinese characters that are words: U+4E00 to U+9FA5
        ("zh", "x一龥y", ["x", "一", "龥", "y"]),
        ("zh", "x\u4dff\u9fa6y", ["x\u4dff\u9fa6y"]),
    ],
)
def test_what_counts_by_mlqa(language, text, words):
    assert normaliser(language)(text) == words


ARTICLES = {
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "vi": "của là cái chiếc những",
    "de": "ein eine einen einem eines einer der die das den dem des",
    "hi": "",
    "zh": "",
}


@pytest.mark.parametrize("language", ARTICLES)
def test_each_article_and_those_of_no_other_language(language):
    words = normaliser(language)
    for articles in ARTICLES.values():
        for article in articles.split():
            left = [] if article in ARTICLES[language].split() else [article]
            assert words(f"x {article.upper()}, y") == ["x", *left, "y"], (language, article)


def test_punctuation_goes_before_articles():
    assert normaliser("en")("th.e x") == ["x"] and normaliser("en")("a-x") == ["ax"]


@pytest.mark.parametrize(
    "language, prediction, answers, expected_f1",
    [
        # SQuAD 1.1, the first question of its development set: the best is the third answer, without "the": 5 of the 5
        # words given stand among its 11, F1 = 2 * 5 / (5 + 11); the others have 2 of 3 words, 4 / 8, and 2 of 2, 4 / 7
        (
            "en",
            "Levi's Stadium in Santa Clara",
            [
                "Santa Clara, California",
                "Levi's Stadium",
                "Levi's Stadium in the San Francisco Bay Area at Santa Clara, California.",
            ],
            62.5,
        ),
        # MLQA, test, c076d4b0a1967805a45e7ab1e247e3a0739d4850: 4 words of 6 given, 4 of 4: F1 = 8 / 10
        ("de", "zwischen 3050 und 3350 Meter hoch", ["3050 und 3350 Meter"], 80.0),
    ],
)
def test_public_examples(language, prediction, answers, expected_f1):
    assert score(prediction, *answers, language=language) == (pytest.approx(expected_f1), 0.0)
    assert all(score(answer, *answers, language=language) == (100.0, 100.0) for answer in answers)


def test_what_counts_by_squad():
    words = normaliser("de", "squad")
    assert words("Der «Hund» the a dog.") == ["der", "«hund»", "dog"]


def test_mlqa_has_rules_for_seven_languages():
    with pytest.raises(InputError, match="no rules for ro.*--rules squad"):
        normaliser("ro")


def test_f1_counts_a_word_as_often_as_both_have_it():
    # shared: new (once), york; precision 2/3, recall 2/2
    assert f1("new new york".split(), "new york".split()) == pytest.approx(2 * (2 / 3) / (2 / 3 + 1))
    assert f1(["a"], ["b"]) == 0.0
    assert f1([], []) == 0.0 and exact_match([], []) == 1.0


def test_best_over_the_answers_each_score_for_itself():
    # first answer: precision 1/2, recall 1/1, F1 2/3; second: precision 2/2, recall 2/4, F1 2/3; third: no word
    assert score("big cat", "cat", "big cat sleeps here", "dog") == (pytest.approx(200 / 3), 0.0)
    assert score("The cat", "dog", "cat!") == (100.0, 100.0)


def test_chinese_is_compared_by_character():
    # 北京市 against 北京: 2 of 3, 2 of 2: F1 4/5. Words between spaces would give 0
    assert score("北京市", "北京", language="zh") == (pytest.approx(80.0), 0.0)
    assert score("北京市", "北京", language="en") == (0.0, 0.0)


def test_unanswered_counts_0():
    found = score_answers({"1": "cat"}, {"1": ["cat"], "2": ["dog"]}, "en")
    assert found == {"f1": 50.0, "em": 50.0, "questions": 2, "unanswered": 1}


def test_language_of_the_paragraph_decides():
    assert score("the cat", "cat", language="en")[1] == 100.0
    assert score("the cat", "cat", language="de")[1] == 0.0


WORDS = st.lists(st.sampled_from("abcd"), max_size=6)


@given(WORDS, WORDS)
def test_f1_is_symmetric_and_1_for_the_same_words(first, second):
    assert f1(first, second) == pytest.approx(f1(second, first))
    assert 0 <= f1(first, second) <= 1 + 1e-9
    if first:
        assert f1(first, sorted(first)) == pytest.approx(1)
