"""What people say about an object."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class CommentQuerySet(models.QuerySet["Comment"]):
    """Reads over comments; who may read them follows from the root object."""

    def own(self, user: "User") -> Self:
        return self.filter(author=user)


class Comment(models.Model):
    """One remark on a root object. Its text never changes; its author may take it back, and then it is gone."""

    root_type = models.CharField(max_length=60)
    root_id = models.BigIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(_("comment"), blank=True)
    at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True)
    mentioned = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["root_type", "root_id", "-id"], name="comment_by_root")]

    def __str__(self) -> str:
        return f"{self.root_type}:{self.root_id} {self.at:%Y-%m-%d}"
