"""The folder of binarised data that every stage shares, and its languages."""

import os
from typing import Collection, List

from crossinit_fairseq.errors import InputError


def data_folders(data: str) -> List[str]:
    """The data folders of a colon-separated `data` argument. Raises InputError when one is missing."""
    if not data:
        raise InputError("no data folder given: the first argument is the folder that holds dict.txt")
    folders = data.split(os.pathsep)
    for folder in folders:
        if not os.path.isdir(folder):
            raise InputError(f"the data folder {folder} does not exist")
    return folders


def languages_of(folder: str) -> List[str]:
    """The languages that have binarised monolingual text in a data folder, sorted."""
    return sorted(name for name in os.listdir(folder) if os.path.exists(os.path.join(folder, name, "train.idx")))


def check_languages(
    langs: str, folders: List[str], split: str = "train", without_text: Collection[str] = ()
) -> List[str]:
    """Return the languages of a comma-separated option; each must have a split in every folder.

    without_text: languages that need none. Raises InputError for one that has none, or is named twice.
    """
    languages = [lang.strip() for lang in langs.split(",") if lang.strip()]
    if len(set(languages)) != len(languages):
        raise InputError(f"--langs names a language twice: {langs}")
    for folder in folders:
        for language in sorted(set(languages) - set(without_text)):
            index = os.path.join(folder, language, split + ".idx")
            if not os.path.exists(index):
                present = ", ".join(languages_of(folder)) or "no language at all"
                raise InputError(
                    f"language {language!r} has no binarised text {index}: this folder has {present}; --langs gives "
                    f"the names of folders in {folder}"
                )
    return languages
