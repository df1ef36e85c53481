"""The house's rules of its imports and files, read from the syntax trees: what may know what."""

import ast
import functools
import pathlib

import pytest

import crossinit_fairseq

PACKAGE = pathlib.Path(crossinit_fairseq.__file__).parent
NAME = "crossinit_fairseq"
# from the bottom up: a room may import those before it, and those beside it
FLOORS = [
    {"errors"},
    set(),  # the other single files beside the rooms
    {"data.dictionary", "data"},
    {"ranks"},
    {"lexicon", "spans", "alignment", "scoring"},
    {"analysis", "preparation", "export"},
    {
        "data.bart_noise",
        "data.dictionary_record",
        "data.earlier_run",
        "data.folder",
        "data.noise",
        "data.sentences",
        "data.special_tokens",
        "data.text_check",
        "data.vocabularies",
        "data.datasets",
    },
    {"models"},
    {"criterions", "generation", "doctor", "finetuning"},
    {"unmt"},
    {"tasks"},
    {"cli"},
]
FAIRSEQ_FREE = {
    "ranks",
    "lexicon",
    "spans",
    "alignment",
    "analysis",
    "preparation",
    "scoring",
    "export",
    "finetuning",
    "doctor",
    "data",  # but for data.datasets
}
# what fairseq is told, and what is mended in it: above all, and asked by the rooms' __init__ alone
OUTSIDE = {"registration", "compat"}


def modules():
    """{dotted name without the package's: path} of all modules; packages by their __init__."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = path
    return found


@functools.lru_cache(maxsize=None)
def imports(path, at_top_only=False):
    """The full names of the modules that a file imports: of `from a import b` a.b where that is a module, else a.

    What stands under `if TYPE_CHECKING:` is not imported. at_top_only: nor is what stands in functions.
    """
    tree, left_out = ast.parse(path.read_text("utf-8")), set()
    for node in ast.walk(tree):
        types_only = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        if types_only or (at_top_only and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))):
            left_out |= set(ast.walk(node))
    found = set()
    for node in ast.walk(tree):
        if node in left_out:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner[len(NAME) + 1 :] in MODULES else node.module)
    return found


MODULES = modules()


def own_imports(path, **options):
    """Those of the package, without its name, as far as they are modules."""
    names = {name[len(NAME) + 1 :] for name in imports(path, **options) if name.startswith(NAME + ".")}
    return {name for name in names if name in MODULES}


def floor(module):
    """The number of the floor of a module's room."""
    rooms = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    parts = module.split(".")
    if len(parts) == 1 and MODULES[module].name != "__init__.py" and module != "errors":
        return 1
    for length in range(len(parts), 0, -1):
        if ".".join(parts[:length]) in rooms:
            return rooms[".".join(parts[:length])]
    raise AssertionError(f"{module} stands in no room of this test: say in FLOORS what it may import")


def inside(module):
    return module and module.split(".")[0] not in OUTSIDE


@pytest.mark.parametrize("module", [module for module in MODULES if inside(module)])
def test_nothing_is_imported_upward(module):
    for other in own_imports(MODULES[module]):
        if inside(other):
            assert floor(other) <= floor(module), f"{module} imports {other}, which stands above it"


def test_no_circle():
    graph = {module: own_imports(path) - {module} for module, path in MODULES.items() if inside(module)}
    done, path = set(), []

    def visit(module):
        assert module not in path, " -> ".join(path[path.index(module) :] + [module])
        if module in done or not inside(module):
            return
        path.append(module)
        for other in graph[module]:
            # a package that gathers its own modules is no circle: they do not ask it back
            visit(other)
        path.pop()
        done.add(module)

    for module in graph:
        visit(module)


@pytest.mark.parametrize(
    "module",
    [name for name in MODULES if name.split(".")[0] in FAIRSEQ_FREE and not name.startswith("data.datasets")],
)
def test_rooms_without_fairseq_import_none(module):
    """Nor does anything that they import."""
    seen, ahead = set(), {module}
    while ahead:
        one = ahead.pop()
        seen.add(one)
        foreign = {name.split(".")[0] for name in imports(MODULES[one])}
        assert not foreign & {"fairseq", "fairseq_cli"}, f"{module} needs fairseq by way of {one}"
        ahead |= own_imports(MODULES[one]) - seen


def test_only_the_rooms_front_doors_ask_for_fairseq_to_be_registered():
    """`import_fairseq` must come before any module of a room is half imported; see registration.py."""
    asking = {name for name, path in MODULES.items() if "registration" in own_imports(path)}
    knowing = {
        name
        for name, path in MODULES.items()
        if inside(name) and "fairseq" in {n.split(".")[0] for n in imports(path, at_top_only=True)}
    }
    for module in knowing:
        parts = module.split(".")
        parents = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        assert parents & asking, f"{module} imports fairseq, and no __init__ above it calls import_fairseq"
    assert all(MODULES[name].name == "__init__.py" for name in asking)


@pytest.mark.parametrize("module", [name for name, path in MODULES.items() if path.name != "__init__.py"])
def test_files_are_neither_crumbs_nor_scrolls(module):
    lines = len(MODULES[module].read_text("utf-8").splitlines())
    assert lines >= 30 or module == "errors", f"{module} has {lines} lines: make it a function of its neighbour"
    assert lines <= 350, f"{module} has {lines} lines: split it"


def test_the_rules_hold_for_something():
    assert own_imports(MODULES["unmt.back_translation"]) >= {"generation.search", "unmt.copy_monitor"}
    assert (
        floor("unmt.back_translation")
        > floor("generation.search")
        > floor("data.datasets.corpus")
        > floor("ranks.words")
    )
