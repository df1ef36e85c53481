"""The commands that the documents print are ones that the programs take: every option is there, and its value fits."""

import importlib
import re
import shlex
import subprocess
from typing import Dict, Iterator, List

import pytest

from crossinit_fairseq.cli import command
from tests.test_documents import DOCUMENTS, IDS, ROOT, read

PARSERS = {"fairseq-train": "training", "fairseq-generate": "generation", "fairseq-preprocess": "preprocessing"}


def printed_commands(text: str, variables: Dict[str, str]) -> Iterator[List[str]]:
    """The words of each command in a document's fenced shell code, without redirections.

    variables: their values; those that the document sets join them. What may be left out ([...]) is there, and so are
    all alternatives (A | B), but of a choice of values (a|b) the first alone.
    """
    for block in re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        line = ""
        for part in block.replace("\\\n", " ").splitlines():
            line += part + "\n"
            try:
                words = _words(line)
            except ValueError:  # the line ends within quotation marks
                continue
            line, own = "", []
            for word in words + [";"]:
                if word == ";":
                    if own and "=" in own[0]:
                        variables.update([own[0].split("=", 1)])
                    elif own:
                        yield [each for one in own for each in _expanded(one, variables)]
                    own = []
                elif word not in ("do", "done"):
                    own.append(word)


def _words(line: str) -> List[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";<>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    words = list(lexer)
    return [word for k, word in enumerate(words) if word not in "<>" and (not k or words[k - 1] not in "<>")]


def _expanded(word: str, variables: Dict[str, str]) -> List[str]:
    word = word.strip("[]")
    if word == "|":
        return []
    if word[:1] == "$" and word[1:] in variables:
        return variables[word[1:]].split()
    word = re.sub(r"^(\w[\w.]*)\|[\w|.]+$", r"\1", word)
    return [re.sub(r"\$(\w+)", lambda found: variables.get(found[1], found[0]), word)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_printed_commands_are_taken(document, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(command, "run", lambda name, work: 0)
    refused, variables = [], {"l": "en", "s": "dev", "PWD": str(ROOT)}
    if document.name == "fairseq.md":  # its $COMMON is that of the README
        list(printed_commands(read(ROOT / "README.md"), variables))
    for words in printed_commands(read(document), variables):
        try:
            status = parse(*words)
        except SystemExit as ended:
            status = ended.code or 0
        if status:
            refused.append((" ".join(words), status))
    assert not refused


def parse(program: str, *options: str) -> int:
    """Read the command line as the program does, and no more. Returns or raises its exit status, 0 for others."""
    if "..." in options:  # it is not printed whole
        return 0
    if program in PARSERS:
        from fairseq import options as fairseq_options

        parser = getattr(fairseq_options, f"get_{PARSERS[program]}_parser")()
        if program == "fairseq-preprocess":
            parser.parse_args(options)
        else:
            fairseq_options.parse_args_and_arch(parser, input_args=list(options))
    elif program.startswith("crossinit-"):
        return importlib.import_module("crossinit_fairseq.cli." + program[len("crossinit-") :]).main(options)
    elif program == "bash" and options[0].startswith("examples/"):
        # recipes read their options one by one: the help comes if they know all that stand before it
        end = options.index("--") if "--" in options else len(options)
        done = subprocess.run(["bash", *options[:end], "--help"], capture_output=True, text=True)
        return done.returncode or ("usage: " not in done.stdout)
    return 0


def test_printed_commands_are_found():
    text = """\
```bash
ALL="--x 1
  --y 2"
for l in en ro; do
  crossinit-prepare clean mono.$l --lang $l  # said
  for s in dev test; do crossinit-prepare normalise $s.$l < in > out; done
done
fairseq-train data $ALL \\
  --flag '(0.9, 0.98)'
bash run.sh [--preset smoke|default] [--text DIR | --run DIR]
```
"""
    assert list(printed_commands(text, {"l": "en", "s": "dev"})) == [
        ["for", "l", "in", "en", "ro"],
        ["crossinit-prepare", "clean", "mono.en", "--lang", "en"],
        ["for", "s", "in", "dev", "test"],
        ["crossinit-prepare", "normalise", "dev.en"],
        ["fairseq-train", "data", "--x", "1", "--y", "2", "--flag", "(0.9, 0.98)"],
        ["bash", "run.sh", "--preset", "smoke", "--text", "DIR", "--run", "DIR"],
    ]


@pytest.mark.parametrize(
    "words",
    ["crossinit-score --refrence x y", "bash examples/spans/run.sh --spam 1", "fairseq-train data --task no_such_task"],
)
def test_a_command_that_is_not_taken_is_found(words, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    try:
        status = parse(*words.split())
    except SystemExit as ended:
        status = ended.code
    assert status == 2
