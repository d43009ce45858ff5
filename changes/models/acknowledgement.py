"""Who must know of an applied change, and who said that they do."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.accounts.roles import LABELS, Role

from .change import ChangeRequest

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class AcknowledgementQuerySet(models.QuerySet["Acknowledgement"]):
    """Reads over acknowledgements."""

    def open(self) -> Self:
        """Not given yet, and not asked of somebody who is gone."""
        return self.filter(Q(user=None) | Q(user__is_active=True), acknowledged_at=None)

    def visible_to(self, user: "User") -> Self:
        """Those of the requests that one sees."""
        return self.filter(change__in=ChangeRequest.objects.visible_to(user))


class Acknowledgement(models.Model):
    """One person, or anybody of one role, is to say that they know of an applied change."""

    change = models.ForeignKey(ChangeRequest, models.PROTECT, related_name="acknowledgements")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="change_acknowledgements"
    )
    role = models.CharField(_("role"), max_length=20, blank=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reminded_on = models.DateField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True)

    objects = AcknowledgementQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["change", "user"], condition=Q(user__isnull=False), name="acknowledgement_once_per_person"
            ),
            models.UniqueConstraint(
                fields=["change", "role"], condition=Q(user__isnull=True), name="acknowledgement_once_per_role"
            ),
            models.CheckConstraint(condition=Q(user__isnull=False) | ~Q(role=""), name="acknowledgement_by_somebody"),
        ]
        indexes = [models.Index(fields=["user", "acknowledged_at"], name="acknowledgement_by_user")]

    def __str__(self) -> str:
        return f"{self.change_id} {self.user_id or self.role}"

    @property
    def asked(self) -> str:
        """Who is asked, in words."""
        return self.user.name if self.user else str(LABELS[Role(self.role)])
