"""Imports through the browser: what was uploaded, how it was mapped, what came of it; and mappings to keep."""

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .files import StoredFile

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class ImportMode(models.TextChoices):
    """What one refused row does to the others."""

    SKIP = "skip", _("Write what is right, report the rest")
    ALL = "all", _("All or nothing")


class ImportProfile(models.Model):
    """A mapping that somebody kept: `setup` holds layout, fields and key as the shipped profiles do."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    target = models.CharField(max_length=40)
    source = models.CharField(_("source"), max_length=40)
    mode = models.CharField(max_length=10, choices=ImportMode, default=ImportMode.SKIP)
    setup = models.JSONField(default=dict)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    """Reads over imports."""

    def visible_to(self, user: "User") -> Self:
        """All for those who may import, none for anybody else."""
        return self if user.has_perm("documents.import_data") else self.none()


class ImportRun(models.Model):
    """One uploaded file on its way: mapped, tried in a dry run (`check_report`), then imported (`report`)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    target = models.CharField(_("what"), max_length=40)
    source = models.CharField(_("source"), max_length=40, default="file")
    mode = models.CharField(max_length=10, choices=ImportMode, default=ImportMode.SKIP)
    setup = models.JSONField(default=dict)
    check_report = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    report = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    finished_at = models.DateTimeField(_("imported"), null=True)

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.file.name

    def get_absolute_url(self) -> str:
        return reverse("documents:import-detail", args=[self.public_id])
