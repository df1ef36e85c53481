"""A folder of one's own text, laid out for a translation recipe.

DIR/mono/NAME.LANG.txt (also .gz, .bz2, .xz, .zst) is monolingual text, one sentence a line. Every NAME is used, but a
NAME `for-ne` (text chosen to go with Nepali) only where Nepali is among the languages, and then it is all there is of
its language. DIR/test/NAME.A-B.A and DIR/test/NAME.A-B.B are an aligned set.
"""

import os
import re
import shutil
from typing import Dict, List, Optional, Sequence

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import language_pair, same_language
from crossinit_fairseq.text_files import read_lines

_MONOLINGUAL = re.compile(r"(?P<name>.+)\.(?P<language>[^.]+)\.txt(\.gz|\.bz2|\.xz|\.zst)?")


def lay_out(folder: str, languages: Sequence[str], test: str, dev: Optional[str], out: str) -> List[str]:
    """Link the monolingual text to OUT/mono/LANG/, copy the aligned sets to OUT/test.LANG and OUT/dev.LANG.

    test, dev: names of the aligned sets, such as newstest2016.en-ro; dev may be None, and its files may be missing.
    Returns what was taken, as lines to print. Raises InputError for what is missing or not aligned, before it writes.
    """
    chosen = {language: monolingual(os.path.join(folder, "mono"), language, languages) for language in languages}
    sets = {"test": aligned(folder, test)}
    if dev and any(os.path.exists(path) for path in aligned_files(folder, dev).values()):
        sets["dev"] = aligned(folder, dev)
    taken = []
    for language, paths in chosen.items():
        links = os.path.join(out, "mono", language)
        shutil.rmtree(links, ignore_errors=True)
        os.makedirs(links)
        for path in paths:
            os.symlink(os.path.abspath(path), os.path.join(links, os.path.basename(path)))
        taken.append(f"{language}: {', '.join(map(os.path.basename, paths))}")
    for name, files in sets.items():
        for language, path in files.items():
            with complete_file(os.path.join(out, f"{name}.{language}")) as part:
                with open(path, "rb") as source, open(part, "wb") as target:
                    shutil.copyfileobj(source, target)
        taken.append(f"{name}: {', '.join(map(os.path.basename, files.values()))}")
    return taken


def monolingual(folder: str, language: str, languages: Sequence[str]) -> List[str]:
    """The files of a language: those made for another language of the run where there are any, else all general ones.

    A file counts by any code of its language (general.ron_Latn.txt for ro) where there is none by the code itself.
    Raises InputError when there is none.
    """
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    matches = {name: match for name, match in ((name, _MONOLINGUAL.fullmatch(name)) for name in names) if match}
    found = [name for name, match in matches.items() if match.group("language") == language]
    found = found or [name for name, match in matches.items() if _same(match.group("language"), language)]
    special = [name for name in found if name.startswith("for-")]
    matched = [name for name in special if name[len("for-") :].split(".")[0] in languages]
    chosen = matched or [name for name in found if name not in special]
    if not chosen:
        raise InputError(f"{folder} has no text in {language!r}: a file such as {folder}/general.{language}.txt")
    return [os.path.join(folder, name) for name in chosen]


def _same(code: str, language: str) -> bool:
    try:
        return same_language(code, language)
    except InputError:
        return False  # a name with another dot in it


def aligned_files(folder: str, name: str) -> Dict[str, str]:
    """{language: path} of an aligned set, whose name ends with its two languages: newstest2016.en-ro."""
    pair = language_pair(name.rsplit(".", 1)[-1])
    return {language: os.path.join(folder, "test", f"{name}.{language}") for language in pair}


def aligned(folder: str, name: str) -> Dict[str, str]:
    """{language: path} of an aligned set. Raises InputError when a file is missing, empty, not UTF-8 or longer than
    the other."""
    paths = aligned_files(folder, name)
    lengths = {}
    for path in paths.values():
        if not os.path.isfile(path):
            raise InputError(f"there is no {path}; the recipe is scored on it")
        lengths[path] = len(read_lines(path))
    if len(set(lengths.values())) > 1:
        counted = ", ".join(f"{path} has {count:,} lines" for path, count in lengths.items())
        raise InputError(f"the sides of {name} are not aligned: {counted}")
    return paths
