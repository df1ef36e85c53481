"""Words of a rank table, cut into the dictionary's sub-tokens, and the option --ranks."""

import shutil

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks import RankTable
from crossinit_fairseq.tasks.word_ranks import from_table, parse_tables
from tests.conftest import crossinit
from tests.finetuning import toy


@pytest.fixture(scope="module")
def sentencepiece_model(tmp_path_factory):
    import sentencepiece

    folder = tmp_path_factory.mktemp("spm")
    (folder / "text").write_text(
        "\n".join("unu doi trei {} patru".format("abc"[k % 3] * 3) for k in range(300)), "utf-8"
    )
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "text"), model_prefix=str(folder / "spm"), vocab_size=60, model_type="bpe", minloglevel=2
    )
    return folder / "spm.model"


def test_words_are_cut_and_ranked(tmp_path, sentencepiece_model):
    import sentencepiece
    from fairseq.data import Dictionary

    model = sentencepiece.SentencePieceProcessor(model_file=str(sentencepiece_model))
    dictionary = Dictionary()
    for index in range(3, model.get_piece_size()):
        dictionary.add_symbol(model.id_to_piece(index))
    table = tmp_path / "ro.tsv"
    table.write_text("# language: ro\ndoi\t5\nunu\t7\n\u0928\u092e\u0938\t6\ntrei\t1\n", "utf-8")
    words = from_table(str(table), dictionary, str(sentencepiece_model), "ron_Latn", str(tmp_path))
    # the Devanagari word has no piece and is left out
    expected = [
        [dictionary.index(piece) for piece in model.encode(word, out_type=str)] for word in ("unu", "doi", "trei")
    ]
    assert [words.word(k).tolist() for k in range(len(words))] == expected
    assert words.counts.tolist() == [7, 5, 1]
    assert RankTable.load(str(table)).language == "ro"
    foreign = toy.foreign_model(tmp_path)
    with pytest.raises(InputError, match="foreign.model is not the SentencePiece model that the text of"):
        from_table(str(table), dictionary, foreign, "ro", str(tmp_path))
    shutil.copy(str(sentencepiece_model), str(tmp_path / "spm.model"))
    with pytest.raises(InputError, match=f"{foreign} is another SentencePiece model than {tmp_path}/spm.model"):
        from_table(str(table), dictionary, foreign, "ro", str(tmp_path))
    with pytest.raises(InputError, match="ro.tsv is the rank table of ro, not of en"):
        from_table(str(table), dictionary, str(sentencepiece_model), "en", str(tmp_path))


def test_models_that_hide_where_words_begin_are_refused(tmp_path):
    import sentencepiece
    from fairseq.data import Dictionary

    (tmp_path / "ro.tsv").write_text("# language: ro\ndoi\t5\n", "utf-8")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["unu doi trei patru"] * 20),
        model_prefix=str(tmp_path / "m"),
        vocab_size=30,
        hard_vocab_limit=False,
        treat_whitespace_as_suffix=True,
        minloglevel=2,
    )
    with pytest.raises(InputError, match="m.model: blanks stand at the ends of pieces"):
        from_table(str(tmp_path / "ro.tsv"), Dictionary(), str(tmp_path / "m.model"), "ro", str(tmp_path))


def test_tables_are_parsed(tmp_path):
    path = tmp_path / "x.tsv"
    path.touch()
    assert parse_tables(None) == {} and parse_tables(f"en={path},ro={path}") == {"en": str(path), "ro": str(path)}
    for wrong in (str(path), f"en={tmp_path}/none", f"={path}"):
        with pytest.raises(InputError, match="--ranks takes LANG=FILE"):
            parse_tables(wrong)


def test_a_table_needs_the_model_that_cuts_it(data_folder, tmp_path):
    table = tmp_path / "aa.tsv"
    table.write_text("# language: aa\na1\t5\n", "utf-8")
    done = crossinit(
        data_folder, tmp_path / "out", f"--langs aa,bb --lr 0.01 --max-update 1 --ranks aa={table}", check=False
    )
    assert done.returncode == 1 and "--sentencepiece-model" in done.stdout and "Traceback" not in done.stdout
