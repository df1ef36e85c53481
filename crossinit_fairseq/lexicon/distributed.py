"""Count the co-occurrence of words on a Dask cluster (extra `distributed`); the result is that of one machine."""

import os
from typing import Any, Callable, List, Optional

from crossinit_fairseq.lexicon.cooccurrence import CoOccurrence, check_settings, cut_table
from crossinit_fairseq.lexicon.counting_workers import count_parts
from crossinit_fairseq.lexicon.neighbour_counts import NeighbourSums, Sentences
from crossinit_fairseq.ranks.text.counting import BLOCK, text_words
from crossinit_fairseq.ranks.text.distributed import PART, count_text_distributed, open_cluster, wait_for
from crossinit_fairseq.ranks.text.sources import Source, find_sources, split_source

__all__ = ["count_text_cooccurrence_distributed", "open_cluster"]


def count_text_cooccurrence_distributed(
    client: Any,
    sources: Any,
    language: str,
    lowercase: bool = True,
    size: int = 20000,
    window: int = 15,
    segmenter: Optional[Any] = None,
    part: int = PART,
) -> CoOccurrence:
    """`count_text_cooccurrence` on a cluster whose machines all see the files under the same paths.

    client: `dask.distributed.Client`, see `open_cluster`; part: bytes of a plain file in one task, a compressed file is
    one task; the others are as in `count_text_cooccurrence`. Returns the same CoOccurrence. A machine holds the sums of
    its tasks, and adds them up two by two; the last sum comes here, and the counts of all words for a while.
    Raises InputError as `count_text_cooccurrence` does, and for standard input.
    """
    from dask.distributed import as_completed

    from crossinit_fairseq.lexicon.text_numbers import TextNumbers

    check_settings(size, window)
    table = count_text_distributed(client, sources, language, lowercase, segmenter=segmenter, part=part)
    table = cut_table(table, size)
    numbers = client.scatter(TextNumbers(text_words(language, lowercase, segmenter), table.words), broadcast=True)
    tasks: List[Source] = []
    for source in find_sources(sources):
        tasks += split_source(Source(os.path.abspath(source.path)), part)
    counted = [client.submit(_count, task, numbers, len(table), window, pure=False) for task in tasks]
    sums = list(counted)
    while len(sums) > 1:
        pairs = [client.submit(_add, *two, pure=False) for two in zip(sums[::2], sums[1::2])]
        sums = pairs + sums[2 * len(pairs) :]
    wait_for(as_completed(counted), len(counted))
    return CoOccurrence.from_sums(language, table.words, table.counts, table.total, sums[0].result())


def _count(source: Source, number: Callable[[bytes], Sentences], size: int, window: int) -> NeighbourSums:
    from crossinit_fairseq.lexicon.text_numbers import read_sentences

    return count_parts(read_sentences(source, BLOCK), number, size, window)


def _add(one: NeighbourSums, other: NeighbourSums) -> NeighbourSums:
    return one + other
