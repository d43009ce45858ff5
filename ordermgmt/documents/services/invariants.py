"""What must always hold of files and numbers (Q3, Q4, N1)."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator

from django.db.models import Q

from ordermgmt.activity.models import Job, WorkState
from ordermgmt.documents.models import NumberSeries, StoredFile
from ordermgmt.lib.invariants import invariant

from .pruning import lost_files
from .storing import file_path


@invariant("Q3", "every stored file is there, with all its bytes")
def _lost() -> Iterable[object]:
    return lost_files()


@invariant("Q3", "the bytes of every stored file are the ones that were stored")
def _altered() -> Iterator[object]:
    for stored in StoredFile.objects.order_by("pk").iterator(chunk_size=500):
        path = file_path(stored)
        if path.is_file():
            with path.open("rb") as handle:
                if hashlib.file_digest(handle, "sha256").hexdigest() != stored.sha256:
                    yield stored


@invariant("Q4", "the file that a finished job names exists")
def _results_without_file() -> Iterator[object]:
    for job in Job.objects.filter(state=WorkState.DONE).exclude(result=None).iterator(chunk_size=500):
        if job.file and not StoredFile.objects.filter(public_id=_uuid(job.file)).exists():
            yield job


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


@invariant("N1", "no number series stands below nothing")
def _negative_series() -> Iterable[object]:
    return NumberSeries.objects.filter(Q(last__lt=0))
