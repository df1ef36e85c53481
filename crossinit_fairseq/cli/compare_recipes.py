"""The recipes that crossinit-compare runs: how each is called, and where it leaves what."""

import json
import os
import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional, Sequence

from crossinit_fairseq.errors import InputError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
VECTORS = (".vec", ".safetensors")  # how the name of a file of embeddings ends
_DIRECTION = re.compile(r"[A-Za-z_]+-[A-Za-z_]+")
# figures of a log, the first there is, and how a curve of them is called
CURVES = {
    "valid_bleu": "BLEU on dev",
    "valid_round_trip_bleu": "round-trip BLEU",
    "valid_loss": "loss on text that is not trained on",
    "loss": "loss of training",
}


@dataclass(frozen=True)
class Recipe:
    """A recipe of examples/.

    name: its folder; inits: that it has; many: whether it runs several starts and seeds side by side itself, into
    OUT/runs/INIT-SEED, on one text; else each run is called with such a folder as its --out. reference: path of the
    reference, {} is the language, in the folder of all runs (many) or of one; suffix: of the file with translations,
    score/A-B plus it; bleu: options of sacreBLEU's BLEU; share: what the first run leaves for the others, as an option;
    training: the stage whose log has the curves; end: the stage that ends a run. A file of embeddings may be a start
    of every recipe. A recipe without a reference is scored by what it retrieves and predicts.
    """

    name: str
    inits: Sequence[str]
    many: bool
    reference: str
    suffix: str
    bleu: Dict[str, Any]
    share: Optional[str] = None
    training: str = "translation"
    end: str = "score"

    @property
    def script(self) -> Path:
        """Its run.sh. Raises InputError where the package is installed without the examples."""
        path = EXAMPLES / self.name / "run.sh"
        if not path.is_file():
            raise InputError(f"there is no {path}: recipes come with a checkout of the repository (pip install -e .)")
        return path

    def check_init(self, init: str) -> None:
        """Raise InputError for a start that the recipe does not have."""
        if init.endswith(VECTORS):
            if not os.path.isfile(init):
                raise InputError(f"--inits: there is no file {init}")
        elif init not in self.inits:
            files = " and ".join(f"FILE{ending}" for ending in VECTORS)
            raise InputError(f"--inits: {self.name} has no start {init}; it has {', '.join(self.inits)}, {files}")

    def check_options(self, options: Sequence[str]) -> None:
        """Raise InputError for an option that crossinit-compare sets."""
        own = {"--inits", "--init", "--seeds", "--seed", "--out", "--jobs", "--prepared"}
        if self.name.startswith("unmt_"):
            own -= {"--seeds"}  # of these recipes: a file of word pairs
        for option in options:
            if option in own:
                raise InputError(f"{option} is set by crossinit-compare: leave it out after --")

    def translations(self, folder: str) -> Dict[str, str]:
        """{direction: path of the translations} of a finished run."""
        score = os.path.join(folder, "score")
        found = {}
        for name in sorted(os.listdir(score)):
            direction = name[: -len(self.suffix)]
            if name.endswith(self.suffix) and _DIRECTION.fullmatch(direction):
                found[direction] = os.path.join(score, name)
        return found

    def reference_of(self, direction: str, folder: str, out: str) -> str:
        """The path of the reference of a direction. folder: of the run; out: of all runs."""
        language = direction.rpartition("-")[2]
        return os.path.join(out if self.many else folder, self.reference.format(language))


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "captions",
            ("random", "crossinit", "lexicon", "oracle"),
            many=True,
            reference="text/reference.{}",
            suffix=".hyp",
            bleu={"lowercase": True},
        ),
        Recipe(
            "cipher",
            ("random", "crossinit", "rank", "oracle"),
            many=True,
            reference="text/test.{}",
            suffix=".hyp",
            bleu={"tokenize": "none", "force": True},
        ),
        Recipe(
            "quickstart",
            ("random", "crossinit", "lexicon"),
            many=False,
            reference="text/test.{}",
            suffix=".hyp",
            bleu={},
        ),
        *(
            Recipe(
                name,
                ("random", "crossinit", "lexicon"),
                many=False,
                reference="text/test.{}",
                suffix=".txt",
                bleu={},
                share="--prepared",
            )
            for name in ("unmt_ro_en", "unmt_ne_en")
        ),
        Recipe(
            "xlm",
            ("random", "crossinit", "lexicon"),
            many=True,
            reference="",
            suffix="",
            bleu={},
            training="mlm",
            end="run",
        ),
    )
}


def name_of(init: str) -> str:
    """What a start is called: a file of embeddings by its name alone."""
    return os.path.splitext(os.path.basename(init))[0] if init.endswith(VECTORS) else init


def last_update_of(log: str) -> Optional[int]:
    """The last update that a log of fairseq-train names; None where it names none."""
    last = None
    try:
        with open(log, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                match = re.search(r"\| (train|train_inner) \| (\{.*\})", line)
                if match:
                    try:
                        statistics = json.loads(match.group(2))
                        last = int(float(statistics.get("num_updates", statistics.get("train_num_updates", last))))
                    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
                        continue
    except OSError:
        return None
    return last


@contextmanager
def open_log(path: str) -> Iterator[Callable[[str], None]]:
    """Begin the log of a run; gives a function that adds a line. Raises InputError when it cannot be written."""

    def failed(error: OSError) -> InputError:
        reason = error.strerror or error
        return InputError(f"{path} cannot be written: {reason}; finished runs are kept, and the same command goes on")

    try:
        stream = open(path, "w", encoding="utf-8")
    except OSError as error:
        raise failed(error) from None

    def write(line: str) -> None:
        try:
            stream.write(line)
            stream.flush()
        except OSError as error:
            raise failed(error) from None

    try:
        yield write
    finally:
        with suppress(OSError):  # of a line that could not be written
            stream.close()
