"""Interest on what is paid late: the terms by day, and each claim until somebody has decided about it."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.money import ZERO, AmountField, RateField

from .invoice import Invoice
from .plan import Instalment

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class LateFeePolicy(models.Model):
    """The terms of late interest from a day on. Never changed: later terms are another row."""

    class Year(models.IntegerChoices):
        CALENDAR = 365, "365"
        BANK = 360, "360"

    start = models.DateField(
        _("from"), unique=True, help_text=_("They hold until later ones; interest is split by day.")
    )
    annual = RateField(_("percent a year"), help_text=_("Simple interest, from the day after the due date."))
    year_days = models.PositiveSmallIntegerField(
        _("days of the year"), choices=Year, default=Year.CALENDAR, help_text=_("What the yearly rate is divided by.")
    )
    grace_days = models.PositiveSmallIntegerField(
        _("days of grace"),
        default=0,
        help_text=_("Paid within them costs nothing; after them the days count from the due date."),
    )
    flat_fee = AmountField(
        _("flat fee"), default=ZERO, help_text=_("Asked for once with the first claim, in the document's currency.")
    )
    cap = AmountField(
        _("most"),
        null=True,
        blank=True,
        help_text=_("Of interest and fee of one instalment together; empty: no limit."),
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-start"]
        constraints = [
            models.CheckConstraint(
                condition=Q(annual__gte=0, flat_fee__gte=0) & (Q(cap=None) | Q(cap__gt=0)),
                name="late_fee_policy_not_negative",
            ),
            models.CheckConstraint(condition=Q(year_days__in=[360, 365]), name="late_fee_policy_year"),
        ]

    def __str__(self) -> str:
        return f"{self.start} {self.annual.normalize():f} %"


class LateFeeQuerySet(models.QuerySet["LateFee"]):
    """Reads over claims."""

    def visible_to(self, user: "User") -> Self:
        """All for those who may see payments."""
        return self if user.has_perm("billing.view_payment") else self.none()

    def undecided(self) -> Self:
        """Neither charged nor waived."""
        return self.filter(state=LateFee.State.PROPOSED)

    def locked(self, pk: int) -> "LateFee":
        """The row under lock, fresh."""
        rows = self.select_for_update(no_key=True, of=("self",)).select_related(
            "instalment__invoice__customer", "instalment__invoice__order"
        )
        return rows.get(pk=pk)


class LateFee(Refreshable, models.Model):
    """Interest and fee on one instalment up to a day, less what was claimed before. Charged by a debit note, or waived."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        CHARGED = "charged", _("Charged")
        WAIVED = "waived", _("Waived")

    instalment = models.ForeignKey(Instalment, models.PROTECT, related_name="late_fees")
    currency = models.CharField(_("currency"), max_length=3)
    amount = AmountField(_("amount"))
    as_of = models.DateField(_("until"))
    days = models.PositiveIntegerField(_("days late"))
    before = AmountField(_("claimed before"), default=ZERO)
    state = FSMField(_("state"), choices=State.choices, default=State.PROPOSED, protected=True, max_length=10)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(_("proposed on"), auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    debit_note = models.OneToOneField(Invoice, models.SET_NULL, null=True, blank=True, related_name="late_fee")
    version = models.PositiveIntegerField(default=1)

    objects = LateFeeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="late_fee_positive"),
            models.UniqueConstraint(
                fields=["instalment"], condition=Q(state="proposed"), name="late_fee_one_undecided"
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by=None) | (~Q(state="proposed") & Q(decided_by__isnull=False)),
                name="late_fee_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state="charged") | ~Q(decided_by=F("proposed_by")),
                name="late_fee_charged_by_somebody_else",
            ),
            models.CheckConstraint(condition=~Q(state="waived") | ~Q(reason=""), name="late_fee_waived_for_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.instalment.invoice} {self.as_of}"

    def get_absolute_url(self) -> str:
        invoice = self.debit_note or self.instalment.invoice
        return invoice.get_absolute_url() if invoice else "/billing/late-fees/"

    @transition(field=state, source=State.PROPOSED, target=State.CHARGED, permission="billing.decide_late_fee")
    def charge(self) -> None:
        """A debit note asks for it."""

    @transition(field=state, source=State.PROPOSED, target=State.WAIVED, permission="billing.decide_late_fee")
    def waive(self) -> None:
        """Nobody asks for it."""
