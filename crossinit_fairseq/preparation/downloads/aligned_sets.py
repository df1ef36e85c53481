"""The aligned dev and test sets: newstest2016 by sacreBLEU's own download, FLoRes v1 from its repository."""

import os
import tarfile
import urllib.error

from download import fetch

from crossinit_fairseq.errors import InputError

# sacreBLEU 2 and mtdata 0.5.1 know Flores-101 and Flores-200, which are other sentences: the paper scores on version 1
FLORES = (
    "https://github.com/facebookresearch/flores/raw/a6c830c6e1051fb4ac1a44b32358f00463f332bd/"
    "previous_releases/floresv1/data/wikipedia_en_ne_si_test_sets.tgz"
)
# of that file in a clone of the repository at that commit
FLORES_BYTES, FLORES_SHA256 = 1542781, "7a0245bb29fd03b46a1129831c183dfba0efc8452a9739d962759f25141aa648"
LANGUAGES = {"ro-en": ("ro", "en"), "ne-en": ("ne", "en")}
LINES = {"ro-en": {"dev": 1999, "test": 1999}, "ne-en": {"dev": 2559, "test": 2835}}
TABLE = {
    "ro-en": (
        "newsdev2016 and newstest2016",
        "ro en",
        "asked at start",
        "research use",
        "MD5 known to sacreBLEU",
        "sacrebleu",
    ),
    "ne-en": ("FLoRes v1 dev and devtest", "ne en", "1.5 MB", "CC BY-SA", "SHA-256 known here", "its repository"),
}


def get(recipe, folder):
    """Write FOLDER/{dev,test}.LANG where they are not there already. Returns the names written. Raises InputError."""
    expected = LINES[recipe]
    paths = {
        (split, lang): os.path.join(folder, "{}.{}".format(split, lang))
        for split in expected
        for lang in LANGUAGES[recipe]
    }
    if all(_lines(path) == expected[split] for (split, _), path in paths.items()):
        return []
    texts = (_newstest if recipe == "ro-en" else _flores)(folder)
    for (split, lang), path in paths.items():
        count = texts[split, lang].count(b"\n")
        if count != expected[split]:
            raise InputError(
                "{} has {} lines instead of {}: the test set has changed".format(path, count, expected[split])
            )
        with open(path + ".part", "wb") as file:
            file.write(texts[split, lang])
        os.replace(path + ".part", path)
    return sorted(os.path.basename(path) for path in paths.values())


def _newstest(folder):
    try:
        from sacrebleu.utils import SACREBLEU_DIR, get_reference_files, get_source_file
    except ImportError:
        raise InputError("sacrebleu is not installed: pip install 'sacrebleu>=2'") from None
    texts = {}
    for split, name in (("dev", "wmt16/dev"), ("test", "wmt16")):
        try:
            files = {"en": get_source_file(name, "en-ro"), "ro": get_reference_files(name, "en-ro")[0]}
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            raise InputError(
                "sacrebleu cannot download {} ({}): see to the network connection and run the same command "
                "again".format(name, getattr(error, "reason", error))
            ) from None
        except (SystemExit, tarfile.TarError, EOFError, FileNotFoundError):
            # a download of an earlier, interrupted run is not checked again by sacreBLEU
            raise InputError(
                "sacrebleu's copy of {} is broken: delete {} and run the same command again".format(
                    name, os.path.join(SACREBLEU_DIR, name)
                )
            ) from None
        for lang, path in files.items():
            with open(path, "rb") as file:
                texts[split, lang] = file.read()
    return texts


def _flores(folder):
    archive = os.path.join(folder, "download", FLORES.split("/")[-1])
    fetch(FLORES, archive, FLORES_BYTES, FLORES_SHA256)
    texts = {}
    with tarfile.open(archive) as tar:
        for split, name in (("dev", "dev"), ("test", "devtest")):
            for lang in LANGUAGES["ne-en"]:
                member = "wikipedia_en_ne_si_test_sets/wikipedia.{}.ne-en.{}".format(name, lang)
                texts[split, lang] = tar.extractfile(member).read()
    os.remove(archive)
    return texts


def _lines(path):
    if not os.path.exists(path):
        return None
    with open(path, "rb") as file:
        return file.read().count(b"\n")
