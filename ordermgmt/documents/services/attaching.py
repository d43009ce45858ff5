"""Files on root objects: checked by what they are, not by what they are called."""

import codecs
import zipfile
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ordermgmt.activity.services import find_root, may_see, record, type_of
from ordermgmt.documents import events
from ordermgmt.documents.models import Attachment

from .storing import clean_name, store_file

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
#: Ending → (content type, how its bytes begin). Markup that a browser would run (SVG, HTML) is not among them.
ACCEPTED: dict[str, tuple[str, tuple[bytes, ...]]] = {
    "pdf": ("application/pdf", (b"%PDF-",)),
    "png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    "jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "gif": ("image/gif", (b"GIF87a", b"GIF89a")),
    "webp": ("image/webp", (b"RIFF",)),
    "docx": (_OFFICE + "wordprocessingml.document", (b"PK\x03\x04",)),
    "xlsx": (_OFFICE + "spreadsheetml.sheet", (b"PK\x03\x04",)),
    "pptx": (_OFFICE + "presentationml.presentation", (b"PK\x03\x04",)),
    "odt": (_OPEN + "text", (b"PK\x03\x04",)),
    "ods": (_OPEN + "spreadsheet", (b"PK\x03\x04",)),
    "doc": ("application/msword", (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)),
    "xls": ("application/vnd.ms-excel", (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)),
    "txt": ("text/plain", ()),
    "csv": ("text/csv", ()),
}
_MARKUP = (b"<svg", b"<html", b"<!doctype", b"<script", b"<?xml", b"<head", b"<body", b"<iframe")


def check_upload(upload: "UploadedFile[Any] | IO[bytes] | Any", *, name: str, size: int) -> str:
    """The content type of an upload that we take. Raises ValidationError with a sentence for any other.

    Looked at are size, ending, and whether the bytes are what the ending says: an SVG called photo.png is refused.
    """
    limit = settings.UPLOAD_LIMIT_MB
    if size > limit * 1024 * 1024:
        raise ValidationError(_("The file is larger than %(limit)s MB.") % {"limit": limit}, code="size")
    if size == 0:
        raise ValidationError(_("The file is empty."), code="empty")
    ending = PurePath(clean_name(name)).suffix.lstrip(".").lower()
    if ending not in ACCEPTED:
        known = ", ".join(ACCEPTED)
        raise ValidationError(
            _("Files of this type are not taken. Possible are: %(known)s.") % {"known": known}, code="type"
        )
    content_type, beginnings = ACCEPTED[ending]
    upload.seek(0)
    head = upload.read(4096)
    genuine = head.startswith(beginnings) if beginnings else _is_text(upload, head)
    if genuine and beginnings == (b"PK\x03\x04",):
        genuine = _is_office(upload)
    upload.seek(0)
    if not genuine:
        raise ValidationError(
            _("The content of this file is not what its ending “%(ending)s” says.") % {"ending": ending}, code="content"
        )
    return content_type


def _is_text(upload: Any, head: bytes) -> bool:
    lowered = head.lstrip(codecs.BOM_UTF8 + b" \t\r\n").lower()
    if b"\x00" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    return not any(mark in lowered for mark in _MARKUP)


def _is_office(upload: Any) -> bool:
    upload.seek(0)
    try:
        with zipfile.ZipFile(upload) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
    return bool(names & {"[Content_Types].xml", "mimetype"})


def attach_file(root: models.Model, *, upload: "UploadedFile[Any]", actor: "User") -> Attachment:
    """Keeps an upload on an object. Raises PermissionDenied where `actor` may not see it, ValidationError for a file
    that we don't take. The bytes are stored before the transaction begins: nothing slow inside one."""
    if not may_see(actor, type_of(root), root.pk):
        raise PermissionDenied
    content_type = check_upload(upload, name=upload.name or "", size=upload.size or 0)
    stored = store_file(upload, name=upload.name or "", kind="attachment", actor=actor, content_type=content_type)
    with transaction.atomic():
        attachment = Attachment.objects.create(root_type=type_of(root), root_id=root.pk, file=stored, created_by=actor)
        record(events.FILE_ATTACHED, attachment, root=root, actor=actor, name=stored.name)
    return attachment


@transaction.atomic
def remove_attachment(attachment: Attachment, *, actor: "User") -> Attachment:
    """Takes one's own file off an object; the stored bytes stay for the audit. A second time changes nothing.

    Raises PermissionDenied for somebody else's.
    """
    attachment = Attachment.objects.select_for_update(no_key=True).select_related("file").get(pk=attachment.pk)
    if attachment.created_by_id != actor.pk:
        raise PermissionDenied
    if attachment.removed_at is None:
        attachment.removed_at = timezone.now()
        attachment.save(update_fields=["removed_at"])
        root = find_root(attachment.root_type, attachment.root_id)
        record(events.FILE_REMOVED, attachment, root=root, actor=actor, name=attachment.file.name)
    return attachment
