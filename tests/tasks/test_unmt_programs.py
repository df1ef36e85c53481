"""Translating with a checkpoint of crossinit_unmt: fairseq-generate, fairseq-interactive, the hub interfaces."""

import io
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from crossinit_fairseq.text_shims import _buffered_read, let_interactive_say_what_is_no_text
from tests import program_server
from tests.conftest import USER_DIR
from tests.finetuning import toy
from tests.tasks.in_process import run


def test_interactive_translates_standard_input(data_folder, checkpoint):
    command = [program_server.python(), "-m", "fairseq_cli.interactive", str(data_folder), "--user-dir", str(USER_DIR)]
    command += f"--task crossinit_unmt -s aa -t bb --path {checkpoint} --beam 2 --max-len-b 8".split()
    done = subprocess.run(
        command,
        input=("\u2581a1 \u2581a2 .\n\u2581a3 t\n" + "\u2581a1 " * 300 + "\n").encode("utf-8") + b"\xff\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said = done.stdout.decode("utf-8")
    assert len(re.findall(r"^D-\d+\t", said, re.M)) == 3, said[-2000:]
    # the model has 64 positions, two of which <s> and the language token take
    assert "1 of 1 sentences are cut to 62 sub-tokens" in said
    # without a test's help, and as the module that is run
    assert done.returncode == 1 and "error: standard input is not UTF-8 in line 4" in said.splitlines()[-1]


@pytest.mark.parametrize(
    "data, said",
    [
        (
            b"\xe2\x96\x81a1 .\n\xe2\x96\x81a3 caf\xe9\n",
            "text is not UTF-8 in line 2: convert it, for",
        ),
        ("\u2581a1 .\n".encode("utf-16"), "text is UTF-16: convert it"),
        (None, "text cannot be read: No such file or directory"),
    ],
)
def test_interactive_says_what_is_no_text(data_folder, checkpoint, tmp_path, monkeypatch, data, said):
    import fairseq_cli.interactive

    stock = getattr(_buffered_read, "stock", fairseq_cli.interactive.buffered_read)
    monkeypatch.setattr(fairseq_cli.interactive, "buffered_read", stock)
    if data:
        (tmp_path / "text").write_bytes(data)
    with pytest.raises((UnicodeDecodeError, FileNotFoundError)):
        list(stock(str(tmp_path / "text"), 1))  # or the shim is idle
    options = f"--task crossinit_unmt -s aa -t bb --path {checkpoint} --beam 2 --max-len-b 8 --input {tmp_path}/text"
    let_interactive_say_what_is_no_text()
    done = run("interactive", [str(data_folder)], options)
    assert done.returncode == 1 and done.stdout.endswith("\n") and said in done.stdout.splitlines()[-1]
    # what stands before is translated
    assert len(re.findall(r"^D-\d+\t", done.stdout, re.M)) == (1 if data and data[0] == 0xE2 else 0)


def test_interactive_reads_standard_input_as_bytes(monkeypatch):
    """Whatever the locale; a lone carriage return ends no line; a byte order mark is dropped."""
    lines = io.TextIOWrapper(io.BytesIO("\ufeffa\rb\n c \nd".encode() + b"\n\xff\nlate\n"), encoding="ascii")
    monkeypatch.setattr(sys, "stdin", lines)
    read = _buffered_read("-", 2)
    assert [next(read), next(read)] == [["a\rb", "c"], ["d"]]
    with pytest.raises(SystemExit, match="error: standard input is not UTF-8 in line 4"):
        next(read)


def test_models_of_other_text_are_refused_by_generation(data_folder, checkpoint, tmp_path):
    (tmp_path / "text").write_text("\u2581a1 .\n", "utf-8")
    options = f"--task crossinit_unmt -s aa -t bb --path {checkpoint} --beam 1 --max-len-b 4 --input {tmp_path}/text"
    for more, said in (
        (
            f"--bpe sentencepiece --sentencepiece-model {toy.foreign_model(tmp_path)}",
            "foreign.model is not the Sent",
        ),
        (f"--bpe sentencepiece --sentencepiece-model {tmp_path}/text", "text is no SentencePiece model"),
        ("--bpe sentencepiece", "needs --sentencepiece-model"),
    ):
        done = run("interactive", [str(data_folder)], options, more)
        assert done.returncode == 1 and said in done.stdout.splitlines()[-1]


def test_the_hub_refuses_models_of_other_text(data_folder, checkpoint, tmp_path):
    from fairseq.models.bart import BARTModel
    from fairseq.models.transformer import TransformerModel

    foreign = toy.foreign_model(tmp_path)
    for kind in (TransformerModel, BARTModel):
        for model, said in (
            (foreign, "foreign.model is not the SentencePiece model"),
            (None, "needs --sentencepiece-m"),
        ):
            options = dict(bpe="sentencepiece", source_lang="aa", target_lang="bb")
            if model:
                options["sentencepiece_model"] = model
            with pytest.raises(SystemExit, match=said):
                kind.from_pretrained(str(checkpoint.parent), checkpoint.name, str(data_folder), **options)
    # what is compared beside the dictionary is the model in the data folder
    shutil.copytree(str(data_folder), str(tmp_path / "data"))
    shutil.copy(str(toy.data_folder(tmp_path) / "spm.model"), str(tmp_path / "data" / "spm.model"))
    with pytest.raises(SystemExit, match="foreign.model is another SentencePiece model than .*/data/spm.model"):
        TransformerModel.from_pretrained(
            str(checkpoint.parent), checkpoint.name, str(tmp_path / "data"), sentencepiece_model=foreign, **options
        )


@pytest.mark.parametrize(
    "content, said",
    [
        (b"a b\ncaf\xe9 x\n", "words is not UTF-8 in line 2"),
        (b"a b\n\nc\n", "words, line 3: not `word translation`: 'c'"),
        (None, "words cannot be read: No such file"),
        (b"\xef\xbb\xbfa b x\r\nc\td\n", None),
    ],
)
def test_a_dictionary_for_unknown_words(tmp_path, content, said):
    from fairseq import options, utils

    path = tmp_path / "words"
    if content is not None:
        path.write_bytes(content)
    if said is None:
        assert utils.load_align_dict(str(path)) == {"a": "b", "c": "d"}
        assert utils.load_align_dict(None) is None and utils.load_align_dict("") == {}
        alone = options.get_interactive_generation_parser().parse_args(["--replace-unk"])
        assert utils.load_align_dict(alone.replace_unk) == {}
        return
    with pytest.raises(SystemExit, match=said):
        utils.load_align_dict(str(path))
    with pytest.raises((UnicodeDecodeError, IndexError, FileNotFoundError)):  # or the shim is idle
        utils.load_align_dict.stock(str(path))


WORDS = ["\u2581a1 \u2581a2 .", "\u2581a4", "\u2581a3 s \u2581a9 \u2581a10 t \u2581a1 ."]


class NoPieces:
    """In place of a sub-word model: text is given and written in sub-tokens."""

    def encode(self, text):
        return text

    decode = encode


def hub(kind, data_folder, checkpoint, **languages):
    loaded = kind.from_pretrained(str(checkpoint.parent), checkpoint.name, str(data_folder), bpe=None, **languages)
    loaded.bpe = NoPieces()
    return loaded


@pytest.mark.parametrize("source, target", [("aa", "bb"), ("bb", "aa")])
def test_hub_interfaces_translate_as_training_does(data_folder, checkpoint, source, target):
    """BART's own interface writes <s> itself, and hands sentences to the task twice."""
    from fairseq.models.bart import BARTModel
    from fairseq.models.transformer import TransformerModel

    from crossinit_fairseq.generation.search import Search, TranslationRequest

    sentences = [text.replace("a", source[0]) for text in WORDS]
    loaded = hub(TransformerModel, data_folder, checkpoint, source_lang=source, target_lang=target)
    task, model = loaded.task, loaded.models[0]
    model.eval()
    tokens = [task.dictionary.encode_line(text, add_if_not_exist=False).long() for text in sentences]
    expected = []
    for sentence in tokens:  # the limit is of the longest sentence of a batch
        request = TranslationRequest(task.special_tokens.add(sentence, source).unsqueeze(0), target)
        (got,) = Search(task.special_tokens, max_len_a=0, max_len_b=6)(model, [request])
        expected.append(task.dictionary.string(got[0]))
    for kind in (TransformerModel, BARTModel):
        loaded = hub(kind, data_folder, checkpoint, source_lang=source, target_lang=target)
        got = loaded.translate(sentences, beam=1, max_len_a=0, max_len_b=7)  # it counts the <s>
        assert got == expected, kind
        assert len(loaded.translate(sentences, beam=3, max_len_b=7)) == 3
        assert loaded.translate(sentences, beam=1, max_len_a=0, max_len_b=7) == expected, "also after a beam"


def test_hub_interface_without_languages_says_so(data_folder, checkpoint):
    from fairseq.models.transformer import TransformerModel

    with pytest.raises(SystemExit, match="source_lang= and target_lang= for from_pretrained"):
        hub(TransformerModel, data_folder, checkpoint).translate(WORDS)


def test_translations_of_the_target_language_only(data_folder, checkpoint):
    from fairseq.models.transformer import TransformerModel

    languages = dict(source_lang="aa", target_lang="bb")
    free = hub(TransformerModel, data_folder, checkpoint, **languages)
    held_back = hub(TransformerModel, data_folder, checkpoint, generation_vocab="target", **languages)
    for options in (dict(beam=1), dict(beam=4), dict(beam=2, sampling=True)):
        options = dict(options, max_len_a=0, max_len_b=12, min_len=6)
        foreign = re.compile("\u2581a|\\[")  # words of aa, language tokens
        assert foreign.search(" ".join(free.translate(WORDS, **options))), "or this test shows nothing"
        got = " ".join(held_back.translate(WORDS, **options))
        assert "\u2581b" in got and not foreign.search(got), options


def test_the_target_language_is_known_by_its_text(data_folder, checkpoint, tmp_path):
    from fairseq.models.transformer import TransformerModel

    (tmp_path / "dict.txt").write_text((data_folder / "dict.txt").read_text("utf-8"), "utf-8")
    loaded = hub(TransformerModel, tmp_path, checkpoint, source_lang="aa", target_lang="bb", generation_vocab="target")
    with pytest.raises(SystemExit, match="train.idx is missing"):
        loaded.translate(WORDS)


def test_from_pretrained_takes_the_user_dir(data_folder, checkpoint):
    program = (
        "from fairseq.models.transformer import TransformerModel\n"
        f"hub = TransformerModel.from_pretrained({str(checkpoint.parent)!r}, {checkpoint.name!r}, "
        f"{str(data_folder)!r}, user_dir={str(USER_DIR)!r}, source_lang='aa', target_lang='bb')\n"
        f"print(len(hub.translate({WORDS!r}, max_len_b=5)))"
    )
    done = subprocess.run(
        [program_server.python(), "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=str(checkpoint.parent),
    )
    assert done.stdout.split()[-1:] == [b"3"], done.stderr[-2000:]


def test_sentences_over_the_limit_are_refused_or_cut_as_asked(data_folder, checkpoint, tmp_path):
    options = (
        f"--task crossinit_unmt -s aa -t bb --path {checkpoint} --gen-subset valid --max-len-b 3 "
        "--max-source-positions 6"
    )
    with pytest.raises(Exception, match="is invalid"):
        run("generate", [str(data_folder)], options)
    done = run("generate", [str(data_folder)], options, "--truncate-source --required-batch-size-multiple 1")
    assert done.returncode == 0, done.stdout
    whole = run(
        "generate",
        [str(data_folder)],
        options.replace(" --max-source-positions 6", ""),
        "--required-batch-size-multiple 1",
    )
    assert "are cut to 4 sub-tokens" in done.stdout and "are cut" not in whole.stdout
    assert len(re.findall("^D-", done.stdout, re.M)) == len(re.findall("^D-", whole.stdout, re.M)) > 0
    assert max(len(line.split()) - 1 for line in re.findall("^S-.*", done.stdout, re.M)) <= 4


@pytest.fixture(scope="module")
def hubs(data_folder, checkpoint):
    from fairseq.models.bart import BARTModel
    from fairseq.models.transformer import TransformerModel

    languages = dict(source_lang="aa", target_lang="bb")
    return [hub(kind, data_folder, checkpoint, **languages) for kind in (TransformerModel, BARTModel)]


def test_a_word_outside_the_dictionary_is_unknown_and_adds_nothing(hubs):
    options = dict(beam=2, max_len_a=0, max_len_b=7)
    for loaded in hubs:
        before, size = loaded.translate(WORDS, **options), len(loaded.task.dictionary)
        assert loaded.encode("\u2581a1 \u2603").tolist()[-2:] == [3, 2], "<unk> </s>"
        assert len(loaded.translate(["\u2581a1 \u2603 \u2581nowhere", "\u2603"], **options)) == 2
        assert len(loaded.task.dictionary) == size and loaded.translate(WORDS, **options) == before


def test_sentences_too_long_for_the_hub_are_cut_and_said(hubs, caplog):
    sentence = " ".join(["\u2581a1", "\u2581a2"] * 100)
    for loaded in hubs:
        caplog.clear()
        got, short = loaded.translate([sentence, WORDS[0]], beam=1, max_len_a=0, max_len_b=7)
        cut = " ".join(sentence.split()[:61])  # and </s>
        assert [got, short] == loaded.translate([cut, WORDS[0]], beam=1, max_len_a=0, max_len_b=7)
        said = [record.getMessage() for record in caplog.records if "cut" in record.getMessage()]
        assert said[0] == "1 of 2 sentences are cut to 62 sub-tokens"


def test_several_threads_with_beams_of_their_own(hubs):
    for loaded in hubs:
        options = [dict(beam=beam, max_len_a=0, max_len_b=9) for beam in (1, 3, 2, 4, 1, 5)]
        alone = [loaded.translate(WORDS, **each) for each in options]
        with ThreadPoolExecutor(len(options)) as threads:
            futures = [threads.submit(loaded.translate, WORDS, **each) for each in options for _ in range(2)]
            together = [future.result() for future in futures]
        assert together == [each for each in alone for _ in range(2)]


@pytest.mark.parametrize("vocab", ["all", "target"])
def test_scores_of_references_are_of_their_text(data_folder, checkpoint, vocab):
    options = "--task crossinit_unmt -s aa -t bb --path {} --gen-subset valid --score-reference --generation-vocab {}"
    more = "--required-batch-size-multiple 1 --batch-size 4"
    done = run("generate", [str(data_folder)], options.format(checkpoint, vocab), more)
    assert done.returncode == 0, done.stdout[-2000:]
    lines = {key: dict(re.findall(rf"^{key}-(\d+)\t(.*)$", done.stdout, re.M)) for key in "TDP"}
    assert len(lines["T"]) == len(lines["D"]) == len(lines["P"]) == 21
    for number, text in lines["T"].items():
        score, scored = lines["D"][number].split("\t")
        each = [float(value) for value in lines["P"][number].split()]
        assert scored == text and "[" not in text
        assert len(each) == len(text.split()) + 2, "<s>, the pieces, </s>"
        assert float(score) == pytest.approx(sum(each) / len(each), abs=1e-3)


def test_the_last_line_counts_whole_words(data_folder, checkpoint):
    """Whole words stand in no dictionary of sub-tokens. As many words as the T lines have, every one of them right."""
    options = f"--task crossinit_unmt -s aa -t bb --path {checkpoint} --gen-subset valid --score-reference"
    more = "--remove-bpe sentencepiece --required-batch-size-multiple 1 --batch-size 4"
    done = run("generate", [str(data_folder)], options, more)
    assert done.returncode == 0, done.stdout[-2000:]
    words = sum(len(text.split()) for text in re.findall(r"^T-\d+\t(.*)$", done.stdout, re.M))
    assert "BLEU4 = 100.00" in done.stdout and f"syslen={words}, reflen={words})" in done.stdout
