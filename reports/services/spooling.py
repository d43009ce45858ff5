"""Putting many rows in order without holding them all."""

import heapq
import pickle
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

T = TypeVar("T")
#: So many rows are held at once, and so many files are open.
_RUN, _FILES = 1000, 200


def sorted_on_disk(rows: Iterable[T], key: Callable[[T], Any], *, run: int = _RUN, files: int = _FILES) -> Iterator[T]:
    """As `sorted`: the rows wait, a sorted run in each of this process's own files that have no name, and are merged."""
    kept: list[IO[bytes]] = []
    waiting = iter(rows)
    while some := sorted(islice(waiting, run), key=key):
        kept.append(_written(some))
        if len(kept) == files:
            kept = [_written(_merged(kept, key))]
    yield from _merged(kept, key)


def _written(rows: Iterable[T]) -> IO[bytes]:
    spool: IO[bytes] = TemporaryFile()  # noqa: SIM115  # closed by whoever merges it
    for row in rows:
        pickle.dump(row, spool, pickle.HIGHEST_PROTOCOL)
    spool.seek(0)
    return spool


def _merged(spools: list[IO[bytes]], key: Callable[[T], Any]) -> Iterator[T]:
    try:
        yield from heapq.merge(*(_read(one) for one in spools), key=key)
    finally:
        for one in spools:
            one.close()


def _read(spool: IO[bytes]) -> Iterator[Any]:
    try:
        while True:
            yield pickle.load(spool)  # noqa: S301  # written a moment ago, by this function
    except EOFError:
        return
