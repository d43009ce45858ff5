"""Files that a crash left behind, and files that the store has lost."""

import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from ordermgmt.documents.models import StoredFile

from .storing import KINDS_OF_PATH, file_path


def _on_disk(older_than: float) -> Iterator[Path]:
    """Files of the store that are older than so many seconds; what other parts keep in the same folder is not ours."""
    limit = time.time() - older_than
    root = Path(settings.MEDIA_ROOT)
    for path in root.glob("*/??/*"):
        if (
            path.is_file()
            and KINDS_OF_PATH.fullmatch(path.relative_to(root).as_posix())
            and path.stat().st_mtime < limit
        ):
            yield path


def prune_files(*, older_than: float = 86_400) -> list[str]:
    """Removes files without a row, which a crash between renaming and writing the row leaves; gives their paths.

    Younger ones stay: their transaction may still be running.
    """
    root = Path(settings.MEDIA_ROOT)
    found = {path.relative_to(root).as_posix(): path for path in _on_disk(older_than)}
    known: set[str] = set()
    names = sorted(found)
    for start in range(0, len(names), 500):
        known.update(StoredFile.objects.filter(path__in=names[start : start + 500]).values_list("path", flat=True))
    gone = [name for name in names if name not in known]
    for name in gone:
        found[name].unlink(missing_ok=True)
    return gone


def lost_files() -> Iterator[StoredFile]:
    """Rows whose bytes are not there, or not all of them."""
    for stored in StoredFile.objects.order_by("pk").iterator(chunk_size=1000):
        path = file_path(stored)
        if not path.is_file() or path.stat().st_size != stored.size:
            yield stored
