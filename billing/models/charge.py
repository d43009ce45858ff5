"""What an order costs beside its lines: charges and deductions, and the clause that proposes penalties."""

from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.money import ZERO, AmountField, RateField, quantise, round_to
from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class OrderClause(models.Model):
    """What the contract says about late delivery, defects and retentions; one per order, none means nothing was agreed."""

    class Per(models.TextChoices):
        DAY = "day", pgettext_lazy("a stretch of time", "Day")
        WEEK = "week", _("Week begun")

    order = models.OneToOneField(Order, models.CASCADE, related_name="clause")
    rate_percent = RateField(_("penalty %"), default=ZERO)
    per = models.CharField(_("per"), max_length=4, choices=Per, default=Per.DAY)
    grace_days = models.PositiveIntegerField(_("days of grace"), default=0)
    cap_percent = RateField(_("cap %"), null=True, blank=True)
    defects_months = models.PositiveSmallIntegerField(_("months of the defects period"), null=True, blank=True)
    retention_apart = models.BooleanField(_("retentions stand apart"), default=False)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    set_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(rate_percent__gte=0, rate_percent__lte=100), name="clause_rate"),
            models.CheckConstraint(
                condition=Q(cap_percent=None) | Q(cap_percent__gt=0, cap_percent__lte=100, cap_percent__isnull=False),
                name="clause_cap",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.rate_percent} %"

    def units(self, days: int) -> int:
        """How often the rate counts for so many days: none within the grace, else from the first day on."""
        if days <= self.grace_days:
            return 0
        return days if self.per == self.Per.DAY else -(-days // 7)


class OrderChargeQuerySet(models.QuerySet["OrderCharge"]):
    """Reads over charges and deductions."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees, for who may see invoices."""
        if not (user.is_system or user.has_perm("billing.view_invoice")):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))

    def undecided(self) -> Self:
        """Proposed, neither accepted nor waived."""
        return self.filter(state=OrderCharge.State.PROPOSED)

    def agreed(self) -> Self:
        """Accepted: part of the final account."""
        return self.filter(state=OrderCharge.State.ACCEPTED)


class OrderCharge(Refreshable, models.Model):
    """So much more or less than the lines of an order come to. `net` and `tax` are positive, in the order's currency;
    the kind says which way they count. Proposed by one person or by the clause, decided by another, never changed then.
    """

    class Kind(models.TextChoices):
        CHARGE = "charge", _("Extra charge")
        BONUS = "bonus", _("Bonus for early completion")
        PENALTY = "penalty", _("Penalty for late delivery")
        DISCOUNT = "discount", _("Discount")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        ACCEPTED = "accepted", pgettext_lazy("charge", "Accepted")
        WAIVED = "waived", _("Waived")

    #: What lowers the final cost.
    DEDUCTIONS = (Kind.PENALTY, Kind.DISCOUNT)

    order = models.ForeignKey(Order, models.PROTECT, related_name="charges", verbose_name=_("order"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    state = FSMField(_("state"), choices=State.choices, default=State.PROPOSED, protected=True, max_length=10)
    description = models.CharField(_("text on the document"), max_length=200)
    net = AmountField(_("net"))
    tax_category = models.CharField(_("tax category"), max_length=2)
    tax_rate = RateField(_("tax %"))
    tax = AmountField(_("tax"), default=ZERO)
    reason = models.CharField(_("reason"), max_length=300)
    evidence = models.CharField(_("evidence"), max_length=300, blank=True)
    automatic = models.BooleanField(default=False, help_text="Proposed by the clause of the order.")
    computation = models.JSONField(default=list, help_text="Line by line, how a penalty came about.")
    rectification = models.OneToOneField(
        "fulfilment.Rectification", models.PROTECT, null=True, blank=True, related_name="credit_charge"
    )
    key = models.CharField(max_length=160, unique=True, help_text="The same form or clause proposes once.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("proposed on"), auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(_("reason of the decision"), max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = OrderChargeQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(net__gt=0, tax__gte=0), name="order_charge_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="order_charge_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by=None)
                | (~Q(state="proposed") & Q(decided_by__isnull=False) & ~Q(decision="")),
                name="order_charge_decided_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
                name="order_charge_decided_by_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return self.description

    def get_absolute_url(self) -> str:
        return reverse("billing:order-charges", args=[self.order.number])

    @property
    def sign(self) -> int:
        """1 for what the customer pays more, -1 for what comes off."""
        return -1 if self.kind in self.DEDUCTIONS else 1

    @property
    def signed_net(self) -> Decimal:
        """What it adds to the net."""
        return quantise(self.sign * self.net, self.order.currency)

    @property
    def signed_gross(self) -> Decimal:
        """What it adds to the total, tax included; rounded as the order's total is, so that their sum can be paid."""
        return round_to(self.sign * (self.net + self.tax), self.order.cash_step, self.order.currency)

    @transition(field=state, source=State.PROPOSED, target=State.ACCEPTED, permission="billing.decide_charge")
    def accept(self) -> None:
        """From now on it belongs to the final account."""

    @transition(field=state, source=State.PROPOSED, target=State.WAIVED, permission="billing.decide_charge")
    def waive(self) -> None:
        """It is not asked for."""
