"""Finance's work lists over all orders: what is due to be invoiced, overdue, part-paid, to be settled; bulk verbs."""

from typing import Any

from django.db import models
from django.db.models import Exists, F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, Least, Round
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.actions import BILL_INSTALMENT, BILL_ORDER, INVOICE_ACTIONS, SETTLE
from billing.models import CollectionNote, Instalment, Invoice
from billing.services import discounts_to_grant, goods_credits, invoices_to_correct
from fulfilment.models import Rectification
from ordermgmt.company.services import business_today
from ordermgmt.lib.actions import ActionSet
from ordermgmt.lib.money import ZERO, AmountField, quantise
from ordermgmt.lib.tables import Column, ListView
from orders.models import Order


def deliveries_due(user: Any) -> models.QuerySet[Order]:
    """Orders that are shipped or accepted and not invoiced in full, without a draft and without a plan for the rest."""
    planned = Instalment.objects.planned().filter(plan__order=OuterRef("pk"))
    return (
        Order.objects.visible_to(user)
        .annotate(final=Round(F("gross_total") + F("charges_total"), 4))
        # What comes off is not invoiced; what was agreed on top is billed by a debit note once all lines are.
        .filter(
            state__in=[Order.State.SHIPPED, Order.State.ACCEPTED],
            invoiced_total__lt=Least(F("gross_total"), F("final")),
        )
        .filter(~Exists(planned), draft_invoices=0)
    )


def instalments_due(user: Any) -> models.QuerySet[Instalment]:
    """Planned instalments of visible orders for which the time has come."""
    return Instalment.objects.to_invoice(business_today()).filter(plan__order__in=Order.objects.visible_to(user))


def to_correct(user: Any) -> models.QuerySet[Invoice]:
    """Issued documents with a line whose price an approved change moved."""
    return invoices_to_correct(Invoice.objects.visible_to(user).select_related("order"))


def to_settle(user: Any) -> models.QuerySet[Order]:
    """Accepted orders of which all is invoiced, charges and deductions counted, and paid but what may stand apart."""
    kept = Instalment.objects.owed().filter(invoice__order=OuterRef("pk"), kind=Instalment.Kind.RETENTION).order_by()
    apart = kept.filter(invoice__order__clause__retention_apart=True).values("invoice__order")
    zero = models.Value(ZERO, output_field=AmountField())
    orders = Order.objects.visible_to(user).filter(state=Order.State.ACCEPTED, draft_invoices=0)
    return orders.annotate(
        # Rounded because SQLite counts in binary fractions.
        final=Round(F("gross_total") + F("charges_total"), 4),
        closed=Round(F("paid_total") + Coalesce(Subquery(apart.annotate(sum=Sum("open")).values("sum")), zero), 4),
    ).filter(invoiced_total=F("final"), closed=F("invoiced_total"))


#: The tabs above every work list: address and title.
TABS = (
    ("instalments", _("Instalments to invoice")), ("deliveries", _("Deliveries to invoice")),
    ("drafts", _("Drafts to issue")), ("corrections", _("To correct")), ("goods", _("Goods to credit")), ("overdue", _("Overdue")), ("part-paid", _("Part-paid")), ("discounts", _("Discounts earned")), ("disputed", _("Disputed")), ("settle", _("To settle")),
)  # fmt: skip


class WorkList(ListView):
    """One of the work lists, with the tabs to the others."""

    template = "billing/work_list.html"
    permission = "billing.view_invoice"
    default_sort = "due_date"
    tab = ""

    def context(self) -> dict[str, Any]:
        return {"tabs": [(f"/billing/work/{key}/", label, key == self.tab) for key, label in TABS]}


def _order_account(row: Any) -> str:
    return f"/billing/orders/{row.number}/"


class InstalmentsDue(WorkList):
    """Instalments whose date, milestone, delivery or acceptance has come."""

    key, tab, title = "work-instalments", "instalments", _("Instalments to invoice")
    actions = ActionSet(BILL_INSTALMENT)
    empty_text = _("No instalment is due to be invoiced.")
    columns = [
        Column("order", _("Order"), path="plan.order.number", link=lambda row: row.get_absolute_url()),
        Column("customer", _("Customer"), path="plan.order.customer_name"),
        Column("label", _("Label"), value=str),
        Column("trigger", _("To be invoiced")),
        Column("milestone", _("Milestone"), value=lambda row: row.milestone and str(row.milestone)),
        Column("due_date", _("Due date"), kind="date"),
        Column("amount", _("Amount"), kind="amount"),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        return instalments_due(self.request.user).select_related("plan__order", "milestone")


class DeliveriesDue(WorkList):
    """Orders of which something is delivered and nothing is planned for it."""

    key, tab, title = "work-deliveries", "deliveries", _("Deliveries to invoice")
    actions = ActionSet(BILL_ORDER)
    default_sort = "promised_date"
    empty_text = _("All that is delivered is invoiced.")
    columns = [
        Column("number", _("Order"), link=_order_account),
        Column("customer_name", _("Customer")),
        Column("state", _("State"), kind="badge"),
        Column("promised_date", _("Promised"), kind="date", nullable=True),
        Column("gross_total", _("Order total"), kind="amount"),
        Column("invoiced_total", _("Invoiced"), kind="amount"),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        return deliveries_due(self.request.user)


_DOCUMENT = [
    Column("number", _("Number"), value=str, link=lambda row: row.get_absolute_url()),
    Column("kind", _("Kind")),
    Column("customer_name", _("Customer")),
    Column("order", _("Order"), path="order.number", nullable=True),
    Column("due_date", _("Due date"), kind="date", nullable=True),
    Column("due", _("Amount"), kind="amount"),
]


class DraftsDue(WorkList):
    """Drafts, to be issued one by one or many at once."""

    key, tab, title = "work-drafts", "drafts", _("Drafts to issue")
    actions = INVOICE_ACTIONS
    default_sort = "id"
    empty_text = _("There is no draft.")
    columns = [*_DOCUMENT[:4], _DOCUMENT[5], Column("created_at", _("Drafted"), kind="datetime")]

    def queryset(self) -> models.QuerySet[Any]:
        return Invoice.objects.visible_to(self.request.user).drafts().select_related("order", "customer", "seller")


class Corrections(WorkList):
    """Issued documents whose order was changed since: to be credited and billed again."""

    key, tab, title = "work-corrections", "corrections", _("To correct")
    empty_text = _("Every issued document says what its order says.")
    columns = [
        *_DOCUMENT,
        Column(
            "difference",
            _("Net would move by"),
            kind="amount",
            value=lambda row: quantise(row.difference, row.currency),
        ),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        return to_correct(self.request.user)


def credits_due(user: Any) -> models.QuerySet[Rectification]:
    """Goods that came back or are kept for less, of which the customer waits for the credit."""
    rows = goods_credits(Rectification.objects.visible_to(user))
    return rows.select_related("order", "order_line", "return_line__goods_return", "credit_charge")


def credit_step(row: Rectification) -> str:
    """What finance does about it next."""
    charge = getattr(row, "credit_charge", None)
    if charge is None:
        return _t("Prepare the credit")
    return _t("Decide on the credit") if charge.state == charge.State.PROPOSED else _t("Issue the credit note")


class GoodsToCredit(WorkList):
    """Returned goods, and goods that customers keep for less, until their credit is on a document."""

    key, tab, title = "work-goods", "goods", _("Goods to credit")
    default_sort = "due"
    empty_text = _("No credit for goods is open.")
    columns = [
        Column("order", _("Order"), path="order.number", link=lambda row: row.order.get_absolute_url()),
        Column("customer", _("Customer"), path="order.customer_name", sortable=False),
        Column("line", _("What"), value=lambda row: f"{row.order_line.position} · {row.order_line.description}"),
        Column("quantity", _("Quantity"), kind="quantity", sortable=False),
        Column("back", _("Return"), value=lambda row: row.return_line and row.return_line.goods_return.number),
        Column("reason", _("Reason"), sortable=False),
        Column("due", _("Due"), kind="date", nullable=True),
        Column("step", _("Next step"), value=credit_step),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        return credits_due(self.request.user)

    def row_url(self, row: Rectification) -> str:
        return credit_address(row)


def credit_address(row: Rectification) -> str:
    """Where the next step is taken."""
    if getattr(row, "credit_charge", None) is None:
        return reverse("billing:goods-credit", args=[row.pk, "credit"])
    return reverse("billing:order-charges", args=[row.order.number])


class PartPaid(WorkList):
    """Documents paid in part."""

    key, tab, title = "work-part-paid", "part-paid", _("Part-paid")
    empty_text = _("No document is paid in part.")
    columns = [
        *_DOCUMENT,
        Column("paid", _("Paid"), kind="amount"),
        Column("open", pgettext_lazy("amount", "Open"), kind="amount"),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        return Invoice.objects.visible_to(self.request.user).part_paid().select_related("order")


def disputed(user: Any) -> models.QuerySet[Invoice]:
    """Open documents that a customer objects to."""
    disputes = CollectionNote.objects.disputes().filter(invoice=OuterRef("pk"))
    return Invoice.objects.visible_to(user).filter(Exists(disputes), open__gt=0)


class Disputed(WorkList):
    """Documents that customers object to, each with what they say."""

    key, tab, title = "work-disputed", "disputed", _("Disputed")
    empty_text = _("Nothing is disputed.")
    columns = [
        *_DOCUMENT,
        Column("open", pgettext_lazy("amount", "Open"), kind="amount"),
        Column("said", _("What was said"), value=lambda row: row.said),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        said = CollectionNote.objects.disputes().filter(invoice=OuterRef("pk")).values("text")[:1]
        return disputed(self.request.user).select_related("order").annotate(said=Subquery(said))


class DiscountsEarned(WorkList):
    """Documents paid in time for their discount, of which the rest waits to be credited."""

    key, tab, title = "work-discounts", "discounts", _("Discounts earned")
    actions = INVOICE_ACTIONS
    empty_text = _("No discount waits to be granted.")
    columns = [
        *_DOCUMENT,
        Column("until", _("To be paid by"), path="early.until", kind="date"),
        Column("paid", _("Paid"), kind="amount"),
        Column("open", pgettext_lazy("amount", "Open"), kind="amount"),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        return discounts_to_grant(Invoice.objects.visible_to(self.request.user)).select_related("order", "early")


class Overdue(WorkList):
    """Instalments that were due before today."""

    key, tab, title = "work-overdue", "overdue", _("Overdue")
    empty_text = _("Nothing is overdue.")
    columns = [
        Column("invoice", _("Invoice"), path="invoice.number", link=lambda row: row.invoice.get_absolute_url()),
        Column("customer", _("Customer"), path="invoice.customer_name"),
        Column("label", _("Label")),
        Column("due_date", _("Due date"), kind="date"),
        Column("days", _("Days late"), kind="count", value=lambda row: row.days_overdue(business_today())),
        Column("amount", _("Amount"), kind="amount"),
        Column("open", pgettext_lazy("amount", "Open"), kind="amount"),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        rows = Instalment.objects.visible_to(self.request.user).overdue(business_today())
        return rows.select_related("invoice")


class ToSettle(WorkList):
    """Accepted orders of which all is invoiced and paid."""

    key, tab, title = "work-settle", "settle", _("To settle")
    actions = ActionSet(SETTLE)
    default_sort = "id"
    empty_text = _("No order waits to be settled.")
    columns = [
        Column("number", _("Order"), link=lambda row: f"/billing/orders/{row.number}/settlement/"),
        Column("customer_name", _("Customer")),
        Column("order_date", _("Order date"), kind="date"),
        Column("gross_total", _("Order total"), kind="amount"),
        Column("paid_total", _("Paid"), kind="amount"),
    ]

    def queryset(self) -> models.QuerySet[Any]:
        return to_settle(self.request.user)
