"""Download Multi30k's image captions: python multi30k.py --langs en,fr --out DIR

Writes DIR/{train,val,test}.LANG, a caption a line, line k of one language translating line k of the others: 29,000,
1,014 and 1,000 (Flickr, 2016) of them, 1.3 MB for two languages to download. From https://github.com/multi30k/dataset
(Elliott et al. 2016, https://aclanthology.org/W16-3210), at a pinned commit; every file must have the size and the
SHA-256 below, which are those of a clone of the repository. The pictures come from Flickr, whose terms allow use for
research; the text is not part of this project and is not to be passed on with it.
"""

import gzip
import os
import sys

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.downloads.fetching import fetch

COMMIT = "a3d2e0d26b56f3846f66a952536ffed4e401d05a"
ADDRESS = "https://raw.githubusercontent.com/multi30k/dataset/" + COMMIT + "/data/task1/raw/{}.{}.gz"
# our name: theirs
SETS = {"train": "train", "val": "val", "test": "test_2016_flickr"}
# (our name, language): (bytes, SHA-256) of the packed file
FILES = {
    ("train", "en"): (568929, "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f"),
    ("train", "fr"): (604242, "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c"),
    ("train", "de"): (637044, "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6"),
    ("train", "cs"): (593827, "a65adb8b32e3bc664f21ecba7a6e7f6950fd1f405e135f7c312faabdb6255077"),
    ("val", "en"): (21650, "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28"),
    ("val", "fr"): (23001, "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9"),
    ("val", "de"): (24681, "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a"),
    ("val", "cs"): (22096, "b63226e05c4bd5dd6a42897d74b86a1b9d2c31498252c572b1ea7f7996927fcc"),
    ("test", "en"): (21077, "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9"),
    ("test", "fr"): (22310, "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90"),
    ("test", "de"): (22890, "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8"),
    ("test", "cs"): (22572, "200a4a74cc9560f051924abb9803be008d1908d77f747e9141aeb86dfd2797f1"),
}


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("--langs", required=True, help="such as en,fr")
    parser.add_argument("--out", required=True, metavar="DIR")
    args = parser.parse_args(arguments)
    try:
        for language in args.langs.split(","):
            for name in SETS:
                get(name, language, args.out)
    except InputError as error:
        sys.exit(f"multi30k.py: {error}")


def get(name: str, language: str, folder: str) -> None:
    """Write FOLDER/NAME.LANGUAGE where it is not there already.

    Raises InputError when Multi30k has no such language, or the file cannot be fetched or is not what it should be.
    """
    if (name, language) not in FILES:
        raise InputError(f"Multi30k has no {language!r}: choose of en, fr, de and cs, or give your own text (--text)")
    path = os.path.join(folder, f"{name}.{language}")
    if os.path.exists(path):
        return
    packed = path + ".gz"
    fetch(ADDRESS.format(SETS[name], language), packed, *FILES[name, language])
    with gzip.open(packed) as source, complete_file(path) as part, open(part, "wb") as target:
        target.write(source.read())
    os.remove(packed)


if __name__ == "__main__":
    main()
