"""The discount of who pays early: `set_early` on a draft, `grant_early_discount` once the money came in time."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing import events
from billing.models import Allocation, EarlyDiscount, Instalment, Invoice, InvoiceLine, OrderCharge, Payment
from customers.models import EarlyMode
from ordermgmt.accounts.services import system_user
from ordermgmt.activity.services import record
from ordermgmt.company.services import rules_kept
from ordermgmt.lib.calculation import split_by_weight
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.money import HUNDRED, ZERO, quantise, total
from orders.models import Order
from orders.services import note_charges

from .allocating import lock_instalments
from .base import UNTAXED, content_of, lock_orders, refuse, refuse_settled, require
from .charge_billing import credit_order
from .composing import Composition, document_totals, fill
from .crediting import credit_by, issuer_blocked
from .early_terms import early_of
from .handwriting import draft_by_hand

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: Tax category, rate, net and tax of one part of a discount.
Part = tuple[str, Decimal, Decimal, Decimal]


def discounts_to_grant(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Documents on which money was laid that came in by the day, with no more open than the discount may be."""
    in_time = Allocation.objects.filter(payment__received_on__lte=F("instalment__invoice__early__until"))
    keys = in_time.filter(instalment__invoice__open__gt=0).values("instalment__invoice")
    return invoices.filter(
        pk__in=keys, state=Invoice.State.ISSUED, open__lte=F("due") * F("early__percent") / HUNDRED + 1
    )


def earned(invoice: Invoice) -> Decimal:
    """What the discount leaves to be credited now, 0 unless all the rest came in by its day."""
    early = early_of(invoice)
    if early is None or early.until is None or invoice.state != Invoice.State.ISSUED or invoice.open <= ZERO:
        return ZERO
    if _granted(invoice):
        return ZERO
    shares = Allocation.objects.filter(instalment__invoice=invoice, payment__received_on__lte=early.until)
    shares = shares.exclude(payment__method=Payment.Method.WRITE_OFF)
    in_time = quantise(shares.aggregate(sum=Sum("amount"))["sum"] or ZERO, invoice.currency)
    due, off = _left(invoice, early)
    return invoice.open if in_time >= due - off and invoice.open <= off else ZERO


def _left(invoice: Invoice, early: EarlyDiscount) -> tuple[Decimal, Decimal]:
    """What is due after credit notes, and what comes off that."""
    laid = Allocation.objects.filter(instalment__invoice=invoice, credit_note__isnull=False).order_by()
    rows = laid.values_list("credit_note__tax_basis", "credit_note__due").annotate(sum=Sum("amount"))
    basis = total(quantise(net * amount / due, invoice.currency) for net, due, amount in rows if due)
    due = invoice.due - invoice.credited
    net = invoice.tax_basis - basis
    return due, early.off(due, net, invoice.tax_basis + invoice.tax_total - invoice.credited - net)


def _source(invoice: Invoice) -> str:
    return f"early:{invoice.pk}"


def _granted(invoice: Invoice) -> bool:
    """Whether the discount was credited once."""
    agreed = OrderCharge.objects.filter(key__startswith=f"{_source(invoice)}:").exists()
    return agreed or Invoice.objects.filter(source_key=_source(invoice)).exists()


def take_back_discounts(payment: Payment, invoices: Iterable[Invoice]) -> None:
    """A payment was cancelled: what was granted on documents that are open again is proposed to be asked for.

    Of an order as a charge, which somebody accepts or waives; else as a draft of a debit note. All are under lock.
    """
    for invoice in invoices:
        invoice.refresh_from_db(fields=["open", "paid"])
        if invoice.open <= ZERO:
            continue
        with translation.override(invoice.language):  # it is printed
            reason = _("Early-payment discount on %(number)s taken back: payment %(payment)s was cancelled") % {
                "number": invoice.number, "payment": payment.number,
            }  # fmt: skip
        for charge in OrderCharge.objects.agreed().filter(key__regex=rf"^{_source(invoice)}:[0-9]+$").order_by("pk"):
            _ask_back(charge, reason)
        credit = Invoice.objects.filter(source_key=_source(invoice)).first()
        if credit is not None:
            _draft_back(invoice, credit, reason)


def _ask_back(charge: OrderCharge, reason: str) -> None:
    back, made = OrderCharge.objects.get_or_create(
        key=f"{charge.key}:back",
        defaults={
            "order": charge.order, "kind": OrderCharge.Kind.CHARGE, "description": reason[:200], "net": charge.net,
            "tax": charge.tax, "tax_category": charge.tax_category, "tax_rate": charge.tax_rate, "reason": reason[:300],
            "evidence": charge.evidence, "asked_by": system_user(),
        },
    )  # fmt: skip
    if made:
        record(
            events.CHARGE_PROPOSED, back, root=back.order, actor=system_user(), what=back.description,
            amount=back.order.money(back.signed_net), currency=back.order.currency,
        )  # fmt: skip


def _draft_back(invoice: Invoice, credit: Invoice, reason: str) -> None:
    lines = [
        {
            "description": reason, "unit": "pcs", "quantity": line.quantity, "unit_price": line.unit_price,
            "tax_category": line.tax_category, "tax_rate": line.tax_rate,
        }
        for line in credit.lines.all()
    ]  # fmt: skip
    draft_by_hand(
        invoice.customer, lines, actor=system_user(), currency=invoice.currency, kind=Invoice.Kind.DEBIT_NOTE,
        original=invoice, reason=reason[:300], rounding=credit.rounding, source_key=f"{_source(invoice)}:back",
        language=invoice.language,
    )  # fmt: skip


@transaction.atomic
def grant_early_discount(invoice: Invoice, *, actor: "User") -> Invoice:
    """Issues the credit note over what the discount leaves open of a document that was paid in time, with its tax.

    Of an order the discount becomes an accepted deduction too, so that its final account says what its documents say.
    Raises TransitionRefused for who issued the document, where it was not paid in time and a second time;
    PermissionDenied without the right.
    """
    require(actor, "billing.credit_invoice")
    rows = lock_instalments(invoice.instalments.values_list("pk", flat=True))
    invoice = Invoice.objects.locked(invoice.pk)
    refuse_settled([invoice.order])
    page = invoice.get_absolute_url()
    if found := issuer_blocked(invoice, actor):
        raise TransitionRefused(found)
    amount, early = earned(invoice), early_of(invoice)
    if not amount or early is None or early.until is None:
        text = _("No discount is to be granted: it offers none, was not paid by its day, or is settled.")
        raise refuse(text, page, _("Open the invoice"))
    with translation.override(invoice.language):  # it is printed
        reason = _("Early-payment discount %(percent)s %% on %(number)s, paid by %(day)s") % {
            "percent": f"{early.percent.normalize():f}", "number": invoice.number,
            "day": date_format(early.until, "SHORT_DATE_FORMAT"),
        }  # fmt: skip
    parts = _parts(invoice, early, amount)
    if invoice.order_id is None:
        return _credit(invoice, parts, reason, rows, actor)
    order = lock_orders([invoice.order_id])[invoice.order_id]
    charges = [_agree(order, invoice, part, place, reason, actor) for place, part in enumerate(parts, start=1)]
    sums = [one.signed_gross for one in OrderCharge.objects.agreed().filter(order=order).select_related("order")]
    note_charges(order, charges_total=total(sums), actor=actor)
    return credit_order(order, [(one, one.signed_net) for one in charges], [invoice], rows, actor)


def _parts(invoice: Invoice, early: EarlyDiscount, amount: Decimal) -> list[Part]:
    """The discount split over the document's tax rates; of the net alone it takes no tax along."""
    if early.mode == EarlyMode.EXCLUDED:
        return [(UNTAXED, ZERO, amount, ZERO)]
    taxes = _by_rate(invoice)
    weights = [basis + tax for *_key, basis, tax in taxes]
    shares = split_by_weight(amount, weights, invoice.currency, invoice.cash_step)
    found = []
    for (category, rate, _basis, _tax), share in zip(taxes, shares, strict=True):
        net = quantise(share * HUNDRED / (HUNDRED + rate), invoice.currency)
        if net:
            found.append((category, rate, net, share - net))
    return found


def _by_rate(invoice: Invoice) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    """Category, rate, basis and tax of a document; authorities that share one rate are one."""
    found: dict[tuple[str, Decimal], tuple[Decimal, Decimal]] = {}
    shares = {
        part: key for key, parts in rules_kept(invoice.tax_profile).components.items() for part in parts
    }  # fmt: skip
    for tax in invoice.taxes.all():
        key = (
            shares.get((tax.authority, tax.rate), (tax.category, tax.rate))
            if tax.authority
            else (tax.category, tax.rate)
        )
        basis, sum_of = found.get(key, (ZERO, ZERO))
        found[key] = (max(basis, tax.basis), sum_of + tax.tax)
    return [(*key, *sums) for key, sums in found.items()]


def _agree(order: Order, invoice: Invoice, part: Part, place: int, reason: str, actor: "User") -> OrderCharge:
    """The deduction of an order: the document's terms propose it, who grants the discount accepts it."""
    category, rate, net, tax = part
    charge = OrderCharge(
        order=order, kind=OrderCharge.Kind.DISCOUNT, description=reason[:200], net=net, tax=tax, tax_category=category,
        tax_rate=rate, reason=reason, evidence=str(invoice.number), key=f"early:{invoice.pk}:{place}",
        asked_by=system_user(),
    )  # fmt: skip
    charge.save()
    charge.accept()
    charge.decided_by, charge.decided_at, charge.decision = actor, timezone.now(), _("By the terms of the invoice.")
    charge.save()
    record(
        events.CHARGE_ACCEPTED, charge, root=order, actor=actor, what=charge.description,
        amount=order.money(charge.signed_net), currency=order.currency, reason=charge.decision,
    )  # fmt: skip
    return charge


def _credit(invoice: Invoice, parts: list[Part], reason: str, rows: dict[int, Instalment], actor: "User") -> Invoice:
    """The credit note of a document that bills no order."""
    rules = rules_kept(invoice.tax_profile)
    lines = [
        InvoiceLine(position=place, quantity=Decimal(1), unit_price=rules.priced(net, rate, invoice.currency), description=reason, tax_category=category, tax_rate=rate)
        for place, (category, rate, net, _tax) in enumerate(parts, start=1)
    ]  # fmt: skip
    wanted = total(net + tax for _c, _r, net, tax in parts)
    totals = document_totals(lines, invoice.currency, rules)
    if totals.due != wanted:
        totals = document_totals(lines, invoice.currency, rules, wanted - totals.due)
    credit = credit_by(
        invoice, fill(Composition(lines, totals)), rows, reason=reason, actor=actor, source_key=_source(invoice)
    )
    record(
        events.INVOICE_CREDITED, credit, after=content_of(credit), root=invoice.customer, actor=actor,
        number=credit.number, reason=reason, original=invoice.number, amount=credit.money(credit.due),
        currency=credit.currency,
    )  # fmt: skip
    return credit
