"""crossinit_fairseq/finetuning/encoding.py and questions.py, by hand and against slow references."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossinit_fairseq.data.dictionary import pieces_of, read_symbols, write_dictionary
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.encoding import PairForm, PieceEncoder, shorten_pair, tokens_of_answer, windows
from crossinit_fairseq.finetuning.qa_files import Answer, Question
from crossinit_fairseq.finetuning.questions import NOWHERE, QuestionEncoder, Windowing, answer_text, best_span
from tests.finetuning import toy

BOS, EOS = 0, 2


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    folder = toy.data_folder(tmp_path_factory.mktemp("toy"))
    rows = {symbol: row for row, symbol in enumerate(read_symbols(str(folder / "dict.txt")))}
    return PieceEncoder(str(folder / "spm.model"), rows, str(folder))


def test_pairs_as_the_models_know_sentences():
    first, second = np.array([7, 8]), np.array([9])
    xlm = PairForm("xlm", {"de": 20, "en": 21})
    encoded = xlm.join(first, second, "en", "de")
    assert encoded.tokens.tolist() == [BOS, 7, 8, EOS, 9, EOS, 20]
    # the question's language, then the paragraph's: rows in the order of the dictionary
    assert encoded.languages.tolist() == [1, 1, 1, 1, 0, 0, 0]
    assert (encoded.second, encoded.length) == (4, 1)
    assert xlm.single(first, "en").tokens.tolist() == [BOS, 7, 8, EOS, 21]
    roberta = PairForm("roberta", {})
    encoded = roberta.join(first, second, "en", "de")
    assert encoded.tokens.tolist() == [BOS, 7, 8, EOS, EOS, 9, EOS]
    assert encoded.languages is None and encoded.tokens[encoded.second] == 9
    assert roberta.single(first, "en").tokens.tolist() == [BOS, 7, 8, EOS]


def test_a_language_without_an_embedding():
    form = PairForm("xlm", {"de_DE": 20})
    form.check_language("de")  # the same language by another code
    with pytest.raises(InputError, match="no embedding for the language fr: dict.txt names de_DE"):
        form.check_language("fr")
    PairForm("roberta", {}).check_language("fr")


def pop_by_pop(first, second, room):
    while first + second > room:
        if first > second:
            first -= 1
        else:
            second -= 1
    return first, second


@given(st.integers(0, 40), st.integers(0, 40), st.integers(2, 50))
def test_shortened_as_by_popping(first, second, room):
    assert shorten_pair(first, second, room) == pop_by_pop(first, second, room)


@given(st.integers(0, 60), st.integers(1, 20), st.data())
def test_windows_leave_nothing_out(length, room, data):
    stride = data.draw(st.integers(1, room))
    got = windows(length, room, stride)
    assert set().union(*(range(*window) for window in got)) == set(range(length))
    assert all(end - begin <= room for begin, end in got)
    assert [begin for begin, _ in got] == [stride * k for k in range(len(got))]
    assert len(got) == 1 or got[-2][1] < length  # none more than is needed


def test_windows_by_hand():
    assert windows(10, 4, 3) == [(0, 4), (3, 7), (6, 10)]
    assert windows(0, 4, 3) == [(0, 0)]


def test_places_are_of_the_text_as_it_is(pieces):
    text = "  a1,  \u00bd a2\u3000b3 "
    rows, places = pieces.encode_with_places(text)
    assert rows.tolist() == pieces.encode(text).tolist() and len(places) == len(rows)
    starts = [begin for begin, _ in places]
    assert starts == sorted(starts) and all(begin <= end <= len(text) for begin, end in places)
    first, last = tokens_of_answer(places, text.index("a2"), text.index("a2") + 2)
    assert text[places[first][0] : places[last][1]].strip() == "a2"
    assert tokens_of_answer(places, len(text), len(text) + 1) is None


@pytest.fixture(scope="module", params=[False, True], ids=["pieces", "bytes"])
def pieces_of_scripts(tmp_path_factory, request):
    """A model of all texts below, that cuts words up; with byte fallback too, where an emoji is four pieces."""
    import sentencepiece

    folder = tmp_path_factory.mktemp("scripts")
    text = [line.replace("\U0001f600", "") for line, _ in PLACES] * 9
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_prefix=str(folder / "spm"),
        vocab_size=400,
        hard_vocab_limit=False,
        minloglevel=2,
        character_coverage=1.0,
        byte_fallback=request.param,
    )
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))
    write_dictionary(str(folder / "dict.txt"), pieces_of(model), ["aa"])
    rows = {symbol: row for row, symbol in enumerate(read_symbols(str(folder / "dict.txt")))}
    return PieceEncoder(str(folder / "spm.model"), rows, str(folder))


PLACES = [
    ("北京市是中国的首都，位于华北。", "中国"),  # no spaces
    ("महात्मा गांधी दिल्ली में", "दिल्ली"),  # combining marks
    ("Das Cafe\u0301 in Mu\u0308nchen heisst U\u0308bung", "Mu\u0308nchen"),  # NFD: two characters are one in a piece
    ("The o\ufb03ce, \u00bd of Paris, is big", "Paris"),  # one character is three in a piece
    ("I \U0001f600\U0001f600 like New York \U0001f600 a lot", "New York"),  # outside of the Basic Multilingual Plane
    ("first\tsecond\t\tNew York\nlast", "New York"),
    ("  \u3000 Paris is big \u00a0 ", "Paris"),
    ("it is big: Paris \t ", "Paris"),
]


@pytest.mark.parametrize("number", range(len(PLACES)))
def test_answers_are_cut_out_of_the_text_as_it_is(pieces_of_scripts, number):
    """By the places of their characters: the tokens that touch an answer, and no other one, begin and end with it."""
    text, answer = PLACES[number]
    start = text.index(answer)
    places = pieces_of_scripts.encode_with_places(text)[1]
    first, last = tokens_of_answer(places, start, start + len(answer))
    question = Question("q", text, "", ())
    window = SimpleNamespace(places=places)
    found = answer_text(question, window, first, last)
    assert answer in found and found in text
    # not a token more than the answer needs
    for begin, end in ((first + 1, last), (first, last - 1)):
        assert begin > end or answer not in answer_text(question, window, begin, end)
    if " " in text.strip():
        assert found == answer


def test_a_model_of_other_text_is_refused(pieces, tmp_path):
    folder, alone = toy.data_folder(tmp_path), tmp_path / "alone"
    alone.mkdir()
    rows = {symbol: row for row, symbol in enumerate(read_symbols(str(folder / "dict.txt")))}
    PieceEncoder(str(folder / "spm.model"), rows, str(alone))
    with pytest.raises(
        InputError, match="spm.model is not the SentencePiece model that the text of .*dict.txt was cut"
    ):
        PieceEncoder(
            str(folder / "spm.model"),
            {**{s: rows[s] for s in read_symbols(folder / "dict.txt")[:4]}, "x": 4},
            str(alone),
        )
    foreign = toy.foreign_model(tmp_path)
    with pytest.raises(InputError, match="foreign.model is not the SentencePiece model that the text of .*/alone/dict"):
        PieceEncoder(foreign, rows, str(alone))
    with pytest.raises(InputError, match=f"{foreign} is another SentencePiece model than {folder}/spm.model"):
        PieceEncoder(foreign, rows, str(folder))
    (tmp_path / "bad.model").write_text("no model")
    with pytest.raises(InputError, match="no SentencePiece model"):
        PieceEncoder(str(tmp_path / "bad.model"), {}, str(alone))
    with pytest.raises(InputError, match="no.model is missing: give --pieces"):
        PieceEncoder(str(tmp_path / "no.model"), {}, str(alone))


def test_control_symbols_in_a_text_are_unknown(tmp_path):
    """<mask> and [aa] are pieces of this model, as of one whose owner defined them."""
    folder = toy.data_folder(tmp_path, user_defined_symbols=["<mask>", "[aa]", "[url]"])
    rows = {symbol: row for row, symbol in enumerate(read_symbols(str(folder / "dict.txt")))}
    encoder = PieceEncoder(str(folder / "spm.model"), rows, str(folder))
    # a lone word start before each, then the symbol: unknown, unknown, text
    found = [encoder.encode(text).tolist()[-1] for text in ("<mask>", "[aa]", "[url]")]
    assert found == [3, 3, rows["[url]"]] and rows["<mask>"] > 3 and rows["[aa]"] > 3
    places = encoder.encode_with_places("a1 <mask>")[0].tolist()
    assert places[-1] == 3 and rows["<mask>"] not in places


def question_of(context, answer, start=None):
    place = context.index(answer) if start is None else start
    return Question("q", context, "a1", (Answer(answer, place),))


@given(st.integers(0, 23), st.integers(1, 8))
def test_the_target_is_the_answer_in_each_window_that_holds_it(pieces, number, stride):
    context = "  ".join(f"a{k}" for k in range(24))
    question = question_of(context, f"a{number} ".strip())
    encoder = QuestionEncoder(pieces, PairForm("xlm", {"aa": 20}), Windowing(30, 4, stride))
    got = encoder.encode(0, question, "aa", "aa")
    held = 0
    for window in got:
        first, last = window.target
        if window.target == NOWHERE:
            continue
        held += 1
        begin = window.encoded.second
        found = answer_text(question, window, first - begin, last - begin)
        assert question.answers[0].text in found and len(found) <= len(question.answers[0].text) + 1
    assert held >= 1


def test_a_question_of_another_language_than_its_paragraph(pieces):
    encoder = QuestionEncoder(pieces, PairForm("xlm", {"aa": 20, "bb": 21}), Windowing(30, 4, 8))
    (window,) = encoder.encode(0, question_of("b1 b2", "b2"), "bb", "aa")
    encoded = window.encoded
    assert encoded.tokens[-1] == 21
    assert encoded.languages.tolist() == [0] * encoded.second + [1] * (len(encoded.tokens) - encoded.second)


def test_answers_that_are_not_there_are_counted_and_left_out(pieces, caplog):
    encoder = QuestionEncoder(pieces, PairForm("xlm", {"aa": 20}), Windowing(30, 4, 8))
    good, bad = question_of("a1 a2", "a2"), question_of("a1 a2", "a2", start=1)
    got = encoder.training_windows([good, bad], "aa", "file")
    assert [window.question for window in got] == [0]
    assert "left out 1 of 2 questions" in caplog.text
    silent = Question("q", good.context, " ", good.answers)
    assert encoder.training_windows([silent, good], "aa", "file")[0].question == 1
    assert caplog.text.count("left out 1 of 2 questions") == 2
    with pytest.raises(InputError, match="nothing to train on"):
        encoder.training_windows([bad], "aa", "file")


@pytest.mark.parametrize("length, question, stride", [(10, 6, 1), (30, 0, 1), (30, 4, 0), (30, 4, 23)])
def test_windows_without_room_are_refused(length, question, stride):
    with pytest.raises(InputError):
        Windowing(length, question, stride).check()


SCORES = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=9)


@given(SCORES, st.integers(1, 9))
def test_best_span_is_the_best_of_all(scores, longest):
    start, end = np.array(scores, dtype=float).T
    all_spans = [start[i] + end[j] for i in range(len(start)) for j in range(i, min(i + longest, len(start)))]
    score, first, last = best_span(start, end, longest)
    assert score == max(all_spans) == start[first] + end[last]
    assert first <= last < first + longest
