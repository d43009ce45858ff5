"""Lists as somebody likes to see them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .user import User


class SavedView(models.Model):
    """A list's filters, sort and columns under a name; `query` is the address's query string."""

    user = models.ForeignKey(User, models.CASCADE, related_name="saved_views")
    list_key = models.CharField(max_length=60)
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=2000, blank=True)
    is_shared = models.BooleanField(_("shared"), default=False)
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["user", "list_key", "name"], name="view_name_once_per_list"),
            models.UniqueConstraint(
                fields=["user", "list_key"], condition=Q(is_default=True), name="view_one_default_per_list"
            ),
        ]

    def __str__(self) -> str:
        return self.name
