"""The private address at which a person's calendar program reads milestones and promised dates."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class CalendarFeed(models.Model):
    """One address a person; kept as a digest, so that who reads the database can't use it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_feed", verbose_name=_("owner")
    )
    token_digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.user_id)
