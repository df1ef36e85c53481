"""The folder of binarised data that every stage shares: its languages and its one dictionary."""

import os
from typing import TYPE_CHECKING, Collection, List

from crossinit_fairseq.data.dictionary import check_control_symbols, read_entries
from crossinit_fairseq.data.text_check import check_dictionaries
from crossinit_fairseq.errors import InputError

if TYPE_CHECKING:
    from fairseq.data import Dictionary


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
                there = ", ".join(languages_of(folder)) or "no language at all"
                raise InputError(
                    f"language {language!r} has no binarised text {index}: this folder has {there}; --langs gives the "
                    f"names of folders in {folder}"
                )
    return languages


def load_dictionary(folders: List[str], languages: List[str]) -> "Dictionary":
    """Load dict.txt of the first data folder as a fairseq Dictionary, and check that it can serve every stage.

    Raises InputError when it is missing, malformed (see `read_entries`), lacks the mask or a language's token, or when
    text of the languages in one of the folders was binarised with another dictionary (see `check_dictionaries`).
    """
    from fairseq.data import Dictionary

    path = os.path.join(folders[0], "dict.txt")
    if not os.path.isfile(path):
        raise InputError(f"{path} is missing: copy the dictionary that the text was binarised with there")
    dictionary = Dictionary()
    for symbol, count in read_entries(path):
        dictionary.add_symbol(symbol, count)
    check_control_symbols(dictionary.symbols, languages, path)
    check_dictionaries(folders, languages, dictionary.symbols)
    return dictionary
