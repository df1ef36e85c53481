"""Tables that training could not begin with, or should not; crossinit-export --check says so too."""

import pytest
import torch

from crossinit_fairseq.cli.export import main
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export.tables import EmbeddingTable, doubts_of_start, name_of
from crossinit_fairseq.export.word2vec import write_word2vec

SYMBOLS = ["<s>", "<pad>", "</s>", "<unk>", "the", "cat"]


def table(**rows):
    """A norm of 1 for each of SYMBOLS, in 4 dimensions, but for what is given: the one number of a row."""
    values = torch.full((len(SYMBOLS), 4), 0.5)
    for name, number in rows.items():
        values[SYMBOLS.index(f"<{name}>" if f"<{name}>" in SYMBOLS else name)] = number
    return values


def test_ordinary_tables_are_without_doubt():
    assert doubts_of_start(SYMBOLS, table(), "f") == []
    assert doubts_of_start(SYMBOLS, table(s=0, pad=0, unk=0), "f") == []  # no words


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_row_whose_squares_are_no_numbers_is_refused(dtype):
    # 4 * (4 * x**2) is beyond 3.4028e38 from x = 4.6116e18 on
    assert len(doubts_of_start(SYMBOLS, table(cat=4.5e18).to(dtype), "f")) == 1
    with pytest.raises(
        InputError, match="^f: 1 of 6 rows, that of 'cat' first, are so large that their squares are no n"
    ):
        doubts_of_start(SYMBOLS, table(cat=4.7e18).to(dtype), "f")
    with pytest.raises(InputError, match=r"that of 'the' first, .*\(its norm is 2e\+30\)"):
        doubts_of_start(SYMBOLS, table(the=1e30, cat=-1e30), "f")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(number):
    with pytest.raises(InputError, match="1 of 6 rows, that of '</s>' first"):
        doubts_of_start(SYMBOLS, table(**{"</s>": number}), "f")


@pytest.mark.parametrize(
    "values", [torch.ones(0, 4), torch.ones(6, 0), torch.ones(6, 4).long(), torch.ones(6), torch.ones(6, 4).bool()]
)
def test_what_is_no_table(values):
    with pytest.raises(InputError, match=r"^f holds no table of embeddings but .*: it needs rows of float32"):
        EmbeddingTable(SYMBOLS[: len(values)], values, "f")


@pytest.mark.skipif(not hasattr(torch, "float8_e4m3fn"), reason="this torch has no eight-bit numbers")
def test_eight_bits_are_no_table():
    with pytest.raises(InputError, match="float8_e4m3fn: it needs rows of float32"):
        EmbeddingTable(SYMBOLS, torch.ones(6, 4).to(torch.float8_e4m3fn), "f")


def test_large_rows_are_doubtful():
    assert doubts_of_start(SYMBOLS, table(cat=127), "f") == []  # a norm of 254
    (doubt,) = doubts_of_start(SYMBOLS, table(the=129, cat=-700), "f")
    assert doubt.startswith(
        "f: 2 of 6 rows, that of 'the' first, have norms of up to 1,400, where those of a new model"
    )


def test_zeros():
    (doubt,) = doubts_of_start(SYMBOLS, table(pad=0, cat=0), "f")
    assert doubt.startswith("f: 1 of 6 rows, that of 'cat' first, hold nothing but zeros")
    for values in (table(the=0, cat=0), torch.zeros(6, 4), torch.zeros(6, 4, dtype=torch.float16)):
        with pytest.raises(InputError, match="^f holds nothing but zeros: make the file anew"):
            doubts_of_start(SYMBOLS, values, "f")


@pytest.fixture(params=[".vec", ".safetensors"])
def write(request, tmp_path):
    def written(values):
        path = str(tmp_path / ("t" + request.param))
        if request.param == ".vec":
            write_word2vec(EmbeddingTable(SYMBOLS, values, "here"), path)
        else:
            pytest.importorskip("safetensors")
            from crossinit_fairseq.export.safetensors_file import write_safetensors

            write_safetensors(EmbeddingTable(SYMBOLS, values, "here"), path)
        return path

    return written


def test_check(write, capsys):
    path = write(table())
    assert main(["--check", path]) == 0
    assert capsys.readouterr().err == f"{path}: 6 rows of 4 {name_of(torch.float32)}\n"
    assert main(["--check", write(table(cat=0))]) == 0
    assert "warning: " in capsys.readouterr().err.split("\n")[0]
    for values, said in ((table(the=1e30), "that of 'the' first, are so large"), (0 * table(), "nothing but zeros")):
        assert main(["--check", write(values)]) == 1
        error = capsys.readouterr().err
        assert error.startswith(f"crossinit-export: error: {path}") and said in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "options, said",
    [
        (["--check", "a.txt"], "--check takes a file .safetensors or .vec: a.txt"),
        (["--check", "a.vec", "--dict", "d"], "--dict has no effect with --check"),
        (["--check", "a.vec", "c.pt"], "--check goes alone"),
        (["--from", "a.vec"], "required: --dict"),
    ],
)
def test_wrong_usage(options, said, capsys):
    with pytest.raises(SystemExit) as end:
        main(options)
    assert end.value.code == 2 and said in capsys.readouterr().err


def test_what_is_read_as_a_start_is_checked(write, tmp_path, capsys):
    """By whatever command: crossinit-export --from, crossinit-analyze."""
    from crossinit_fairseq.cli import analyze
    from crossinit_fairseq.ranks import RankTable
    from tests.export.conftest import save_checkpoint, write_dictionary

    path, dictionary = write(table(cat=1e30)), write_dictionary(tmp_path / "dict.txt", SYMBOLS[4:])
    into = save_checkpoint(tmp_path / "c.pt", {"encoder.embed_tokens.weight": table()})
    assert main(["--from", path, "--into", into, "--dict", dictionary, "-o", str(tmp_path / "new.pt")]) == 1
    assert "that of 'cat' first" in capsys.readouterr().err and not (tmp_path / "new.pt").exists()
    RankTable.sort("en", {"the": 2, "cat": 1}, settings={}).save(str(tmp_path / "en.tsv"))
    assert analyze.main([path, "--ranks", f"en={tmp_path}/en.tsv", "--out", str(tmp_path / "look")]) == 1
    assert "that of 'cat' first" in capsys.readouterr().err
