"""Drafts: `draft_invoice`, `edit_draft`, `delete_draft`. A draft has no number and may be thrown away."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import (
    DocumentAdjustment,
    Instalment,
    InstalmentPlan,
    Invoice,
    InvoiceLine,
    InvoiceReference,
    InvoiceTax,
)
from ordermgmt.activity.services import record
from ordermgmt.lib.money import HUNDRED, ZERO
from orders.models import Order, OrderLine
from orders.services import note_drafts

from .base import content_of, lock_invoice, lock_orders, refuse, require, root_of
from .ceiling import check_drafts
from .composing import Composition, compose_deposit, compose_standard, order_lines_of, progress_quantities
from .early_terms import Early, offer_early, set_early

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_BILLABLE = {
    Order.State.PLACED, Order.State.IN_PRODUCTION, Order.State.SHIPPED, Order.State.RECTIFICATION, Order.State.ACCEPTED,
}  # fmt: skip
_TOTALS = (
    "line_total", "allowances", "charges", "tax_basis", "tax_total", "grand_total", "prepaid", "rounding", "due",
)  # fmt: skip


#: What a draft may say of the period of its supply, its tax point, and the papers of the customer.
REFERENCES = ("delivery_from", "tax_point", "contract_reference", "buyer_reference")
#: What of a line counts for a basis.
_DONE: dict[str, Callable[[OrderLine], Decimal]] = {
    "shipped": lambda line: line.qty_shipped - line.qty_returned,
    "accepted": lambda line: line.qty_accepted,
}


def open_quantities(order: Order, basis: str = "open") -> dict[int, Decimal]:
    """What can be invoiced per order line (by key): all that is not invoiced, or of it what is shipped or accepted.

    Quantities in other drafts are left out.
    """
    in_drafts: dict[int | None, Decimal] = {}
    drafts = InvoiceLine.objects.filter(invoice__order=order, invoice__state=Invoice.State.DRAFT)
    drafts = drafts.exclude(invoice__kind=Invoice.Kind.PROFORMA)
    for key, quantity in drafts.filter(order_line__isnull=False).values_list("order_line_id", "quantity"):
        in_drafts[key] = in_drafts.get(key, ZERO) + quantity
    found = {}
    for line in order_lines_of(order):
        left = line.qty_to_invoice - in_drafts.get(line.pk, ZERO)
        if basis in _DONE:
            billed = line.qty_invoiced - line.qty_credited + in_drafts.get(line.pk, ZERO)
            left = min(left, _DONE[basis](line) - billed)
        if left > 0:
            found[line.pk] = left
    return found


@transaction.atomic
def draft_invoice(
    order: Order,
    *,
    actor: "User",
    basis: str = "open",
    quantities: Mapping[int, Decimal] | None = None,
    instalment: Instalment | None = None,
    percent: Decimal | None = None,
    proforma: bool = False,
    **header: Any,
) -> Invoice:
    """A draft for an order: all that is not invoiced (`basis` "open"), what is "shipped" or "accepted", chosen
    `quantities` by order line key, an `instalment` of its plan, or progress up to `percent` of every line.

    What bills the rest after instalment or progress invoices is the final invoice: the instalments come off it line by
    line with their tax. A `proforma` bills nothing: it never gets a number, counts nowhere and holds no quantity.
    An instalment that is not the last one becomes a document of its own over that amount; the last one bills the
    order's lines and takes the earlier ones off. `header` may give delivery_date, payment_days, note, language.
    Raises TransitionRefused where there is nothing to bill, PermissionDenied without the right.
    """
    require(actor, "billing.draft_invoice")
    order = lock_orders([order.pk])[order.pk]
    if order.state not in _BILLABLE:
        raise refuse(_("An order in this state is not invoiced."), order.get_absolute_url(), _("Open the order"))
    if instalment is not None:
        instalment = Instalment.objects.select_for_update(no_key=True, of=("self",)).get(
            pk=instalment.pk, plan__order=order
        )
    composition = _compose(order, basis, quantities, instalment, percent)
    kind = Invoice.Kind.PROFORMA if proforma else kind_of(order, composition, percent)
    invoice = Invoice(
        kind=kind, progress_percent=percent if kind == Invoice.Kind.PROGRESS else None,
        seller=order.seller, customer=order.customer, order=order, currency=order.currency,
        customer_name=order.customer_name, created_by=actor,
        **({"language": order.language, "payment_days": order.payment_days, **_named_before(order)} | header),
    )  # fmt: skip
    write(invoice, composition)
    if not proforma:
        check_drafts(order, invoice)
    offer_early(invoice)
    if instalment is not None and not proforma:
        instalment.invoice = invoice
        instalment.save(update_fields=["invoice"])
    count_drafts(order, actor)
    record(
        events.PROFORMA_MADE if proforma else events.INVOICE_DRAFTED, invoice, root=order, actor=actor, after=content_of(invoice),
        amount=invoice.money(invoice.due), currency=invoice.currency,
    )  # fmt: skip
    return invoice


def _named_before(order: Order) -> dict[str, str]:
    """The references to contract and buyer that the last document of the order carried."""
    rows = Invoice.objects.filter(order=order).exclude(kind=Invoice.Kind.OPENING).order_by("-pk")
    names = ("contract_reference", "buyer_reference")
    return dict(zip(names, rows.values_list(*names).first() or (), strict=False))


def bills_lines(composition: Composition) -> bool:
    return any(line.kind == InvoiceLine.Kind.ITEM for line in composition.lines)


def kind_of(order: Order, composition: Composition, percent: Decimal | None) -> str:
    """What kind of document bills this: progress, instalment, the final one after either, or a plain invoice."""
    if not bills_lines(composition):
        return Invoice.Kind.DEPOSIT
    if composition.completes:
        earlier = Invoice.objects.filter(order=order, state=Invoice.State.ISSUED)
        in_parts = earlier.filter(kind__in=[Invoice.Kind.DEPOSIT, Invoice.Kind.PROGRESS]).exists()
        return Invoice.Kind.FINAL if in_parts else Invoice.Kind.STANDARD
    return Invoice.Kind.STANDARD if percent is None else Invoice.Kind.PROGRESS


def _compose(
    order: Order,
    basis: str,
    quantities: Mapping[int, Decimal] | None,
    instalment: Instalment | None,
    percent: Decimal | None,
) -> Composition:
    link = f"/billing/orders/{order.number}/"
    if instalment is not None:
        if instalment.invoice_id:
            raise refuse(_("This instalment is on an invoice already."), link, _("Open the invoices"))
        planned = list(Instalment.objects.filter(plan=instalment.plan))
        if any(
            one.invoice_id is None and one.pk != instalment.pk and not _kept_back(one, instalment) for one in planned
        ):
            return compose_deposit(order, instalment, len(planned))
    if percent is not None:
        return compose_progress(order, percent)
    chosen = open_quantities(order, basis) if quantities is None else check_quantities(order, quantities)
    if not chosen:
        raise refuse(_("There is nothing left to invoice."), link, _("Open the invoices"))
    return compose_standard(order, chosen)


def _kept_back(one: Instalment, billed: Instalment) -> bool:
    """Whether an instalment stands, as a retention, on the document that bills another one: all is billed by then."""
    defects = Instalment.Trigger.DEFECTS
    return one.trigger == defects and billed.trigger in (Instalment.Trigger.ACCEPTANCE, defects)


def compose_progress(order: Order, percent: Decimal) -> Composition:
    if not ZERO < percent <= HUNDRED:
        raise ValidationError({"percent": _("Progress is above 0 and at most 100 percent.")})
    chosen = progress_quantities(order, percent)
    if not chosen:
        raise refuse(
            _("%(percent)s %% of every line is invoiced already.") % {"percent": f"{percent.normalize():f}"},
            f"/billing/orders/{order.number}/", _("Open the invoices"),
        )  # fmt: skip
    return compose_standard(order, chosen, percent)


def check_quantities(order: Order, quantities: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """Positive quantities that the order still has to bill. Raises TransitionRefused naming the line."""
    chosen = {}
    for line in order_lines_of(order):
        quantity = quantities.get(line.pk, ZERO)
        if quantity < 0 or quantity > line.qty_to_invoice:
            raise refuse(
                _("Line %(position)s: %(quantity)s can be invoiced.")
                % {"position": line.position, "quantity": f"{line.qty_to_invoice.normalize():f}"},
                f"/billing/orders/{order.number}/",
                _("Open the invoices"),
            )
        if quantity > 0:
            chosen[line.pk] = quantity
    return chosen


def write(invoice: Invoice, composition: Composition) -> None:
    """Saves a draft with its lines, taxes and references; what it had before is replaced."""
    for name in _TOTALS:
        setattr(invoice, name, getattr(composition.totals, name))
    invoice.completes = composition.completes
    if invoice.pk:
        invoice.lines.all().delete()
        invoice.taxes.all().delete()
        invoice.references.all().delete()
        invoice.adjustments.all().delete()
    invoice.save()
    for line in composition.lines:
        line.invoice = invoice
    InvoiceLine.objects.bulk_create(composition.lines)
    InvoiceTax.objects.bulk_create(
        InvoiceTax(
            invoice=invoice,
            category=group.category,
            rate=group.rate,
            basis=group.basis,
            tax=group.tax,
            authority=group.authority,
        )
        for group in composition.totals.taxes
    )
    for adjustment in composition.adjustments:
        adjustment.invoice = invoice
    DocumentAdjustment.objects.bulk_create(composition.adjustments)
    InvoiceReference.objects.bulk_create(
        InvoiceReference(invoice=invoice, original=original) for original in composition.deposits
    )


def count_drafts(order: Order | None, actor: "User", *, without: Invoice | None = None) -> None:
    """Hands the number of drafts down to the order; one that is about to be issued does not count."""
    if order is not None:
        count = Invoice.objects.drafts().filter(order=order).exclude(pk=without.pk if without else 0).count()
        note_drafts(order, draft_invoices=count, actor=actor)


@transaction.atomic
def edit_draft(
    invoice: Invoice,
    *,
    version: int,
    actor: "User",
    quantities: Mapping[int, Decimal] | None = None,
    delivery_date: dt.date | None = None,
    payment_days: int | None = None,
    language: str = "",
    note: str | None = None,
    percent: Decimal | None = None,
    retention: tuple[Decimal | None, dt.date | None] | None = None,
    early: Early | None = None,
    references: Mapping[str, Any] | None = None,
) -> Invoice:
    """Changes a draft; its money is composed anew from the order. `quantities` are by order line key (None: as before),
    of a progress invoice it is the `percent` that may change. `retention` is what is kept back and until when,
    `early` what comes off who pays early, `references` any of REFERENCES.

    Raises StaleVersion for another version, TransitionRefused once it is issued.
    """
    require(actor, "billing.draft_invoice")
    invoice, order = lock_invoice(invoice, version=version)
    _refuse_issued(invoice)
    before = content_of(invoice)
    given = {"delivery_date": delivery_date, "payment_days": payment_days, "language": language or None, "note": note}
    for name, value in given.items():
        if value is not None:
            setattr(invoice, name, value)
    _refer(invoice, references or {})
    if retention is not None:
        invoice.retention_percent, invoice.retention_until = retention
    if early is not None:
        set_early(invoice, *early)
    invoice.version += 1
    if order is not None and _is_composed(invoice):
        composition = _compose_again(invoice, order, quantities, percent)
        if not bills_lines(composition):
            raise refuse(_("A draft needs a line: delete it instead."), invoice.get_absolute_url(), _("Open the draft"))
        write(invoice, composition)
    else:
        invoice.save()
    record(events.DRAFT_EDITED, invoice, root=root_of(invoice), actor=actor, before=before, after=content_of(invoice))
    return invoice


def _refer(invoice: Invoice, references: Mapping[str, Any]) -> None:
    """Raises TypeError for what is none of REFERENCES, ValidationError for a period that ends before it begins."""
    if unknown := set(references) - set(REFERENCES):
        raise TypeError(f"not a reference of a document: {sorted(unknown)}")
    for name, value in references.items():
        setattr(invoice, name, value)
    if invoice.delivery_from and (invoice.delivery_date is None or invoice.delivery_date < invoice.delivery_from):
        raise ValidationError({"delivery_date": _("Give the last day of the period, not before its first.")})


def _is_composed(invoice: Invoice) -> bool:
    proforma = invoice.kind == Invoice.Kind.PROFORMA and invoice.lines.filter(kind=InvoiceLine.Kind.ITEM).exists()
    return invoice.bills_order_lines or proforma


def _compose_again(
    invoice: Invoice, order: Order, quantities: Mapping[int, Decimal] | None, percent: Decimal | None
) -> Composition:
    if invoice.progress_percent is not None:
        invoice.progress_percent = percent or invoice.progress_percent
        return compose_progress(order, invoice.progress_percent)
    chosen = quantities_of(invoice) if quantities is None else dict(quantities)
    composition = compose_standard(order, check_quantities(order, chosen))
    if invoice.kind != Invoice.Kind.PROFORMA and bills_lines(composition):
        invoice.kind = kind_of(order, composition, None)
    return composition


def quantities_of(invoice: Invoice) -> dict[int, Decimal]:
    """What a document bills per order line (by key)."""
    rows = invoice.lines.filter(kind=InvoiceLine.Kind.ITEM, order_line__isnull=False)
    return {key: quantity for key, quantity in rows.values_list("order_line_id", "quantity") if key is not None}


def _refuse_issued(invoice: Invoice) -> None:
    if not invoice.is_draft:
        raise refuse(
            _("%(number)s is issued and never changes: issue a credit note.") % {"number": invoice.number},
            invoice.get_absolute_url(),
            _("Open the invoice"),
        )


@transaction.atomic
def delete_draft(invoice: Invoice, *, actor: "User") -> None:
    """Throws a draft away; no number is lost (P06). Raises TransitionRefused once it is issued."""
    require(actor, "billing.draft_invoice")
    invoice, order = lock_invoice(invoice)
    _refuse_issued(invoice)
    if invoice.mails.exists():
        raise refuse(_("It was sent by mail: it stays."), invoice.get_absolute_url(), _("Open the draft"))
    record(
        events.DRAFT_DELETED, invoice, root=root_of(invoice), actor=actor, before=content_of(invoice),
        amount=invoice.money(invoice.due), currency=invoice.currency,
    )  # fmt: skip
    free_instalments(invoice)
    invoice.delete()
    count_drafts(order, actor)


def free_instalments(invoice: Invoice) -> None:
    """The instalments of a draft are planned again: in the plan that is in force by now, which left them out."""
    plan = InstalmentPlan.objects.filter(order=invoice.order_id, is_active=True).first()
    invoice.instalments.update(invoice=None, **({"plan": plan} if plan is not None else {}))
