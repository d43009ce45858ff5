"""Files that people upload and that the application makes."""

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class StoredFile(models.Model):
    """One file as it was stored: the row never changes, and `sha256` says whether the bytes still are the same.

    `name` is what people see, `path` (below MEDIA_ROOT) is made by us. Who may read a file follows from what it
    belongs to: an attachment's root object, a job's owner, an invoice.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=40)
    name = models.CharField(_("file name"), max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=models.Q(size__gte=0), name="file_size_not_negative")]

    def __str__(self) -> str:
        return self.name


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    """Reads over attachments; who may read one follows from its root object."""

    def present(self) -> Self:
        """Not taken away."""
        return self.filter(removed_at=None)

    def own(self, user: "User") -> Self:
        return self.filter(created_by=user)


class Attachment(models.Model):
    """A file that hangs on a root object."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    root_type = models.CharField(max_length=60)
    root_id = models.BigIntegerField()
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="attachments")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["root_type", "root_id", "-id"], name="attachment_by_root")]

    def __str__(self) -> str:
        return f"{self.root_type}:{self.root_id} {self.file_id}"
