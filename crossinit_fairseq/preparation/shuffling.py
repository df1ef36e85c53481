"""Drop repeated lines and put the rest in a random order, for text larger than memory."""

import hashlib
import os
import shutil
from typing import Dict, Iterator, Sequence, Tuple

BUCKET = 1 << 26  # bytes of text that are sorted in memory at a time
_MOST_BUCKETS = 256


def number_of(key: str, seed: int) -> int:
    """A pseudo-random number of 0 <= number < 2 ** 64 that stands for a string: its place in the random order.

    Two of 100 million different strings share one with a chance of 1 in 4,000; one of these would count as repeated.
    """
    digest = hashlib.blake2b(key.encode("utf-8"), digest_size=8, key=str(seed).encode()).digest()
    return int.from_bytes(digest, "big")


class Buckets:
    """Lines on disk, apart by number, each with the source that it is from. Use it in a `with` block.

    A bucket holds a range of numbers. Equal lines have equal numbers and so share a bucket; sorting one bucket after
    the other sorts all, so that nothing but a bucket is ever in memory. Needs room on disk for the text, beside the
    output.
    """

    def __init__(self, folder: str, size: int):
        """folder: made, and removed in the end; size: bytes of text to expect, about."""
        self.folder = folder
        self.count = max(1, min(_MOST_BUCKETS, size // BUCKET))

    def __enter__(self) -> "Buckets":
        shutil.rmtree(self.folder, ignore_errors=True)  # of a run that was killed
        os.makedirs(self.folder)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def pack(self, source: int, numbers: Sequence[int], lines: Sequence[str]) -> Dict[int, bytes]:
        """{bucket: bytes} to `add`: lines of a source (an int) with their numbers."""
        packed: Dict[int, list] = {}
        for number, line in zip(numbers, lines):
            record = f"{number:016x}\t{source}\t{line}\n"
            packed.setdefault(number * self.count >> 64, []).append(record)
        return {bucket: "".join(records).encode("utf-8") for bucket, records in packed.items()}

    def add(self, packed: Dict[int, bytes]) -> None:
        """Keep what `pack` returned, after all that was added before."""
        for bucket, data in packed.items():
            with open(self._path(bucket), "ab") as stream:
                stream.write(data)

    def __iter__(self) -> Iterator[Tuple[int, str, bool]]:
        """Yield (source, line, whether it is the first of its number) of every line, by number, then as added."""
        for bucket in range(self.count):
            if not os.path.exists(self._path(bucket)):
                continue
            with open(self._path(bucket), encoding="utf-8", newline="\n") as stream:
                records = [record.rstrip("\n").split("\t", 2) for record in stream]
            records.sort(key=lambda record: record[0])  # stable
            last = None
            for number, source, line in records:
                yield int(source), line, number != last
                last = number
            os.remove(self._path(bucket))

    def _path(self, bucket: int) -> str:
        return os.path.join(self.folder, f"{bucket:03d}")
