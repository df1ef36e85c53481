"""The recipes examples/unmt_ro_en and examples/unmt_ne_en, run as a user runs them."""

from pathlib import Path

from tests import program_server, programs

ROOT = Path(__file__).parents[2]
# {recipe: (its languages, its test set)}
RECIPES = {
    "unmt_ro_en": (["en", "ro"], "newstest2016.en-ro"),
    "unmt_ne_en": (["ne", "hi", "en"], "flores.devtest.ne-en"),
}


def run(recipe, *given, preset="smoke", **environment):
    command = ["bash", ROOT / "examples" / recipe / "run.sh", "--preset", preset]
    environment = dict({"VENV": program_server.environment(), "CROSSINIT_TEXT": ""}, **environment)
    return programs.run(*command, *given, **environment)
