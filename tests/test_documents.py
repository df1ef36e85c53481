"""The documents keep what they promise about themselves: their size, their links, the dependencies they name."""

import ast
import re
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "examples/**/*.md", "scripts/**/*.md", "crossinit_fairseq/**/*.md")
    for path in ROOT.glob(pattern)
    if not any(part.startswith(".") or part.startswith("out") for part in path.relative_to(ROOT).parts)
)
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]


def read(path: Path) -> str:
    return path.read_text("utf-8")


def links(text: str) -> Iterator[str]:
    """The targets of a document's links into this project, without their anchors."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target) and not target.startswith("#"):
            yield target.split("#")[0]


def named_files(text: str) -> Iterator[str]:
    """Paths of files of this project that stand in a document as code, or in one of its commands."""
    for name in re.findall(
        r"(?<![\w/.$-])((?:crossinit_fairseq|examples|scripts|tests)/[\w./-]*\.(?:py|sh|md|yaml|sbatch))", text
    ):
        yield name


def text_lines(text: str) -> Iterator[Tuple[int, str]]:
    """(number from 1, line) of a document's lines outside of fenced code and of tables."""
    code = False
    for number, line in enumerate(text.splitlines(), 1):
        fence = line.strip().startswith("```")
        code ^= fence
        if not code and not fence and not line.startswith("|"):
            yield number, line


def requirements(setup: str) -> List[Tuple[str, str]]:
    """(name, "" or the extra) of every requirement in setup.py."""
    found = []
    for node in ast.walk(ast.parse(setup)):
        if isinstance(node, ast.keyword) and node.arg in ("install_requires", "extras_require"):
            kinds = [("", node.value)]
            if isinstance(node.value, ast.Dict):
                kinds = [(ast.literal_eval(key), value) for key, value in zip(node.value.keys, node.value.values)]
            for kind, value in kinds:
                for one in ast.walk(value):
                    # the name begins a string, that of an f-string too
                    if isinstance(one, ast.Constant) and isinstance(one.value, str):
                        found.append((re.match(r"[\w.-]+", one.value).group(0), kind))
    return found


def test_the_readme_is_short():
    lines = read(ROOT / "README.md").splitlines()
    assert len(lines) <= 150, "what goes deeper belongs into the READMEs of examples and into CONTRIBUTING.md"
    assert [line for line in lines if len(line) > 120] == []


def test_text_is_wrapped():
    long = [
        (name, number)
        for name, document in zip(IDS, DOCUMENTS)
        for number, line in text_lines(read(document))
        if len(line) > 120
    ]
    assert long == []


def test_code_in_the_readme_is_fenced():
    outside = re.sub(r"```.*?```", "", read(ROOT / "README.md"), flags=re.S)
    assert [line for line in outside.splitlines() if line.startswith("    ")] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_links_lead_somewhere(document):
    missing = [target for target in links(read(document)) if not (document.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_named_files_are_there(document):
    # CHANGELOG.md tells what was, also of files that have gone
    if document.name != "CHANGELOG.md":
        assert [name for name in named_files(read(document)) if not (ROOT / name).exists()] == []


def dependency_table(text: str) -> Dict[str, str]:
    """{extra, or "": what the README says of it}; a row that names another extra has its text too."""
    found: Dict[str, str] = {}
    for extras, what in re.findall(r"^\| (\(always\)|`\w+`(?:, `\w+`)*) \| (.*) \|$", text, re.M):
        for extra in re.findall(r"`(\w+)`", extras) or [""]:
            others = " ".join(found.get(other, "") for other in re.findall(r"`(\w+)`", what))
            found[extra] = " ".join((found.get(extra, ""), what, others))
    return found


def test_every_dependency_is_named_with_its_extra():
    table = dependency_table(read(ROOT / "README.md"))
    wanted = requirements(read(ROOT / "setup.py"))
    assert len(wanted) > 20
    missing = [
        (name, extra)
        for name, extra in wanted
        if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", table.get(extra, ""))
    ]
    assert missing == [], "to be named in the README's table of dependencies, with the reason"


def test_the_dependency_table_is_read():
    text = (
        "| extra | what |\n| --- | --- |\n| (always) | a: x |\n| `b`, `c` | d: y |\n| `e` | `b`; f: z |\n| (always) "
        "| g |\n"
    )
    table = dependency_table(text)
    assert {key: " ".join(what.split()) for key, what in table.items()} == {
        "": "a: x g",
        "b": "d: y",
        "c": "d: y",
        "e": "`b`; f: z d: y",
    }


def test_requirements_are_found():
    setup = 'setup(install_requires=["a>=1", "b"], extras_require={"x": [\'c-d==2; python_version >= "3"\', "e[f]"]})'
    assert requirements(setup) == [("a", ""), ("b", ""), ("c-d", "x"), ("e", "x")]


def test_text_lines_are_found():
    text = "a\n```bash\nb\n```\n| c |\n    d\n"
    assert list(text_lines(text)) == [(1, "a"), (6, "    d")]


def test_links_and_names_are_found():
    text = "[a](b.md#c) [d](https://e) [f](#g) `bash scripts/h.sh` /x/scripts/i.sh $ROOT/scripts/j.sh"
    assert list(links(text)) == ["b.md"] and list(named_files(text)) == ["scripts/h.sh"]
