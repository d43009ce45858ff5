"""Receivables that are given up: asked for by one person, booked by another above the tolerance."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.money import AmountField

from .invoice import Invoice
from .payment import Payment

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class WriteOffQuerySet(models.QuerySet["WriteOff"]):
    """Reads over write-offs."""

    def visible_to(self, user: "User") -> Self:
        """All for those who may see payments."""
        return self if user.has_perm("billing.view_payment") else self.none()

    def waiting(self) -> Self:
        """Asked for and not decided."""
        return self.filter(state=WriteOff.State.ASKED)

    def standing(self) -> Self:
        """Asked for, or booked and not taken back since."""
        return self.exclude(state=WriteOff.State.REFUSED).exclude(payment__state=Payment.State.CANCELLED)


class WriteOff(Refreshable, models.Model):
    """So much of a document is given up. Once booked it counts like a payment of the method `write_off`, so that
    every sum holds; that payment is taken back like any other, by somebody else than who booked it.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("Asked for")
        BOOKED = "booked", _("Booked")
        REFUSED = "refused", _("Refused")

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="write_offs", verbose_name=_("invoice"))
    currency = models.CharField(_("currency"), max_length=3)
    amount = AmountField(_("amount"))
    reason = models.CharField(_("reason"), max_length=300)
    state = FSMField(_("state"), choices=State.choices, default=State.ASKED, protected=True, max_length=10)
    within_tolerance = models.BooleanField(_("within the tolerance"), default=False)
    key = models.CharField(max_length=160, unique=True, help_text="The same form asks once.")
    payment = models.OneToOneField(Payment, models.PROTECT, null=True, blank=True, related_name="write_off")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("asked on"), auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    remark = models.CharField(_("remark"), max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = WriteOffQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="write_off_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="write_off_has_a_reason"),
            models.CheckConstraint(
                condition=(Q(state="booked", payment__isnull=False) | (~Q(state="booked") & Q(payment=None))),
                name="write_off_booked_by_a_payment",
            ),
            models.CheckConstraint(
                condition=Q(within_tolerance=True) | Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
                name="write_off_decided_by_somebody_else",
            ),
        ]
        indexes = [models.Index(fields=["-id"], condition=Q(state="asked"), name="write_off_waiting")]

    def __str__(self) -> str:
        return f"{self.invoice} {self.invoice.money(self.amount)} {self.currency}"

    def get_absolute_url(self) -> str:
        return self.invoice.get_absolute_url()

    @transition(field=state, source=State.ASKED, target=State.BOOKED)
    def book(self) -> None:
        """From now on it is gone."""

    @transition(field=state, source=State.ASKED, target=State.REFUSED, permission="billing.approve_write_off")
    def refuse(self) -> None:
        """It stays owed."""
