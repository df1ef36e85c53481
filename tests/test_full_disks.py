"""Every command that writes a file, on a disk that is full at any byte of it: one sentence, and no file that is cut.

bash scripts/test.sh -m long tests/test_full_disks.py       100 sizes for each command
"""

import json
import lzma
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("polars")
pytest.importorskip("scipy")

import torch

from crossinit_fairseq.analysis import comparison
from crossinit_fairseq.cli import (
    analyze,
    command,
    compare,
    compare_recipes,
    compare_runs,
    export,
    lexicon,
    predict,
    prepare,
    ranks,
    retrieve,
    score,
)
from crossinit_fairseq.data import dictionary
from crossinit_fairseq.finetuning.predictions import write_answers, write_labels
from crossinit_fairseq.ranks import count_text
from crossinit_fairseq.run_summary import write_summary
from tests.analysis.spaces import rank_table
from tests.conftest import train
from tests.finetuning import toy
from tests.program_server import python

TEXT = "the cat sat on the mat and the dog saw it\na house by the sea has a red roof and a door\n" * 200
# 300 words: aax, abx, ...
WORDS = [f"{a}{b}x" for a in "abcdefghijklmno" for b in "abcdefghijklmnopqrst"]
MANY_WORDS = "".join(" ".join(random.Random(k).choices(WORDS, range(300, 0, -1), k=8)) + "\n" for k in range(1000))
LEXICON = "# languages: {}\n# pairs: 2\nthe\tcasa\t0.5\t8\t7\tmutual\ncat\tpisica\t0.25\t3\t2\tforward\n"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with what the commands read."""
    folder = tmp_path_factory.mktemp("inputs")
    for language in ("en", "ro"):
        (folder / f"mono.{language}").write_text(TEXT, encoding="utf-8")
        (folder / f"{language}.txt").write_text(TEXT, encoding="utf-8")
    (folder / "a.tsv").write_text(LEXICON.format("en ro"), encoding="utf-8")
    (folder / "b.tsv").write_text("# languages: ro fr\ncasa\tla\npisica\tchat\n", encoding="utf-8")
    (folder / "hyp").write_text("x\nz\n", encoding="utf-8")
    (folder / "ref").write_text("x\ny\n", encoding="utf-8")
    (folder / "table_dict.txt").write_text(
        "".join(f"w{k} 1\n" for k in range(60)) + "[en] 1\n<mask> 1\n", encoding="utf-8"
    )
    table = {"encoder.embed_tokens.weight": torch.arange(66 * 8.0).view(66, 8)}
    torch.save({"model": table, "cfg": {"model": {}}, "args": None}, str(folder / "model.pt"))
    for main, options in (
        (prepare.main, "vocabulary --langs en,ro --text {i} --size 30 --out {i}"),
        (export.main, "{i}/model.pt --dict {i}/table_dict.txt --to {i}/table.vec"),
        (ranks.main, "count {i}/mono.en --lang en -o {i}/table.tsv"),
    ):
        status, said = run(main, options.format(i=folder).split())
        assert status == 0, said
    # what the others read
    rank_table("en", [f"w{k}" for k in range(60)]).save(str(folder / "words.tsv"))
    valid = [{"valid_num_updates": str(k), "valid_loss": str(3 - k / 100)} for k in (20, 40)]
    (folder / "log").write_text("".join(f"| valid | {json.dumps(one)}\n" for one in valid), encoding="utf-8")
    counts = {"lines_read": 9, "words_read": 9, "lines": 3, "words": 7, "dropped": {"repeated": 1, "empty": 2}}
    for name in ("clean", "pieces/0", "own/mono", "own/test", "labels"):
        (folder / name).mkdir(parents=True)
    for language in ("en", "ro"):
        (folder / "clean" / f"{language}.json").write_text(json.dumps(counts), encoding="utf-8")
        (folder / "pieces" / "0" / f"train.{language}").write_text("\u2581a b \u2581a\n", encoding="utf-8")
        shutil.copy(str(folder / "mono.en"), str(folder / "own" / "mono" / f"general.{language}.txt"))
        shutil.copy(str(folder / "mono.en"), str(folder / "own" / "test" / f"t.en-ro.{language}"))
    (folder / "pieces" / "dict.txt").write_text("\u2581a 1\nb 1\n[en] 1\n[ro] 1\n<mask> 1\n", encoding="utf-8")
    turned = "\n".join(" ".join(word[::-1] for word in line.split()) for line in MANY_WORDS.split("\n"))
    (folder / "many.en").write_text(MANY_WORDS, encoding="utf-8")
    (folder / "turned.ro").write_text(turned, encoding="utf-8")
    (folder / "symbols").write_text("".join(f"w{k}\n" for k in range(60)), encoding="utf-8")
    (folder / "paragraphs.xz").write_bytes(lzma.compress((TEXT + "Mr. A left. B came.\n").encode()))
    toy.nli_file(folder / "nli.tsv", "en", 3, 1)
    (folder / "labels" / "en.txt").write_text("neutral\n" * 3, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def fine_tuned(inputs):
    """In the same folder: a fine-tuned checkpoint, what it predicts, and what it finds."""
    folder = inputs / "fine_tuned"
    folder.mkdir()
    toy.data_folder(folder)
    toy.nli_file(folder / "train.tsv", "aa", 20, 1)
    (folder / "words").write_text("".join(f"a{k} b{k}\n" for k in range(10)), encoding="utf-8")
    options = "--task crossinit_xnli --criterion sentence_prediction --batch-size 8 --max-length 40 --max-update 1"
    files = f"--arch xlm_tiny_3 --train-files aa={folder}/train.tsv --valid-files aa={folder}/train.tsv"
    train(folder, folder, options, files, toy.SIZES)


@pytest.fixture(scope="module")
def recipes(inputs):
    """In the same folder: finished runs of a recipe, and recipes that have nothing to do but say so."""
    pytest.importorskip("matplotlib")
    from tests.cli.test_compare import MANY

    for name, script in (("recipes", "for k in $(seq 100); do echo line $k; done\n"), ("first_recipes", MANY)):
        (inputs / name / "cipher").mkdir(parents=True)
        (inputs / name / "cipher" / "run.sh").write_text(script, encoding="utf-8")
    status, said = run(compared, [str(inputs / "first_recipes"), "", str(inputs / "runs")])
    assert status == 0, said
    for name in ("compared", "logs"):
        shutil.rmtree(str(inputs / "runs" / name))


@pytest.fixture(scope="module")
def hugging_face(inputs):
    """In the same folder: a model of Hugging Face's."""
    pytest.importorskip("transformers")
    pytest.importorskip("safetensors")
    status, said = run(save_hugging_face, [str(inputs / "hugging_face")])
    assert status == 0, said


def save_hugging_face(arguments):
    """Writes a small XLM of the dictionary's words."""
    from crossinit_fairseq.export.hugging_face import import_transformers

    transformers = import_transformers()
    tokens = "<s> </s> <pad> <unk> <special0> <special1> <special2>".split() + [f"w{k}</w>" for k in range(60)]
    config = transformers.XLMConfig(vocab_size=67, emb_dim=8, n_layers=1, n_heads=2, max_position_embeddings=32)
    transformers.XLMWithLMHeadModel(config).save_pretrained(arguments[0])
    vocab = json.dumps({token: number for number, token in enumerate(tokens)})
    Path(arguments[0], "vocab.json").write_text(vocab, encoding="utf-8")
    Path(arguments[0], "merges.txt").write_text("t h\n", encoding="utf-8")


def labels(arguments):
    """Writes a file as `crossinit-predict nli` does."""
    return command.run("predict", lambda: write_labels(arguments[0], [1, 2] * 50))


def answers(arguments):
    """Writes a file as `crossinit-predict qa` does."""
    return command.run("predict", lambda: write_answers(arguments[0], {"1": "a house", "2": "a roof"}))


def symbols(arguments):
    """`python -m crossinit_fairseq.data.dictionary`."""
    sys.argv[1:] = arguments
    dictionary.main()


def summary(arguments):
    """Writes what the recipes' own programs write."""
    return command.run("summary", lambda: write_summary(arguments[0], {"score": list(range(100))}))


def sentences(arguments):
    """Cuts a download as `crossinit-prepare download` does, which removes it then."""
    from crossinit_fairseq.preparation.downloads.sentences import to_sentences

    download = arguments[1] + ".xz"
    os.link(arguments[0], download)
    return command.run("download", lambda: to_sentences(download, "xz", "en", os.path.join(arguments[1], "x.txt.gz")))


def spilled(arguments):
    """Counts words that are too many for memory."""
    return command.run("ranks", lambda: count_text(arguments[0], "en", block=1 << 12, memory=1).save(arguments[1]))


def compared(arguments):
    """crossinit-compare with recipes of a folder, where runs of another folder, if named, are done."""
    compare_recipes.EXAMPLES = Path(arguments[0])
    compare_runs._POLL, comparison.SAMPLES = 0.05, 50
    if arguments[1]:
        shutil.copytree(arguments[1], arguments[2], copy_function=os.link, dirs_exist_ok=True)
    return compare.main(["cipher", "--inits", "random,crossinit", "--seeds", "1,2", "--out", arguments[2]])


# name: what a command is told, {i} the folder of inputs, {o} that of outputs
COMMANDS = {
    "ranks count": (ranks.main, "count {i}/mono.en --lang en -o {o}/table.tsv"),
    "lexicon compose": (lexicon.main, "compose {i}/a.tsv {i}/b.tsv -o {o}/lexicon.tsv"),
    "score": (score.main, "--pair en-de --reference {i}/ref --bootstrap 0 --json {o}/scores.json {i}/hyp"),
    "prepare clean": (prepare.main, "clean {i}/mono.en --lang en -o {o}/clean.txt"),
    "prepare normalise": (prepare.main, "normalise {i}/mono.ro --lang ro -o {o}/dev.ro"),
    "prepare vocabulary": (prepare.main, "vocabulary --langs en,ro --text {i} --size 30 --out {o}"),
    "prepare encode": (prepare.main, "encode --langs en,ro --model {i}/spm.model --text {i} --out {o}"),
    "export": (export.main, "{i}/model.pt --dict {i}/table_dict.txt --to {o}/table.vec"),
    "export safetensors": (export.main, "{i}/model.pt --dict {i}/table_dict.txt --to {o}/table.safetensors"),
    "export into": (export.main, "--from {i}/table.vec --into {i}/model.pt --dict {i}/table_dict.txt -o {o}/new.pt"),
    "ranks merge": (ranks.main, "merge {i}/table.tsv {i}/table.tsv -o {o}/merged.tsv"),
    "labels": (labels, "{o}/en.txt"),
    "answers": (answers, "{o}/en.json"),
    "prepare report": (prepare.main, "report --langs en,ro --clean {i}/clean --pieces {i}/pieces --out {o}"),
    "prepare local": (prepare.main, "local {i}/own --langs en,ro --test t.en-ro --out {o}"),
    "prepare download": (sentences, "{i}/paragraphs.xz {o}"),
    "ranks count spilled": (spilled, "{i}/mono.en {o}/table.tsv"),
    "lexicon induce": (lexicon.main, "induce --text en={i}/many.en --text ro={i}/turned.ro --workers 1 -o {o}/l.tsv"),
    "lexicon induce -": (lexicon.main, "induce --text en=- --text ro={i}/turned.ro --workers 1 -o {o}/l.tsv"),
    "lexicon evaluate": (lexicon.main, "evaluate {i}/a.tsv --dict {i}/a.tsv --json {o}/figures.json"),
    "score xnli": (score.main, "--task xnli --reference en={i}/nli.tsv --json {o}/scores.json {i}/labels"),
    "dictionary": (symbols, "write --langs en,ro --symbols {i}/symbols --out {o}/dict.txt"),
    "summary": (summary, "{o}"),
    "analyze": (analyze.main, "{i}/table.vec --ranks en={i}/words.tsv --logs run={i}/log --out {o}"),
    "compare": (compared, "{i}/recipes {i}/runs {o}"),
    "retrieve": (
        retrieve.main,
        "{i}/fine_tuned --path {i}/fine_tuned/checkpoint_last.pt --words aa-bb={i}/fine_tuned/words --json {o}/found",
    ),
    "predict": (
        predict.main,
        "{i}/fine_tuned --path {i}/fine_tuned/checkpoint_last.pt --text aa={i}/fine_tuned/train.tsv --out {o}",
    ),
    "export hugging face": (
        export.main,
        "{i}/model.pt --dict {i}/table_dict.txt --hugging-face {i}/hugging_face -o {o}/new",
    ),
}
# what else they need
NEEDS = {"retrieve": "fine_tuned", "predict": "fine_tuned", "compare": "recipes", "export hugging face": "hugging_face"}
LIBRARIES = {"export safetensors": "safetensors", "prepare download": "sentencex", "analyze": "matplotlib"}
# of these nothing is left, though they write several files
ALL_OR_NONE = ("prepare vocabulary", "export hugging face")


# a function of the package where no file may be longer than a size, which gives the errors of a full disk
LIMITED = """
import importlib, resource, signal, sys, tempfile
import torch
torch.set_num_threads(1)
module, function, size = sys.argv[1:4]
del sys.argv[1:4]
if size != "-":
    tempfile.gettempdir()  # is looked for by writing files
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
sys.exit(getattr(importlib.import_module(module), function)(sys.argv[1:]))
"""


def run(main, arguments, size=None, temporary=None):
    """Do it where no file may be longer than `size` bytes: (exit status, what it said).

    temporary: the folder for temporary files. Standard input is text.
    """
    command = [python(), "-c", LIMITED, main.__module__, main.__name__, "-" if size is None else str(size)]
    done = subprocess.run(
        command + arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        input=MANY_WORDS.encode(),
        env=dict(os.environ, TMPDIR=str(temporary)) if temporary else None,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


def check_full_disk(name, inputs, folder, places):
    """Fill the disk at some places of the longest file that a command writes.

    places: shares of its length, 0 to 1.
    """
    main, options = COMMANDS[name]
    whole, temporary = folder / "whole", folder / "temporary"
    whole.mkdir()
    temporary.mkdir()
    status, said = run(main, options.format(i=inputs, o=whole).split(), None, temporary)
    assert status == 0, said
    written = files_in(whole)
    longest = max(len(content) for path, content in written.items() if not (whole / path).is_symlink())
    refused = 0
    for number, place in enumerate(places):
        out = folder / str(number)
        out.mkdir()
        size = int(place * (longest - 1))
        if name.startswith("prepare ") and 0 < size < 64:
            size = 64  # locks of worker processes are files of 32 bytes in memory, which a lower limit cuts short
        status, said = run(main, options.format(i=inputs, o=out).split(), size, temporary)
        assert status == 1 and "cannot be written: " in said and "File too large" in said, (size, said)
        assert "Traceback" not in said, (size, said)
        left = files_in(out)
        assert {path: written.get(path) for path in left} == left, (size, sorted(left))
        assert not (name in ALL_OR_NONE and left), (size, sorted(left))
        assert not os.listdir(str(temporary)), (size, os.listdir(str(temporary)))
        refused += 1
    assert refused == len(places)


def files_in(folder):
    """{path below a folder: what it holds}, but for the logs of recipes, which are written as these speak."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.parent != folder / "logs"]
    return {path.relative_to(folder): path.read_bytes() for path in paths}


@pytest.fixture
def name(request):
    """Of a command, once all that it needs is there."""
    if request.param in LIBRARIES:
        pytest.importorskip(LIBRARIES[request.param])
    if request.param in NEEDS:
        request.getfixturevalue(NEEDS[request.param])
    return request.param


@pytest.mark.parametrize("name", COMMANDS, indirect=True)
def test_a_full_disk(name, inputs, tmp_path):
    check_full_disk(name, inputs, tmp_path, [0, 1] if name in NEEDS or name == "analyze" else [0, 0.5, 1])


@pytest.mark.long
@pytest.mark.parametrize("name", COMMANDS, indirect=True)
def test_a_disk_that_is_full_at_many_places(name, inputs, tmp_path):
    check_full_disk(name, inputs, tmp_path, [k / 99 for k in range(100)])


def test_a_vocabulary_stays_until_another_one_is_written_whole(inputs, tmp_path):
    main, options = COMMANDS["prepare vocabulary"]
    arguments = options.format(i=inputs, o=tmp_path).split()
    assert run(main, arguments)[0] == 0
    old, other = files_in(tmp_path), [argument.replace("30", "29") for argument in arguments]
    # room for dict.txt and spm.vocab, but not for spm.model
    status, said = run(main, other, 10000)
    assert status == 1 and "spm.model cannot be written: File too large" in said
    assert files_in(tmp_path) == old and set(map(str, old)) == {"dict.txt", "spm.model", "spm.vocab"}
    assert run(main, other)[0] == 0
    new = files_in(tmp_path)
    assert new.keys() == old.keys() and all(new[path] != old[path] for path in old)
