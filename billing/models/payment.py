"""Payments, and what they (and credit notes) are laid on."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.fsm import FSMField, Refreshable, transition
from ordermgmt.lib.money import ZERO, AmountField

from .invoice import Invoice
from .plan import Instalment

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class PaymentQuerySet(models.QuerySet["Payment"]):
    """Reads over payments."""

    def visible_to(self, user: "User") -> Self:
        """All payments for those who may see payments."""
        return self if user.has_perm("billing.view_payment") else self.none()

    def recorded(self) -> Self:
        """Not cancelled; money and write-offs alike."""
        return self.filter(state=Payment.State.RECORDED)

    def with_credit(self) -> Self:
        """With a rest that is laid on nothing: the customer's credit."""
        return self.recorded().filter(unallocated__gt=0).exclude(method=Payment.Method.WRITE_OFF)

    def locked(self, pk: int) -> "Payment":
        """The row under lock, after orders, invoices and instalments."""
        return self.select_for_update(no_key=True, of=("self",)).select_related("customer").get(pk=pk)


class Payment(Refreshable, models.Model):
    """Money that came in. `allocated` is laid on instalments, the rest is the customer's credit."""

    class State(models.TextChoices):
        RECORDED = "recorded", _("Recorded")
        CANCELLED = "cancelled", _("Cancelled")

    class Method(models.TextChoices):
        BANK = "bank", _("Bank transfer")
        CHEQUE = "cheque", _("Cheque")
        CARD = "card", _("Card")
        CASH = "cash", _("Cash")
        OTHER = "other", _("Other")
        WRITE_OFF = "write_off", _("Written off")

    number = models.CharField(_("number"), max_length=40, unique=True)
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, related_name="payments", verbose_name=_("customer")
    )
    customer_name = models.CharField(_("customer name"), max_length=200)
    currency = models.CharField(_("currency"), max_length=3)
    amount = AmountField(_("amount"))
    base_rate = models.DecimalField(
        _("exchange rate"), max_digits=18, decimal_places=8, null=True, blank=True,
        help_text=_("What one unit was worth in the company's currency on the day it came in."),
    )  # fmt: skip
    received_on = models.DateField(_("received on"))
    method = models.CharField(_("method"), max_length=10, choices=Method, default=Method.BANK)
    instalments = models.PositiveSmallIntegerField(
        _("parts"), default=1, help_text=_("In how many parts the payer's card is charged; the company has it at once.")
    )
    reference = models.CharField(_("bank reference"), max_length=100, blank=True)
    remittance = models.CharField(_("remittance text"), max_length=300, blank=True)
    state = FSMField(_("state"), choices=State.choices, default=State.RECORDED, protected=True, max_length=10)
    allocated = AmountField(_("allocated"), default=ZERO)
    unallocated = models.GeneratedField(
        expression=Round(F("amount") - F("allocated"), 4),
        output_field=AmountField(),
        db_persist=True,
        verbose_name=_("credit"),
    )
    key = models.CharField(max_length=160, unique=True, help_text="The same form or source row is booked once.")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_on = models.DateField(null=True, blank=True, help_text="The business day from which it no longer counts.")
    cancel_reason = models.CharField(_("reason"), max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["-received_on", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_positive"),
            models.CheckConstraint(condition=Q(instalments__gte=1), name="payment_in_parts"),
            models.CheckConstraint(
                condition=Q(allocated__gte=0, allocated__lte=F("amount")), name="payment_allocated_within_amount"
            ),
            models.CheckConstraint(
                condition=Q(state="recorded") | Q(allocated=0, cancelled_by__isnull=False),
                name="payment_cancelled_is_laid_on_nothing",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_by=None) | ~Q(cancelled_by=F("recorded_by")),
                name="payment_cancelled_by_somebody_else",
            ),
        ]
        indexes = [
            models.Index(fields=["-received_on", "-id"], name="payment_by_date"),
            models.Index(fields=["customer", "-received_on", "-id"], name="payment_by_customer"),
            models.Index(fields=["customer", "id"], condition=Q(unallocated__gt=0), name="payment_with_credit"),
            models.Index(fields=["remittance"], name="payment_by_remittance"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("billing:payment-detail", args=[self.number])

    @transition(field=state, source=State.RECORDED, target=State.CANCELLED, permission="billing.cancel_payment")
    def cancel(self) -> None:
        """It bounced, or was booked by mistake."""


class Allocation(models.Model):
    """So much of a payment or credit note is laid on an instalment. Undone only by a second, negative row."""

    payment = models.ForeignKey(Payment, models.PROTECT, null=True, blank=True, related_name="allocations")
    credit_note = models.ForeignKey(Invoice, models.PROTECT, null=True, blank=True, related_name="allocations")
    instalment = models.ForeignKey(Instalment, models.PROTECT, related_name="allocations")
    amount = AmountField(_("amount"))
    on = models.DateField(
        null=True, help_text="The business day from which it counts; rows from before this was kept count from `at`."
    )
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["on"], name="allocation_by_day")]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="allocation_moves_something"),
            models.CheckConstraint(
                condition=Q(payment__isnull=False, credit_note=None) | Q(payment=None, credit_note__isnull=False),
                name="allocation_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment_id or self.credit_note_id} -> {self.instalment_id}"


class Refund(models.Model):
    """So much of a payment's credit was given back. It counts in the payment's `allocated`; a row is never changed."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    amount = AmountField(_("amount"))
    on = models.DateField(_("given back on"))
    reason = models.CharField(_("reason"), max_length=300)
    key = models.CharField(max_length=160, unique=True, help_text="The same form is booked once.")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", help_text="Who recorded the payment."
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_positive"),
            models.CheckConstraint(condition=~Q(by=F("recorded_by")), name="refund_by_somebody_else"),
        ]

    def __str__(self) -> str:
        return f"{self.payment_id} {self.amount}"


class Settlement(models.Model):
    """The evidence with which an order was settled: every figure at that moment. Never changed."""

    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="settlements")
    final_amount = AmountField(_("final amount"))
    content = models.JSONField(help_text="Documents, payments and counters at settlement.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.order_id} {self.at:%Y-%m-%d}"
