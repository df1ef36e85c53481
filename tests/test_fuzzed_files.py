"""Every reader of the rooms ranks, lexicon and scoring, and the commands, with damaged files: a result or one sentence.

bash scripts/test.sh -m long tests/test_fuzzed_files.py       2,000 files for each reader
"""

import contextlib
import io
import json
import struct
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip("polars")
pytest.importorskip("scipy")

from crossinit_fairseq.cli import lexicon, ranks, score
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon import Lexicon, read_word_pairs
from crossinit_fairseq.lexicon.cooccurrence import count_text_cooccurrence
from crossinit_fairseq.ranks import RankTable, WordPieces, count_text, open_binarised, rank_words, read_word_list
from crossinit_fairseq.ranks.sentencepiece_model import load_model
from crossinit_fairseq.scoring.outputs import read_output
from crossinit_fairseq.scoring.results import load_result
from crossinit_fairseq.text_files import read_lines
from tests.damaged_files import cut, fuzz

TABLE = "# language: en\n# tokens: 20\n# words: 3\n# min_count: 1\n# entities: 2\nthe\t8\nof\t4\nto\t2\n"
LIST = "Rank,Word,Count\n1,the,54\n2,of,30\n3,1984,2\n"
PAIRS = (
    "# languages: en ro\n# pairs: 2\n# running words en: 90\n# lowercase: yes\n"
    "the\tcasa\t0.5\t8\t7\tmutual\ncat\tpisica\t0.25\t3\t2\tforward\n"
)
TEXT = "the cat sat , on the mat .\nDon't &quot; it\nna\u00efve \u0928\u093f \u6211\u4eec\n"
GENERATE = "S-1\tb [ro]\nT-1\tx\nH-1\t-0.5\t\u2581b\nD-1\t-0.5\tb\nS-0\ta\nT-0\ty\nH-0\t-inf\ta\nD-0\t-inf\ta <0xE2>\n"
RESULT = json.dumps(
    {
        "format": "crossinit-score 1",
        "pair": "en-ro",
        "reference": "r",
        "source": None,
        "sentences": 3,
        "bootstrap": {"samples": 5, "seed": 1, "baseline": "a"},
        "metrics": {"bleu": "BLEU"},
        "left_out": {"x": "why"},
        "systems": {"a": {"bleu": {"score": 1.5, "signature": "s", "ci": 0.1}}},
        "outputs": {"a": {"file": "f", "kind": "text", "empty": 0, "unknown": 0, "copied": None, "notes": ["n"]}},
        "reference_copied": None,
        "published": [{"name": "n", "metric": "bleu", "bleu": 3.5, "scoring": "s"}],
    }
)
# 2 sentences of 3 and 2 tokens, as fairseq-preprocess writes them: uint16 (code 8)
INDEX = b"MMIDIDX\x00\x00" + struct.pack("<QBQ", 1, 8, 2) + struct.pack("<iiqq", 3, 2, 0, 6)
TOKENS = struct.pack("<5H", 4, 5, 2, 4, 2)


def command(main, *arguments, stdin=b""):
    """Run a command in this process; asserts that it ends in 0, or in 1 with one sentence, no control symbol."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.stdin
    sys.stdin = SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(stdin)))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main([str(argument) for argument in arguments])
    finally:
        sys.stdin = before
    assert status in (0, 1) and "Traceback" not in err.getvalue()
    if status:
        assert ": error: " in err.getvalue() and err.getvalue().rstrip("\n").count("\n") == 0, err.getvalue()
    assert "\x1b" not in err.getvalue()
    if arguments[0] in ("show", "evaluate", "--table"):
        assert "\x1b" not in out.getvalue()


def _binarised(path):
    path.with_suffix(".bin").write_bytes(TOKENS)
    path.rename(path.with_suffix(".idx"))
    text = open_binarised(str(path.with_suffix("")))
    assert int(text.lengths.sum()) == len(text.tokens)
    rank_words([text], WordPieces(["<s>", "<pad>", "</s>", "<unk>", "\u2581a", "b"], range(4), 3), chunk=3)


def _table(path):
    table = RankTable.load(str(path))
    table.coverage(5), table.limit(2), RankTable.merge([table, table]), table.write(io.StringIO())
    assert table.total >= int(table.counts.sum()) > 0 and (table.counts[1:] <= table.counts[:-1]).all()


def _beside(path, name, text):
    (path.parent / name).write_text(text, encoding="utf-8")
    return path.parent / name


READERS = {
    "rank table": (TABLE, _table),
    "word list": (LIST, lambda path: read_word_list(str(path), "en")),
    "lexicon": (PAIRS, lambda path: Lexicon.load(str(path), ("ro", "eng_Latn")).save(str(path) + ".again")),
    "word pairs": ("the casa\ncat\tpisica\n", lambda path: read_word_pairs(str(path))),
    "sentences": (TEXT, lambda path: read_lines(str(path))),
    "output": (GENERATE, lambda path: read_output(str(path), languages=("en", "ro"))),
    "scores": (RESULT, lambda path: load_result(str(path))),
    "binarised": (INDEX, _binarised),
    "SentencePiece": (b"\n\x0e\n\x05<unk>\x15\x00\x00\x00\x00\x18\x02" * 3, lambda path: load_model(str(path))),
    "text": (TEXT * 3, lambda path: count_text(str(path), "en", lowercase=True, block=40)),
    "text of a lexicon": (TEXT * 3, lambda path: count_text_cooccurrence(str(path), "he", size=9, window=2, block=30)),
    "ranks count": (LIST, lambda path: command(ranks.main, "count", "--lang", "en", "--list", path)),
    "ranks show": (TABLE, lambda path: command(ranks.main, "show", path, path)),
    "ranks merge": (TABLE, lambda path: command(ranks.main, "merge", path, _beside(path, "t", TABLE))),
    "lexicon show": (PAIRS, lambda path: command(lexicon.main, "show", path, "--ranks")),
    "lexicon evaluate": (
        PAIRS,
        lambda path: command(lexicon.main, "evaluate", path, "--dict", _beside(path, "d", "the casa\n"), "--reverse"),
    ),
    "lexicon compose": (
        PAIRS,
        lambda path: command(
            lexicon.main, "compose", path, _beside(path, "d", "# languages: ro fr\ncasa\tla\n"), "-o", f"{path}.o"
        ),
    ),
    "lexicon translate": (
        TEXT,
        lambda path: command(
            lexicon.main,
            *("translate", _beside(path, "l", PAIRS), "--from", "en", "--to", "ro"),
            stdin=path.read_bytes(),
        ),
    ),
    "score": (
        GENERATE,
        lambda path: command(
            score.main,
            *(
                "--pair",
                "en-zh",
                "--reference",
                _beside(path, "r", "x\ny\n"),
                "--bootstrap",
                "0",
                path,
                f"other={path}",
            ),
        ),
    ),
    "score reference": (
        "x\ny\n",
        lambda path: command(
            score.main,
            *(
                "--pair",
                "en-de",
                "--reference",
                path,
                "--source",
                _beside(path, "s", "a\nb\n"),
                "--bootstrap",
                "2",
                "--seed",
            ),
            *("1", _beside(path, "h", "x\nz\n")),
        ),
    ),
    "score table": (RESULT, lambda path: command(score.main, "--table", path)),
}


@pytest.mark.parametrize("reader", READERS)
def test_the_whole_file_is_read(reader, tmp_path):
    """Else the fuzz would only see refusals at the first line."""
    whole, read = READERS[reader]
    (tmp_path / "file").write_bytes(whole if isinstance(whole, bytes) else whole.encode("utf-8"))
    if reader == "SentencePiece":
        with pytest.raises(InputError):
            read(tmp_path / "file")
    else:
        read(tmp_path / "file")


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files(reader):
    fuzz(*READERS[reader], count=30)
    cut(*READERS[reader], count=3)


@pytest.mark.long
@pytest.mark.parametrize("reader", READERS)
def test_many_damaged_files(reader):
    fuzz(*READERS[reader], count=2000)
    cut(*READERS[reader], count=50)
