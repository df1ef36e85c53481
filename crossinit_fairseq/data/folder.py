"""The folder of binarised data that every stage shares: its languages and its one dictionary."""

import os

from fairseq import utils
from fairseq.data import Dictionary

from crossinit_fairseq.errors import InputError

MASK = "<mask>"


def language_token(language):
    """mBART's token of a language, as the stock `multilingual_denoising --add-lang-token` writes it."""
    return "[{}]".format(language)


def data_folders(data):
    """The data folders of a colon-separated `data` argument. Raises InputError when one is missing."""
    if not data:
        raise InputError("no data folder given: the first argument is the folder that holds dict.txt")
    folders = utils.split_paths(data)
    for folder in folders:
        if not os.path.isdir(folder):
            raise InputError("the data folder {} does not exist".format(folder))
    return folders


def languages_of(folder):
    """The languages that have binarised monolingual text in a data folder, sorted."""
    return sorted(name for name in os.listdir(folder) if os.path.exists(os.path.join(folder, name, "train.idx")))


def check_languages(langs, folders, split="train", without_text=()):
    """Return the languages of a comma-separated option; each must have a split in every folder.

    without_text: languages that need none. Raises InputError for one that has none, or is named twice.
    """
    languages = [lang.strip() for lang in langs.split(",") if lang.strip()]
    if len(set(languages)) != len(languages):
        raise InputError("--langs names a language twice: {}".format(langs))
    for folder in folders:
        for language in sorted(set(languages) - set(without_text)):
            if not os.path.exists(os.path.join(folder, language, split + ".idx")):
                raise InputError(
                    "language {!r} has no binarised text {}: {}; --langs gives the names of folders in {}".format(
                        language,
                        os.path.join(folder, language, split + ".idx"),
                        "this folder has " + (", ".join(languages_of(folder)) or "no language at all"),
                        folder,
                    )
                )
    return languages


def load_dictionary(folder, languages):
    """Load dict.txt of a data folder and check that it can serve every stage.

    Raises InputError when it is missing, not UTF-8, or lacks the mask or a language's token: a symbol added later would
    change the size of the embedding table between stages, or the order of its rows.
    """
    path = os.path.join(folder, "dict.txt")
    if not os.path.isfile(path):
        raise InputError("{} is missing: copy the dictionary that the text was binarised with there".format(path))
    try:
        dictionary = Dictionary.load(path)
    except Exception as error:  # fairseq raises bare Exception and RuntimeError here
        raise InputError("{} is no fairseq dictionary ({})".format(path, error))
    missing = [s for s in [language_token(lang) for lang in languages] + [MASK] if s not in dictionary]
    if missing:
        raise InputError(
            "{} lacks {}: append the language tokens and <mask>, in this order and each followed by ' 1', to dict.txt "
            "before binarising, so that all stages share one dictionary".format(path, " ".join(missing))
        )
    return dictionary
