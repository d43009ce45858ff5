"""Files into the store: complete or not at all."""

import hashlib
import os
import re
import unicodedata
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from django.conf import settings
from django.core.files.base import File
from django.db import transaction

from ordermgmt.documents.models import StoredFile

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_CHUNK = 1 << 20
#: What paths of the store look like, those of half-written files included.
KINDS_OF_PATH = re.compile(r"[a-z_-]{1,40}/[0-9a-f]{2}/(\.[0-9a-f]{32}\.part|[0-9a-f]{32})")


def clean_name(name: str) -> str:
    """A file name as people may see it: no path, no control characters, at most 150 characters, never empty."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(char for char in name if unicodedata.category(char)[0] != "C").strip(" .")
    stem, dot, ending = name.rpartition(".")
    if dot and len(name) > 150:
        name = stem[: 149 - len(ending[:20])] + dot + ending[:20]
    return name[:150] or "file"


def store_file(
    content: "bytes | IO[bytes] | File[bytes]",
    *,
    name: str,
    kind: str,
    actor: "User | None",
    content_type: str = "application/octet-stream",
) -> StoredFile:
    """Keeps `content` for ever and gives its row.

    `kind` is a short word for what it is ("attachment", "invoice", "report"); it becomes the folder. The bytes go
    under a temporary name, are flushed to the disk and renamed before the row is written (Q3): a row never points to
    half a file, and a crash in between leaves only a file without a row, which `prune_files` removes. Uploads are
    validated by `check_upload` before.
    """
    if not re.fullmatch(r"[a-z_-]{1,40}", kind):
        raise ValueError(f"{kind!r} is not a kind of file")
    public_id = uuid.uuid4()
    path = f"{kind}/{public_id.hex[:2]}/{public_id.hex}"
    size, sha256 = _write(content, Path(settings.MEDIA_ROOT) / path)
    with transaction.atomic():
        return StoredFile.objects.create(
            public_id=public_id,
            kind=kind,
            name=clean_name(name),
            content_type=content_type,
            size=size,
            sha256=sha256,
            path=path,
            created_by=actor,
        )


def _write(content: "bytes | IO[bytes] | File[bytes]", target: Path) -> tuple[int, str]:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    digest, size = hashlib.sha256(), 0
    try:
        with temporary.open("xb") as out:
            for chunk in _chunks(content):
                digest.update(chunk)
                size += out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)  # a full disk leaves no half file
        raise
    _sync_folder(target.parent)
    return size, digest.hexdigest()


def _chunks(content: "bytes | IO[bytes] | File[bytes]") -> Iterable[bytes]:
    if isinstance(content, bytes | bytearray):
        return [bytes(content)]
    content.seek(0)
    return iter(lambda: content.read(_CHUNK), b"")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_path(stored: StoredFile) -> Path:
    """Where the bytes are."""
    return Path(settings.MEDIA_ROOT) / stored.path


def read_file(stored: StoredFile) -> bytes:
    """All bytes of a stored file. Raises FileNotFoundError where the store has lost it."""
    return file_path(stored).read_bytes()
