"""Count the words of raw text on a Dask cluster (extra `distributed`); the result is that of one machine."""

import os
import tempfile
from contextlib import contextmanager
from typing import Any, Iterator, List, Optional, Sequence

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.ranks.rank_table import RankTable
from crossinit_fairseq.ranks.text.counting import MEMORY, make_table, passed_over, tally_sources, text_words
from crossinit_fairseq.ranks.text.sources import STDIN, Patterns, Source, find_sources, split_source
from crossinit_fairseq.ranks.text.words import Segmenter, TextWords

PART = 1 << 28  # bytes of plain text in a task; a compressed file is one task


@contextmanager
def open_cluster(address: str, workers: int = 1) -> Iterator[Any]:
    """Yield a `dask.distributed.Client`.

    address: that of a scheduler, such as tcp://host:8786, or "local" for a cluster of `workers` processes here.
    Raises InputError when Dask is missing or the scheduler cannot be reached.
    """
    try:
        from dask.distributed import Client, LocalCluster
    except ImportError:
        raise InputError("--dask needs a library: pip install 'crossinit_fairseq[distributed]'") from None
    if address == "local":
        with LocalCluster(workers, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(address, timeout="20s")
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {address} ({error}): start one with `dask scheduler`") from None
    with client:
        yield client


def count_text_distributed(
    client: Any,
    sources: Patterns,
    language: str,
    lowercase: bool = False,
    min_count: int = 1,
    segmenter: Optional[Segmenter] = None,
    part: int = PART,
) -> RankTable:
    """`count_text` on a cluster whose machines all see the files under the same paths.

    client: `dask.distributed.Client`; part: bytes of a plain file in one task; the others are as in `count_text`.
    Returns the same RankTable. A machine holds the distinct words of its tasks and a share of the sum; the words
    returned are gathered here. Raises InputError as `count_text` does, and for standard input.
    """
    from dask.distributed import as_completed

    found = find_sources(sources)
    if any(source.path == STDIN for source in found):
        raise InputError("a cluster cannot read standard input: give files that all its machines can see")
    tasks = [cut for source in found for cut in split_source(Source(os.path.abspath(source.path)), part)]
    words = text_words(language, lowercase, segmenter)
    shares = max(1, len(client.nthreads()))
    counted = [client.submit(_count, task, words, shares, pure=False) for task in tasks]
    passed = [client.submit(_item, one, shares, pure=False) for one in counted]
    # a word falls into the same share in every task
    sums = [
        client.submit(_sum, [client.submit(_item, one, share, pure=False) for one in counted], min_count, pure=False)
        for share in range(shares)
    ]
    wait_for(as_completed(counted), len(counted))
    skipped, entities = (sum(numbers) for numbers in zip(*client.gather(passed)))
    return make_table(client.gather(sums), words, min_count, skipped, entities)


def _count(source: Source, words: TextWords, shares: int) -> List[Any]:
    """On a worker: the frames of the shares of the words of one source, then what `passed_over` says."""
    from crossinit_fairseq.ranks.text.tally import add_up, partition, sum_tallies

    with tempfile.TemporaryDirectory(prefix="crossinit-ranks-") as folder:
        tallies = tally_sources([source], words, folder, memory=MEMORY, progress=False)
        parts = [partition(frame, shares) for frame in sum_tallies(tallies)]
        return [add_up(list(share)) for share in zip(*parts)] + [passed_over(tallies)]


def _item(counted: Sequence[Any], index: int) -> Any:
    return counted[index]


def _sum(frames: List[Any], min_count: int) -> Any:
    from crossinit_fairseq.ranks.text.tally import add_up, summarise

    return summarise(add_up(frames), min_count)


def wait_for(futures: Any, number: int) -> None:
    """Wait until all futures are done, with a bar on a terminal; the first failure is raised."""
    from tqdm import tqdm

    for future in tqdm(futures, total=number, unit="part", desc="counting", delay=2, disable=None):
        if future.status != "finished":
            future.result()
