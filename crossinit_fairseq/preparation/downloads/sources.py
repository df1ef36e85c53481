"""Where the text comes from: the table of sources, and the files behind each.

Facts about addresses, sizes and licences, and where they were read, stand in README.md in this folder.
"""

import logging
import re
from typing import Any, Dict, List, NamedTuple, Optional

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.downloads.fetching import content_length, read_json

CC_100 = "https://data.statmt.org/cc-100/{}.txt.xz"
WIKIPEDIA = "https://huggingface.co/{}wikimedia/wikipedia/{}/b04c8d1ceb2f5cd4588862100d08de323dccfbaa/20231101.{}"

# kind: (address, licence, how a download is checked)
KINDS = {
    "news-crawl": (
        "data.statmt.org/news-crawl, by mtdata's index",
        "research use, rights stay with the papers",
        "size, gzip CRC, SHA-256 of the first download",
    ),
    "cc-100": (
        "data.statmt.org/cc-100",
        "Common Crawl terms of use",
        "size, xz CRC, SHA-256 of the first download",
    ),
    "wikipedia": (
        "huggingface.co/datasets/wikimedia/wikipedia 20231101",
        "CC BY-SA 3.0 and GFDL",
        "size and SHA-256 given by the server",
    ),
}
# bytes as the pages of CC-100 print them, rounded
CC_100_BYTES = {"en": 82e9, "ro": 16e9, "hi": 2.5e9, "ne": 393e6}
# bytes of gzipped sentences for one byte of the download, measured on 15 to 20 MB of each language
GROWTH = {
    "xz": {"en": 1.7, "ro": 1.7, "ne": 2.9, "hi": 2.6},
    "parquet": {"en": 0.73, "ro": 0.72, "ne": 0.85, "hi": 0.85},
}


class Source(NamedTuple):
    """Text of one kind in one language. `part` is a year of News Crawl, or how many files (0: all) of Wikipedia."""

    kind: str
    lang: str
    part: int = 0


class Remote(NamedTuple):
    """A file to download. `target` is relative to the output folder; `form`: gz (sentences already), xz or parquet."""

    source: Source
    url: str
    target: str
    form: str
    size: Optional[int] = None
    sha256: Optional[str] = None

    def kept_bytes(self) -> int:
        """Bytes on the disk at the end, estimated."""
        return int((self.size or 0) * GROWTH.get(self.form, {}).get(self.source.lang, 1))


def _all(*langs: str) -> List[Source]:
    return [Source(kind, lang) for lang in langs for kind in ("wikipedia", "cc-100")]


def _news(lang: str, *years: int) -> List[Source]:
    return [Source("news-crawl", lang, year) for year in years]


RECIPES = {
    # what the paper's Table 4 names: all of Wikipedia 20231101 and of CC-100
    ("ro-en", "paper"): _all("ro", "en"),
    ("ne-en", "paper"): _all("ne", "hi", "en"),
    # a few GB: news, the domain of newstest2016, and some Wikipedia; for FLoRes, taken from Wikipedia, mostly that
    ("ro-en", "base"): _news("ro", 2015, 2016, 2017, 2018, 2019)
    + _news("en", 2016)
    + [Source("wikipedia", "ro"), Source("wikipedia", "en", 2)],
    ("ne-en", "base"): _all("ne") + [Source("wikipedia", "hi"), Source("wikipedia", "en", 4)],
}


def files_of(source: Source, listings: Dict[str, List[Any]]) -> List[Remote]:
    """The files of a source: list of Remote, sizes asked of the server.

    `listings` (dict) remembers what Hugging Face lists for the pinned revision, so that a second run asks nothing.
    Raises InputError.
    """
    if source.kind == "news-crawl":
        name = f"mono/{source.lang}/news-crawl-{source.part}.txt.gz"
        return [Remote(source, news_crawl_address(source.lang, source.part), name, "gz")]
    if source.kind == "cc-100":
        return [Remote(source, CC_100.format(source.lang), f"mono/{source.lang}/cc-100.txt.gz", "xz")]
    address = WIKIPEDIA.format("api/datasets/", "tree", source.lang)
    if address not in listings:
        try:
            listings[address] = [
                (entry["path"].split("/")[-1], entry["lfs"]["size"], entry["lfs"]["oid"])
                for entry in read_json(address)
                if entry["path"].endswith(".parquet")
            ]
        except (KeyError, TypeError, AttributeError):
            raise InputError(
                f"{address} answers in a form not known here: has Hugging Face's interface changed?"
            ) from None
    files = sorted(listings[address])
    if not all(re.fullmatch(r"[\w.-]+", name) for name, _, _ in files):
        raise InputError(f"{address} lists a file of a strange name: is it Hugging Face that answers?")
    if not files:
        raise InputError(f"{address} lists no parquet file: has the data set moved?")
    return [
        Remote(
            source,
            WIKIPEDIA.format("datasets/", "resolve", source.lang) + "/" + name,
            f"mono/{source.lang}/wikipedia-{number:05d}.txt.gz",
            "parquet",
            size,
            sha256,
        )
        for number, (name, size, sha256) in enumerate(files[: source.part or None])
    ]


def with_size(remote: Remote) -> Remote:
    """The Remote with its size: one request if it is not known; None stays where the server does not say."""
    return remote if remote.size is not None else remote._replace(size=content_length(remote.url))


def news_crawl_address(lang: str, year: int) -> str:
    """The address of a year of News Crawl, from mtdata's index. Raises InputError."""
    try:
        import mtdata

        if not mtdata.cached_index_file.exists():
            print("mtdata makes its index, once, in about 15 seconds", flush=True)
        logging.getLogger().setLevel(logging.WARNING)
        from mtdata.entry import DatasetId
        from mtdata.index import INDEX
    except ImportError:
        raise InputError("News Crawl is found by mtdata: pip install 'crossinit_fairseq[recipes]'") from None
    entry = INDEX.entries.get(DatasetId("Statmt", "news_crawl", str(year), (lang,)))
    if entry is None:
        raise InputError(f"mtdata {mtdata.__version__} has no News Crawl {year} of {lang}: pip install mtdata==0.5.1")
    return entry.url


def table(recipe: str, size: str) -> List[List[str]]:
    """What --list prints: a line for each source, without asking the network."""
    rows = [["source", "language", "download", "licence", "checked by", "from"]]
    for source in RECIPES[recipe, size]:
        address, licence, check = KINDS[source.kind]
        known = f"about {CC_100_BYTES[source.lang] / 1e9:.3g} GB" if source.kind == "cc-100" else "asked at start"
        part = f" {source.part}" if source.kind == "news-crawl" else f", first {source.part} files"
        rows.append([source.kind + (part if source.part else ""), source.lang, known, licence, check, address])
    return rows
