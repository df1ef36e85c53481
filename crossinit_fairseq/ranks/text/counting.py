"""Count the words of raw text: several sources, several workers, one result."""

import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks.rank_table import RankTable
from crossinit_fairseq.ranks.text.sources import Block, Patterns, Source, find_sources, text_blocks
from crossinit_fairseq.ranks.text.words import Segmenter, TextWords, is_spaceless

if TYPE_CHECKING:  # needs Polars
    from crossinit_fairseq.ranks.text.tally import Tally

BLOCK = 1 << 22  # bytes of text at a time and worker; counting one takes about ten times as much memory
MEMORY = 1 << 28  # bytes of distinct pieces of text that all workers hold together


def count_text(
    sources: Patterns,
    language: str,
    lowercase: bool = False,
    workers: int = 1,
    min_count: int = 1,
    segmenter: Optional[Segmenter] = None,
    block: int = BLOCK,
    memory: int = MEMORY,
) -> RankTable:
    """Step 1, Sorting (paper section 2.1), from raw text: count the words of one language and sort them.

    sources: file names, globs, or "-" for standard input; plain text or gzip, bzip2, xz, zstd; UTF-8.
    language: its code; lowercase: fold the case; workers: threads that read and count;
    min_count: leave out rarer words; segmenter: see
    `ranks/text/segmenters.py`, by default ICU for zh, ja, th, km, lo and my;
    block: bytes of text to count at a time; memory: bytes of distinct words to hold before they go to disk.

    Returns RankTable: the same one for any `workers`, `block` and `memory`. Memory is bounded by `memory`, `workers`
    and `block` (about 1 GB with the defaults and 2 workers) and by the words returned, not by the text; for a corpus
    with tens of millions of distinct words set `min_count` to bound these too. Room on disk for the distinct words is
    needed in the folder for temporary files.
    Raises InputError when a source is missing, damaged, not UTF-8 or no text yet (a dump, HTML), or when no word is
    found.
    """
    from crossinit_fairseq.ranks.text.tally import sum_tallies, summarise

    words = text_words(language, lowercase, segmenter)
    with tempfile.TemporaryDirectory(prefix="crossinit-ranks-") as folder:
        tallies = tally_sources(find_sources(sources), words, folder, workers, block, memory)
        summaries = [summarise(frame, min_count) for frame in sum_tallies(tallies)]
        return make_table(summaries, words, min_count, *passed_over(tallies))


def text_words(language: str, lowercase: bool = False, segmenter: Optional[Segmenter] = None) -> TextWords:
    """TextWords of a language, with ICU's segmenter where the language needs one and none is given."""
    if segmenter is None and is_spaceless(language):
        from crossinit_fairseq.ranks.text.segmenters import IcuSegmenter

        segmenter = IcuSegmenter(language)
    return TextWords(language, lowercase, segmenter)


def tally_sources(
    sources: Sequence[Source],
    words: TextWords,
    folder: str,
    workers: int = 1,
    block: int = BLOCK,
    memory: int = MEMORY,
    progress: bool = True,
) -> List["Tally"]:
    """Count Sources with threads (Polars and the decompressors release Python's lock); returns a Tally of each.

    progress: show a bar on stderr if that is a terminal.
    """
    from crossinit_fairseq.ranks.text.tally import Tally

    if workers < 1 or block < 1:
        raise InputError(f"workers and block must be 1 or more, not {workers} and {block}")
    tallies = [Tally(words, folder, memory // workers) for _ in range(workers)]
    with _bar(sum(source.size() for source in sources), progress) as bar:
        feed = _Feed([text_blocks(source, block) for source in sources], bar)

        def count(tally: "Tally") -> None:
            try:
                for found in feed:
                    tally.add(found)
            except BaseException:
                feed.stop()
                raise

        if workers == 1:
            count(tallies[0])
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(count, tallies))
    return tallies


def passed_over(tallies: Sequence["Tally"]) -> Tuple[int, int]:
    """(occurrences of too long words, character entities) of some Tally objects."""
    return sum(tally.skipped for tally in tallies), sum(tally.entities for tally in tallies)


def make_table(
    summaries: Iterable[Tuple[Any, int, int]], words: TextWords, min_count: int, skipped: int, entities: int
) -> RankTable:
    """RankTable of what `summarise` says of frames that share no word; skipped, entities: see Tally."""
    import polars as pl

    frames, totals, left_out = zip(*summaries)
    total = sum(totals)
    if not total:
        raise InputError(f"the text of {words.language} holds no word: name a text that is not empty")
    # Polars compares the bytes of UTF-8, which is the order of code points
    table = pl.concat(frames).sort("word").sort("count", descending=True, maintain_order=True)
    settings = {"source": "text", "lowercase": "yes" if words.lowercase else "no", "min_count": str(min_count)}
    if words.segmenter is not None:
        settings["segmenter"] = type(words.segmenter).__name__
    settings.update(left_out_words=str(sum(left_out)), skipped_long_words=str(skipped))
    if entities:
        settings["entities"] = str(entities)
    return RankTable(
        words.language, table["word"].to_list(), table["count"].to_numpy().astype(np.int64), total, settings
    )


def _bar(total: int, shown: bool) -> Any:
    from tqdm import tqdm

    # disable=None: only on a terminal
    return tqdm(
        total=total or None, unit="B", unit_scale=True, desc="counting", delay=2, disable=None if shown else True
    )


class _Feed:
    """Hands the blocks of several sources to several threads; a source is read by one thread at a time."""

    def __init__(self, sources: List[Iterator[Block]], bar: Any):
        self._idle, self._busy, self._stopped = sources[::-1], 0, False
        self._bar = bar
        self._read: Dict[Source, int] = {}
        self._changed = threading.Condition()

    def __iter__(self) -> Iterator[Block]:
        while True:
            with self._changed:
                while not self._idle and self._busy and not self._stopped:
                    self._changed.wait()
                if self._stopped or not self._idle:
                    return
                source = self._idle.pop()
                self._busy += 1
            found = None
            try:
                found = next(source, None)
            finally:
                with self._changed:
                    self._busy -= 1
                    if found is not None:
                        # last in, first out: no more files are open than there are threads
                        self._idle.append(source)
                    self._changed.notify_all()
            if found is not None:
                self._show(found)
                yield found

    def _show(self, block: Block) -> None:
        with self._changed:
            self._bar.update(block.position - self._read.get(block.source, 0))
            self._read[block.source] = max(block.position, self._read.get(block.source, 0))

    def stop(self) -> None:
        """No thread gets a further block."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
