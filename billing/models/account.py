"""The final account of an order: what it comes to in the end, drawn up by one person and frozen by another."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.money import AmountField
from orders.models import Order

from .payment import Settlement

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class FinalAccountQuerySet(models.QuerySet["FinalAccount"]):
    """Reads over final accounts."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees, for who may see invoices."""
        if not (user.is_system or user.has_perm("billing.view_invoice")):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))

    def current(self) -> Self:
        """Drawn up or frozen, and not replaced by a later version."""
        return self.exclude(state=FinalAccount.State.REPLACED)


class FinalAccount(Refreshable, models.Model):
    """One version: contract + changes + charges - deductions = final, in the order's currency.

    `content` keeps every row of it, `digest` what of it must still be true for the freeze to hold.
    """

    class State(models.TextChoices):
        DRAWN = "drawn", _("Drawn up")
        FROZEN = "frozen", _("Frozen")
        REPLACED = "replaced", _("Replaced")

    order = models.ForeignKey(Order, models.PROTECT, related_name="accounts", verbose_name=_("order"))
    number = models.PositiveIntegerField(_("version"))
    state = FSMField(_("state"), choices=State.choices, default=State.DRAWN, protected=True, max_length=10)
    content = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    final_net = AmountField(_("final, net"))
    final_gross = AmountField(_("final amount"))
    drawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField(auto_now_add=True)
    frozen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    frozen_at = models.DateTimeField(null=True, blank=True)

    objects = FinalAccountQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="final_account_version_once"),
            models.UniqueConstraint(
                fields=["order"], condition=~Q(state="replaced"), name="final_account_one_in_force"
            ),
            models.CheckConstraint(
                condition=Q(frozen_by=None) | ~Q(frozen_by=F("drawn_by")), name="final_account_frozen_by_somebody_else"
            ),
            models.CheckConstraint(
                condition=Q(state="replaced")
                | Q(state="drawn", frozen_by=None)
                | Q(state="frozen", frozen_by__isnull=False),
                name="final_account_frozen_by_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order} {self.number}"

    def get_absolute_url(self) -> str:
        return f"/billing/orders/{self.order.number}/settlement/"

    @transition(field=state, source=State.DRAWN, target=State.FROZEN, permission="billing.freeze_account")
    def freeze(self) -> None:
        """From now on the order is to come to this."""

    @transition(field=state, source=[State.DRAWN, State.FROZEN], target=State.REPLACED)
    def replace(self) -> None:
        """A later version counts, or the account was opened again."""


class SettlementPaper(models.Model):
    """The settlement statement in one language, made once and kept for ever."""

    settlement = models.ForeignKey(Settlement, models.PROTECT, related_name="papers")
    language = models.CharField(max_length=10, choices=settings.LANGUAGES)
    file = models.ForeignKey("documents.StoredFile", models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["language"]
        constraints = [models.UniqueConstraint(fields=["settlement", "language"], name="settlement_paper_once")]

    def __str__(self) -> str:
        return f"{self.settlement_id} {self.language}"
