"""Instalments: what is to be paid when, as planned for an order and as owed on issued invoices."""

import datetime as dt
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.db.models.lookups import LessThanOrEqual
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import ZERO, AmountField

from .invoice import Invoice

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class InstalmentPlan(models.Model):
    """How an order's total is to be paid. A new plan replaces the old one, which keeps its content."""

    class Method(models.TextChoices):
        EQUAL = "equal", _("Equal instalments")
        PERCENT = "percent", _("Percentages, the last one takes the rest")
        FIXED = "fixed", _("Fixed amounts, the last one takes the rest")

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="plans")
    method = models.CharField(_("method"), max_length=10, choices=Method)
    total = AmountField(_("total"))
    is_active = models.BooleanField(default=True)
    content = models.JSONField(default=list, help_text="The instalments as they were agreed.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=Q(is_active=True), name="plan_one_active_per_order")
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.method}"


class InstalmentQuerySet(models.QuerySet["Instalment"]):
    """Reads over instalments."""

    def visible_to(self, user: "User") -> Self:
        """Those of the invoices one may see."""
        return self.filter(invoice__in=Invoice.objects.visible_to(user).values("pk"))

    def owed(self) -> Self:
        """On an issued document and not yet paid or credited."""
        return self.filter(open__gt=0, invoice__isnull=False).exclude(invoice__state="draft")

    def overdue(self, today: dt.date) -> Self:
        """Owed since before today."""
        return self.owed().filter(due_date__lt=today)

    def planned(self) -> Self:
        """On the plan in force and on no document yet."""
        return self.filter(plan__is_active=True, invoice=None)

    def to_invoice(self, today: dt.date) -> Self:
        """Planned, of a placed order, and what they wait for has come: milestone, delivery, acceptance, end, or the date.

        A date has come two weeks ahead of the day the money is due, so that the customer has time to pay.
        """
        ready = (
            Q(trigger=Instalment.Trigger.DATE, due_date__lte=today + dt.timedelta(days=14))
            | Q(trigger=Instalment.Trigger.MILESTONE, milestone__actual__isnull=False)
            | Q(trigger=Instalment.Trigger.MILESTONE, milestone=None, due_date__lte=today)
            | Q(trigger=Instalment.Trigger.SHIPMENT, plan__order__state__in=["shipped", "accepted"])
            | Q(trigger=Instalment.Trigger.ACCEPTANCE, plan__order__state="accepted")
            | Q(trigger=Instalment.Trigger.DEFECTS, plan__order__state="accepted", due_date__lte=today)
        )
        billable = ["placed", "in_production", "shipped", "rectification", "accepted"]
        return self.planned().filter(ready, plan__order__state__in=billable)

    def oldest_first(self) -> Self:
        """In the order in which payments are laid on them."""
        return self.order_by("due_date", "pk")


class Instalment(models.Model):
    """One amount with a day. Planned while it has no issued invoice, owed from issue on.

    `paid` and `credited` count what payments and credit notes are laid on it; once either moved, the database keeps
    amount and day as they are.
    """

    class Kind(models.TextChoices):
        NORMAL = "normal", _("Instalment")
        DEPOSIT = "deposit", _("Deposit before the start")
        RETENTION = "retention", _("Retention")

    class Trigger(models.TextChoices):
        DATE = "date", _("On its date")
        MILESTONE = "milestone", _("When a milestone is reached")
        SHIPMENT = "shipment", _("When all is delivered")
        ACCEPTANCE = "acceptance", _("When the customer has accepted")
        DEFECTS = "defects", _("At the end of the defects period")

    plan = models.ForeignKey(InstalmentPlan, models.CASCADE, null=True, blank=True, related_name="instalments")
    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, blank=True, related_name="instalments")
    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="instalments")
    currency = models.CharField(_("currency"), max_length=3)
    seq = models.PositiveIntegerField(_("no."))
    label = models.CharField(_("label"), max_length=100, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.NORMAL)
    amount = AmountField(_("amount"))
    due_date = models.DateField(_("due date"))
    trigger = models.CharField(_("to be invoiced"), max_length=10, choices=Trigger, default=Trigger.DATE)
    milestone = models.ForeignKey(
        "fulfilment.Milestone", models.SET_NULL, null=True, blank=True, related_name="instalments",
        verbose_name=_("milestone"),
    )  # fmt: skip
    agreed_on = models.DateField(
        null=True, blank=True, editable=False, verbose_name=_("agreed on"),
        help_text="The business day from which amount, day and kind are these; empty since the document was issued.",
    )  # fmt: skip
    paid = AmountField(_("paid"), default=ZERO)
    credited = AmountField(_("credited"), default=ZERO)
    open = models.GeneratedField(
        expression=Round(F("amount") - F("paid") - F("credited"), 4),
        output_field=AmountField(),
        db_persist=True,
        verbose_name=_("open"),
    )

    objects = InstalmentQuerySet.as_manager()

    class Meta:
        ordering = ["due_date", "seq", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="instalment_positive"),
            models.CheckConstraint(condition=Q(paid__gte=0, credited__gte=0), name="instalment_paid_not_negative"),
            models.CheckConstraint(
                condition=LessThanOrEqual(Round(F("paid") + F("credited"), 4), F("amount")),
                name="instalment_paid_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(plan__isnull=False) | Q(invoice__isnull=False), name="instalment_belongs_somewhere"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "due_date", "id"], condition=Q(open__gt=0), name="instalment_open"),
            models.Index(fields=["due_date", "id"], condition=Q(open__gt=0), name="instalment_open_by_due"),
        ]

    def __str__(self) -> str:
        return self.label or f"{self.seq}"

    def get_absolute_url(self) -> str:
        """The document it is on, else the board of its order."""
        if self.invoice is not None:
            return self.invoice.get_absolute_url()
        return reverse("billing:order-board", args=[self.plan.order.number]) if self.plan else ""

    @property
    def is_releasable(self) -> bool:
        """Whether it is kept back and can be made due."""
        return self.kind == self.Kind.RETENTION and not self.is_touched

    def days_overdue(self, today: dt.date) -> int:
        """Days since it was due; 0 on the day itself and before."""
        return max(0, (today - self.due_date).days)

    @property
    def is_touched(self) -> bool:
        """Whether something is laid on it, which freezes it."""
        return bool(self.paid + self.credited > ZERO)


class Reschedule(models.Model):
    """The instalments of a document before and after they were agreed anew. Never changed."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="reschedules")
    number = models.PositiveIntegerField(_("version"))
    before = models.JSONField(default=list)
    after = models.JSONField(default=list)
    reason = models.CharField(_("reason"), max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["invoice", "number"], name="reschedule_number_once")]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.number}"


class FormerTerms(models.Model):
    """What an instalment of an issued document was until a day. Never changed.

    The instalment may be gone: where fewer were agreed, only this row knows it. Reports of a past day read it.
    """

    key = models.BigIntegerField(help_text="The instalment's primary key.")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="former_terms")
    kind = models.CharField(_("kind"), max_length=10, choices=Instalment.Kind)
    amount = AmountField(_("amount"))
    due_date = models.DateField(_("due date"))
    since = models.DateField(null=True, help_text="The first business day of these terms; empty since the issue.")
    until = models.DateField(help_text="The first business day of the terms that followed.")

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["until"], name="former_terms_by_day"),
            models.Index(fields=["key", "until"], name="former_terms_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.amount} {self.due_date}"
