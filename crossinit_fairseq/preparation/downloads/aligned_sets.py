"""The aligned dev and test sets: newstest2016 by sacreBLEU's own download, FLoRes v1 from its repository."""

import os
import tarfile
import urllib.error
from typing import Dict, List, Optional, Tuple

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.downloads.fetching import fetch

Texts = Dict[Tuple[str, str], bytes]  # (split, language): the file

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


def get_aligned(recipe: str, folder: str) -> List[str]:
    """Write FOLDER/{dev,test}.LANG where they are not there already. Returns the names written. Raises InputError."""
    expected = LINES[recipe]
    paths = {(split, lang): os.path.join(folder, f"{split}.{lang}") for split in expected for lang in LANGUAGES[recipe]}
    if all(_lines(path) == expected[split] for (split, _), path in paths.items()):
        return []
    texts = (_newstest if recipe == "ro-en" else _flores)(folder)
    for (split, lang), path in paths.items():
        count = texts[split, lang].count(b"\n")
        if count != expected[split]:
            raise InputError(f"{path} has {count} lines instead of {expected[split]}: the test set has changed")
        with complete_file(path) as part, open(part, "wb") as file:
            file.write(texts[split, lang])
    return sorted(os.path.basename(path) for path in paths.values())


def _newstest(folder: str) -> Texts:
    try:
        from sacrebleu.utils import SACREBLEU_DIR, get_reference_files, get_source_file
    except ImportError:
        raise InputError("sacrebleu is not installed: pip install 'sacrebleu>=2'") from None
    texts: Texts = {}
    for split, name in (("dev", "wmt16/dev"), ("test", "wmt16")):
        try:
            files = {"en": get_source_file(name, "en-ro"), "ro": get_reference_files(name, "en-ro")[0]}
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            raise InputError(
                f"sacrebleu cannot download {name} ({getattr(error, 'reason', error)}): see to the network connection "
                "and run the same command again"
            ) from None
        except (SystemExit, tarfile.TarError, EOFError, FileNotFoundError):
            # a download of an earlier, interrupted run is not checked again by sacreBLEU
            raise InputError(
                f"sacrebleu's copy of {name} is broken: delete {os.path.join(SACREBLEU_DIR, name)} and run the same "
                "command again"
            ) from None
        for lang, path in files.items():
            with open(path, "rb") as file:
                texts[split, lang] = file.read()
    return texts


def _flores(folder: str) -> Texts:
    archive = os.path.join(folder, "download", FLORES.split("/")[-1])
    fetch(FLORES, archive, FLORES_BYTES, FLORES_SHA256)
    texts: Texts = {}
    with tarfile.open(archive) as tar:
        for split, name in (("dev", "dev"), ("test", "devtest")):
            for lang in LANGUAGES["ne-en"]:
                member = f"wikipedia_en_ne_si_test_sets/wikipedia.{name}.ne-en.{lang}"
                file = tar.extractfile(member)
                if file is None:
                    raise InputError(f"{archive} has no file {member}: has the archive changed?")
                texts[split, lang] = file.read()
    os.remove(archive)
    return texts


def _lines(path: str) -> Optional[int]:
    if not os.path.exists(path):
        return None
    with open(path, "rb") as file:
        return file.read().count(b"\n")
