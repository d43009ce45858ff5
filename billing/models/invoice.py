"""Invoices and credit notes: drafts that can be changed, issued documents that can't."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Round
from django.db.models.lookups import LessThanOrEqual
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from ordermgmt.accounts.roles import Role
from ordermgmt.lib.fsm import Blocker, FSMField, Refreshable, guarded, transition
from ordermgmt.lib.money import ZERO, AmountField, PriceField, QuantityField, RateField, quantise
from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    """Reads over invoices."""

    def visible_to(self, user: "User") -> Self:
        """Finance all; who may see invoices those of the orders and customers they see; nobody else any."""
        if user.is_system or user.has_role(Role.FINANCE, Role.FINANCE_MANAGER):
            return self
        if not user.has_perm("billing.view_invoice"):
            return self.none()
        # Correlated: an IN under the OR would read every visible order for a handful of invoices.
        order = Order.objects.visible_to(user).filter(pk=OuterRef("order"))
        customer = Customer.objects.visible_to(user).filter(pk=OuterRef("customer"))
        return self.filter(Exists(order) | Q(Exists(customer), order=None))

    def drafts(self) -> Self:
        """To be issued yet; a proforma never is."""
        return self.filter(state=Invoice.State.DRAFT).exclude(kind=Invoice.Kind.PROFORMA)

    def issued(self) -> Self:
        """Issued, also those that a credit note cancelled since: what a ledger consists of."""
        return self.exclude(state=Invoice.State.DRAFT)

    def overdue(self, today: dt.date) -> Self:
        """With an instalment that was due before today and is open."""
        return self.issued().filter(Q(instalments__due_date__lt=today, instalments__open__gt=0)).distinct()

    def part_paid(self) -> Self:
        """Paid in part."""
        return self.issued().filter(paid__gt=0, open__gt=0)

    def locked(self, pk: int) -> "Invoice":
        """The row under lock, after its order's."""
        return self.select_for_update(no_key=True, of=("self",)).select_related("customer", "seller").get(pk=pk)


def _has_lines(invoice: "Invoice") -> Blocker | None:
    if invoice.lines.exists():
        return None
    return Blocker(_("The draft has no line."), invoice.get_absolute_url() + "edit/", _("Edit the draft"))


def _not_negative(invoice: "Invoice") -> Blocker | None:
    if invoice.due >= 0:
        return None
    return Blocker(
        _("The draft comes to less than nothing: issue a credit note instead."),
        invoice.get_absolute_url() + "edit/",
        _("Edit the draft"),
    )


def _not_proforma(invoice: "Invoice") -> Blocker | None:
    if invoice.kind != Invoice.Kind.PROFORMA:
        return None
    return Blocker(
        _("A proforma is never issued: make an invoice of it."), invoice.get_absolute_url(), _("Open the proforma")
    )


class Invoice(Refreshable, models.Model):
    """A document that asks for money, or gives it back (`credit_note`, with positive amounts).

    All totals are in `currency` and come out of the one calculation: due = grand_total - prepaid + rounding. A draft
    has no number. From issue on the database refuses every change but of the counters `paid` (payments laid on it),
    `credited` (credit notes laid on it), of the state and, once, of the PDF.
    """

    class Kind(models.TextChoices):
        STANDARD = "standard", _("Invoice")
        DEPOSIT = "deposit", _("Instalment invoice")
        PROGRESS = "progress", _("Progress invoice")
        FINAL = "final", _("Final invoice")
        DEBIT_NOTE = "debit_note", _("Debit note")
        PROFORMA = "proforma", _("Proforma invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")
        OPENING = "opening", _("Opening balance")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ISSUED = "issued", _("Issued")
        CANCELLED = "cancelled", _("Cancelled by credit note")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.STANDARD)
    state = FSMField(_("state"), choices=State.choices, default=State.DRAFT, protected=True, max_length=10)
    number = models.CharField(_("number"), max_length=40, null=True, blank=True, unique=True)  # absent on drafts
    series = models.CharField(max_length=60, blank=True)
    period = models.CharField(max_length=10, blank=True)
    sequence = models.BigIntegerField(null=True, blank=True)
    seller = models.ForeignKey("company.SellerProfile", models.PROTECT, related_name="+", verbose_name=_("seller"))
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, related_name="invoices", verbose_name=_("customer")
    )
    order = models.ForeignKey(
        "orders.Order", models.PROTECT, null=True, blank=True, related_name="invoices", verbose_name=_("order")
    )
    currency = models.CharField(_("currency"), max_length=3)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    issue_date = models.DateField(_("invoice date"), null=True, blank=True)
    delivery_from = models.DateField(_("delivery from"), null=True, blank=True)  # the supply took until delivery_date
    delivery_date = models.DateField(_("delivery date"), null=True, blank=True)
    tax_point = models.DateField(_("tax point"), null=True, blank=True)
    due_date = models.DateField(_("due date"), null=True, blank=True)
    payment_days = models.PositiveIntegerField(_("days to pay"), default=30)
    order_number = models.CharField(_("order number"), max_length=40, blank=True)
    customer_reference = models.CharField(_("customer's order number"), max_length=80, blank=True)
    contract_reference = models.CharField(_("contract"), max_length=80, blank=True)
    buyer_reference = models.CharField(_("buyer reference"), max_length=80, blank=True)
    customer_name = models.CharField(_("customer name"), max_length=200)
    base_rate = models.DecimalField(
        _("exchange rate"), max_digits=18, decimal_places=8, null=True, blank=True,
        help_text=_("What one unit was worth in the company's currency on the day of issue."),
    )  # fmt: skip
    buyer = models.JSONField(default=dict, help_text="The buyer as the document prints it.")
    seller_data = models.JSONField(default=dict, help_text="The seller as the document prints it.")
    tax_profile = models.JSONField(default=dict, help_text="Code, version and rules of the tax profile.")
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    progress_percent = RateField(
        _("progress %"), null=True, blank=True, help_text=_("So much of every line is billed once this is issued.")
    )
    retention_percent = RateField(
        _("retention %"), null=True, blank=True, help_text=_("So much is billed and kept back until the release.")
    )
    retention_until = models.DateField(_("retention until"), null=True, blank=True)
    note = models.TextField(_("note on the document"), blank=True)

    line_total = AmountField(default=ZERO)
    allowances = AmountField(default=ZERO)
    charges = AmountField(default=ZERO)
    tax_basis = AmountField(_("net"), default=ZERO)
    tax_total = AmountField(_("tax"), default=ZERO)
    grand_total = AmountField(_("total"), default=ZERO)
    prepaid = AmountField(default=ZERO)
    rounding = AmountField(default=ZERO)
    due = AmountField(_("amount due"), default=ZERO)
    paid = AmountField(_("paid"), default=ZERO)
    credited = AmountField(_("credited"), default=ZERO)
    open = models.GeneratedField(
        # Rounded because SQLite counts in binary fractions.
        expression=Round(F("due") - F("paid") - F("credited"), 4),
        output_field=AmountField(),
        db_persist=True,
        verbose_name=_("open"),
    )
    completes = models.BooleanField(default=False, help_text="Bills all that was left of its order.")

    pdf = models.ForeignKey("documents.StoredFile", models.PROTECT, null=True, blank=True, related_name="+")
    version = models.PositiveIntegerField(default=1)
    source_key = models.CharField(max_length=160, null=True, blank=True, unique=True)  # unique where present
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    issued_at = models.DateTimeField(null=True, blank=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-issue_date", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft", number=None, issue_date=None)
                | (~Q(state="draft") & Q(number__isnull=False, issue_date__isnull=False)),
                name="invoice_number_exactly_when_issued",
            ),
            models.UniqueConstraint(
                fields=["series", "period", "sequence"],
                condition=Q(sequence__isnull=False),
                name="invoice_sequence_unique",
            ),
            models.CheckConstraint(
                condition=Q(delivery_from=None) | Q(delivery_from__lte=F("delivery_date")),
                name="invoice_period_in_order",
            ),
            models.CheckConstraint(condition=Q(state="draft") | Q(due__gte=0), name="invoice_due_not_negative"),
            models.CheckConstraint(condition=Q(paid__gte=0, credited__gte=0), name="invoice_paid_not_negative"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(LessThanOrEqual(Round(F("paid") + F("credited"), 4), F("due"))),
                name="invoice_paid_and_credited_within_due",
            ),
            models.CheckConstraint(
                condition=(~Q(kind="progress") & Q(progress_percent=None))
                | Q(kind="progress", progress_percent__isnull=False, progress_percent__gt=0, progress_percent__lte=100),
                name="invoice_progress_has_its_percent",
            ),
            models.CheckConstraint(
                condition=Q(retention_percent=None, retention_until=None)
                | Q(
                    retention_percent__gt=0,
                    retention_percent__lt=100,
                    retention_until__isnull=False,
                    retention_percent__isnull=False,
                ),
                name="invoice_retention_has_its_day",
            ),
            models.CheckConstraint(
                condition=~Q(kind="proforma") | Q(state="draft"), name="invoice_proforma_is_never_issued"
            ),
            models.CheckConstraint(
                condition=~Q(kind="debit_note") | ~Q(reason=""), name="invoice_debit_note_has_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(kind="credit_note") | Q(paid=0, credited=0), name="invoice_credit_note_is_not_paid"
            ),
        ]
        indexes = [
            models.Index(fields=["-issue_date", "-id"], name="invoice_by_date"),
            models.Index(fields=["state", "-issue_date", "-id"], name="invoice_by_state"),
            models.Index(fields=["customer", "-issue_date", "-id"], name="invoice_by_customer"),
            models.Index(fields=["order", "id"], name="invoice_by_order"),
            models.Index(fields=["due_date", "id"], condition=Q(open__gt=0), name="invoice_open_by_due"),
        ]

    def __str__(self) -> str:
        word = _("Proforma") if self.kind == self.Kind.PROFORMA else _("Draft")
        return self.number or f"{word} {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("billing:invoice-detail", args=[self.reference])

    @property
    def reference(self) -> str:
        """The public key of its address: the number, or "draft-<id>" before there is one."""
        return self.number or f"draft-{self.pk}"

    def money(self, amount: Decimal) -> str:
        """An amount of this document for a sentence, with its currency's decimals."""
        return format(quantise(amount, self.currency), ",f")

    @property
    def cash_step(self) -> Decimal:
        """What of this document is to be paid in multiples of; 0 without cash rounding. Known from the issue on."""
        return Decimal(self.tax_profile.get("cash", {}).get(self.currency, 0))

    @property
    def is_draft(self) -> bool:
        """Whether it may still be changed."""
        return bool(self.state == self.State.DRAFT)

    @property
    def bills_order_lines(self) -> bool:
        """Whether it counts quantities of order lines as invoiced when it is issued."""
        return self.order_id is not None and self.kind in (self.Kind.STANDARD, self.Kind.PROGRESS, self.Kind.FINAL)

    @property
    def is_credit(self) -> bool:
        """Whether it gives money back."""
        return self.kind == self.Kind.CREDIT_NOTE

    @property
    def signed_due(self) -> Decimal:
        """What it adds to the customer's account: negative for a credit note."""
        due: Decimal = self.due
        return -due if self.is_credit else due

    @property
    def payment_state(self) -> str:
        """Derived, never stored: "", open, part_paid, paid."""
        if self.is_draft or self.is_credit:
            return ""
        if self.open == 0:
            return "paid" if self.paid > 0 or self.due == 0 else "credited"
        return "part_paid" if self.paid + self.credited > 0 else "open"

    @transition(
        field=state, source=State.DRAFT, target=State.ISSUED, permission="billing.issue_invoice",
        conditions=guarded(_not_proforma, _has_lines, _not_negative),
    )  # fmt: skip
    def issue(self) -> None:
        """From here on it never changes."""

    @transition(field=state, source=State.ISSUED, target=State.CANCELLED, permission="billing.credit_invoice")
    def cancel(self) -> None:
        """A credit note took all of it back."""


class InvoiceLine(models.Model):
    """One line of a document.

    `item` bills a quantity of an order line; `deposit` bills an instalment ahead; `deduction` takes such an instalment
    off again, as a negative line; `charge` bills what was agreed beside the order's lines, negative where it comes off. `adjustment` is a charge (negative: an allowance) on the line, in the currency.
    """

    class Kind(models.TextChoices):
        ITEM = "item", _("Item")
        DEPOSIT = "deposit", _("Instalment")
        DEDUCTION = "deduction", _("Deducted instalment")
        CHARGE = "charge", _("Charge or deduction")

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.ITEM)
    order_line = models.ForeignKey(
        "orders.OrderLine", models.PROTECT, null=True, blank=True, related_name="invoice_lines"
    )
    original = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="credits")
    deposit = models.ForeignKey(Invoice, models.PROTECT, null=True, blank=True, related_name="deductions")
    charge = models.ForeignKey(
        "billing.OrderCharge", models.PROTECT, null=True, blank=True, related_name="invoice_lines"
    )
    sku = models.CharField(_("article number"), max_length=60, blank=True)
    description = models.CharField(_("description"), max_length=500)
    details = models.CharField(_("specification"), max_length=500, blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    quantity = QuantityField(_("quantity"))
    unit_price = PriceField(_("unit price"))
    discount_percent = RateField(_("discount %"), default=ZERO)
    adjustment = AmountField(_("adjustment"), default=ZERO)
    adjustment_reason = models.CharField(max_length=100, blank=True)
    tax_category = models.CharField(_("tax category"), max_length=2)
    tax_rate = RateField(_("tax %"))
    net = AmountField(_("net"), default=ZERO)
    tax = AmountField(_("tax"), null=True, blank=True, help_text="Only where tax is rounded on every line.")

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_position_unique"),
            models.CheckConstraint(condition=~Q(quantity=0), name="invoice_line_quantity"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="invoice_line_price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.description}"


class InvoiceTax(models.Model):
    """Basis and tax of one category and rate of a document; of one authority where several share a sales tax."""

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="taxes")
    category = models.CharField(_("tax category"), max_length=2)
    rate = RateField(_("tax %"))
    basis = AmountField(_("basis"))
    tax = AmountField(_("tax"))
    authority = models.CharField(_("authority"), max_length=60, blank=True)
    exemption_reason = models.CharField(_("exemption reason"), max_length=300, blank=True)

    class Meta:
        ordering = ["category", "rate", "authority"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "category", "rate", "authority"], name="invoice_tax_once_per_rate"
            )
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.rate}"

    @property
    def printed_category(self) -> str:
        """EN 16931 knows no reduced category: a reduced rate is S with its percentage."""
        return "S" if self.category == "R" else self.category


class InvoiceReference(models.Model):
    """A document that another one refers to: the invoice a credit note corrects, the instalments a final one deducts."""

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="references")
    original = models.ForeignKey(Invoice, models.PROTECT, related_name="referred_by")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice", "original"], name="invoice_reference_once")]

    def __str__(self) -> str:
        return f"{self.invoice_id} -> {self.original_id}"


def buyer_lines(invoice: Invoice) -> list[str]:
    """The buyer's address as the document prints it, line by line."""
    data: dict[str, Any] = invoice.buyer
    return [line for line in [data.get("name", ""), *str(data.get("address", "")).splitlines()] if line]
