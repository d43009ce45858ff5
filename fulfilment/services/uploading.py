"""Files that come with a deed: looked at by their content, then kept."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from ordermgmt.documents.models import StoredFile
from ordermgmt.documents.services import check_upload, store_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.files.uploadedfile import UploadedFile

    from ordermgmt.accounts.models import User


def keep_upload(upload: "UploadedFile[Any]", *, kind: str, field: str, actor: "User") -> StoredFile:
    """Any file of a type that is taken. Raises ValidationError at `field`."""
    return _keep(upload, _checked(upload, field), kind=kind, actor=actor)


def keep_pictures(uploads: "Sequence[UploadedFile[Any]]", *, kind: str, field: str, actor: "User") -> list[StoredFile]:
    """Pictures only. Raises ValidationError at `field`, naming the one that is none; then none of them is kept."""
    types = [_checked(one, field) for one in uploads]
    for one, content_type in zip(uploads, types, strict=True):
        if not content_type.startswith("image/"):
            raise ValidationError({field: _("“%(name)s” is not a picture.") % {"name": one.name or ""}})
    return [_keep(one, found, kind=kind, actor=actor) for one, found in zip(uploads, types, strict=True)]


def keep_paper(upload: "UploadedFile[Any]", *, kind: str, field: str, actor: "User") -> StoredFile:
    """A picture or a PDF. Raises ValidationError at `field`."""
    content_type = _checked(upload, field)
    if content_type != "application/pdf" and not content_type.startswith("image/"):
        raise ValidationError({field: _("Choose a picture or a PDF.")})
    return _keep(upload, content_type, kind=kind, actor=actor)


def _checked(upload: "UploadedFile[Any]", field: str) -> str:
    """The type of the content. Raises ValidationError at `field`."""
    try:
        return check_upload(upload, name=upload.name or "", size=upload.size or 0)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from error


def _keep(upload: "UploadedFile[Any]", content_type: str, *, kind: str, actor: "User") -> StoredFile:
    return store_file(upload, name=upload.name or "", kind=kind, actor=actor, content_type=content_type)
