"""Documents as people see them: one context feeds the page's preview and the PDF alike."""

import datetime as dt
import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils import translation
from segno import helpers
from stdnum import iban

from billing.models import Invoice, Reminder, Settlement, buyer_lines
from billing.services import (
    BUCKETS,
    aged_receivables,
    balances_at,
    buyer_prints,
    early_of,
    einvoice_xml,
    journal,
    open_at,
    profile_data,
    reminder_levels,
    reminder_text,
    rules_now,
    seller_prints,
    wants_einvoice,
)
from customers.models import Customer
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.capitals import rmb_capitals
from ordermgmt.lib.einvoice import embed
from ordermgmt.lib.money import ZERO
from ordermgmt.lib.pdf import render_pdf

_MOST_BY_CODE = Decimal("999999999.99")
#: Template and stylesheet by the layout of the tax profile; the language is the document's own.
_LAYOUTS = {
    "": ("billing/pdf/invoice.html", "pdf/document.css"),
    "china": ("billing/pdf/invoice_china.html", "pdf/china.css"),
}


def document_context(invoice: Invoice) -> dict[str, Any]:
    """All that a document prints. An issued one is shown from what it keeps, a draft as it would be issued now."""
    profile = invoice.tax_profile
    seller = invoice.seller_data
    if invoice.is_draft and not invoice.tax_profile:
        source = invoice.order.tax_profile if invoice.order else invoice.seller.tax_profile
        profile, seller = profile_data(source, rules_now(invoice)), seller_prints(invoice.seller)
        invoice.buyer = buyer_prints(invoice)
    # China's correction is the same document with a minus sign, in red; before the style was kept, its country told.
    style = profile.get("credit_style", "red" if profile.get("country") == "CN" else "")
    sign = -1 if invoice.is_credit and style == "red" else 1
    lines = [
        {"line": line, "quantity": sign * line.quantity, "net": sign * line.net,
         "tax": None if line.tax is None else sign * line.tax}
        for line in invoice.lines.all()
    ]  # fmt: skip
    taxes = [
        {"rate": tax.rate, "basis": sign * tax.basis, "tax": sign * tax.tax, "reason": tax.exemption_reason,
         "authority": tax.authority}
        for tax in invoice.taxes.all()
    ]  # fmt: skip
    due = sign * invoice.due
    return {
        "invoice": invoice,
        "seller": seller,
        "buyer_lines": buyer_lines(invoice),
        "lines": lines,
        "taxes": taxes,
        "exemptions": [tax["reason"] for tax in taxes if tax["reason"]],
        "originals": [reference.original for reference in invoice.references.select_related("original")],
        "early": early_of(invoice),
        "instalments": list(invoice.instalments.order_by("due_date", "pk")),
        "adjustments": [(one.reason, sign * one.signed) for one in invoice.adjustments.all()],
        "line_total": sign * invoice.line_total,
        "prepaid": -sign * invoice.prepaid,
        "net": sign * invoice.tax_basis,
        "tax": sign * invoice.tax_total,
        "rounding": sign * invoice.rounding,
        "due": due,
        "red": sign == -1,
        "gross_prices": profile.get("price_mode") == "gross",
        "per_line_tax": any(line["tax"] is not None for line in lines),
        "capitals": rmb_capitals(due) if profile.get("capital_numerals") and invoice.currency == "CNY" else "",
        "wording": profile.get("wording", ""),
        "layout": profile.get("layout", ""),
        "country": profile.get("country", ""),
    }


def invoice_pdf(invoice: Invoice) -> bytes:
    """The document as PDF, in the customer's language; with the electronic invoice where its profile asks for one. Raises PdfUnavailable where the machine can't make any."""
    images = {}
    if invoice.seller.logo:
        images["logo"] = (bytes(invoice.seller.logo), invoice.seller.logo_type)
    with translation.override(invoice.language):
        context = document_context(invoice) | {"logo": "logo" in images}
    if code := payment_code(invoice, context["seller"], len(context["instalments"])):
        images["pay"] = (code, "image/png")
    context["pay_code"] = "pay" in images
    template, stylesheet = _LAYOUTS[context["layout"]]
    plain = invoice.is_draft or not wants_einvoice(invoice)
    made = render_pdf(
        template, context, language=invoice.language, images=images, stylesheet=stylesheet,
        variant=None if plain else "pdf/a-3b",
    )  # fmt: skip
    return made if plain else embed(made, einvoice_xml(invoice), language=invoice.language)


def payment_code(invoice: Invoice, seller: Mapping[str, Any], instalments: int) -> bytes | None:
    """The code (EPC069-12) that a banking app reads to pay the document at once, as PNG.

    None where there is nothing to transfer in euro by one payment, or no account that takes it.
    """
    account = str(seller.get("iban", ""))
    asks = not invoice.is_credit and invoice.kind != Invoice.Kind.PROFORMA and ZERO < invoice.due <= _MOST_BY_CODE
    if not asks or invoice.currency != "EUR" or instalments > 1 or not invoice.number or not iban.is_valid(account):
        return None
    made = io.BytesIO()
    code = helpers.make_epc_qr(
        name=str(seller["name"])[:70], iban=iban.compact(account), amount=invoice.due, text=invoice.number
    )
    code.save(made, kind="png", scale=4, border=1)
    return made.getvalue()


def statement_context(customer: Customer, start: dt.date, end: dt.date) -> dict[str, Any]:
    """A customer's account from `start` to `end`, per currency: carried forward, movements, balance, open items, age."""
    only = Customer.objects.filter(pk=customer.pk)
    before = balances_at(start - dt.timedelta(days=1), only) if start > dt.date.min else {}
    entries, items = journal(only, start=start, end=end), open_at(end, only)
    aged = {row.currency: row for row in aged_receivables(end, only)}
    currencies = sorted({currency for _pk, currency in before} | {one.currency for one in entries} | aged.keys())
    accounts = []
    for currency in currencies or [customer.currency]:
        balance = before.get((customer.pk, currency), ZERO)
        rows = []
        for one in entries:
            if one.currency == currency:
                balance += one.amount
                rows.append({"entry": one, "balance": balance})
        accounts.append({
            "currency": currency, "forward": before.get((customer.pk, currency), ZERO), "rows": rows, "balance": balance,
            "items": [one for one in items if one.currency == currency],
            "credit": aged[currency].credit if currency in aged else ZERO,
            "ageing": aged[currency].shown if currency in aged else [ZERO] * len(BUCKETS),
        })  # fmt: skip
    return {"customer": customer, "start": start, "end": end, "accounts": accounts}


def statement_pdf(customer: Customer, start: dt.date, end: dt.date) -> bytes:
    """The statement in the customer's language. Raises PdfUnavailable where the machine can't make any."""
    seller = default_seller()
    images = {"logo": (bytes(seller.logo), seller.logo_type)} if seller.logo else {}
    with translation.override(customer.language):
        context = statement_context(customer, start, end)
    context |= {"seller": seller_prints(seller), "logo": bool(images), "made_on": business_today()}
    return render_pdf("billing/pdf/statement.html", context, language=customer.language, images=images)


def reminder_context(reminder: Reminder) -> dict[str, Any]:
    """All that a reminder prints; a proposal as it would go out now."""
    items = list(reminder.items.select_related("instalment__invoice"))
    language, day = reminder.language, reminder.decided_on or business_today()
    subject, body, deadline = reminder.subject, reminder.body, reminder.deadline
    if reminder.state == Reminder.State.PROPOSED:
        levels = reminder_levels()
        level = next((one for one in levels if one.number == reminder.level), levels[-1])
        language = reminder.customer.language
        subject, body = reminder_text(level, language)
        deadline = day + dt.timedelta(days=level.deadline_days)
    rows = [{"item": one, "invoice": one.instalment.invoice, "days": (day - one.due_date).days} for one in items]
    return {
        "reminder": reminder, "customer": reminder.customer, "rows": rows, "subject": subject, "body": body,
        "deadline": deadline, "day": day, "letter_language": language,
        "asked": reminder.total + reminder.fee,
    }  # fmt: skip


def reminder_pdf(reminder: Reminder) -> bytes:
    """The letter in the customer's language. Raises PdfUnavailable where the machine can't make any."""
    seller = default_seller()
    images = {"logo": (bytes(seller.logo), seller.logo_type)} if seller.logo else {}
    context = reminder_context(reminder)
    context |= {"seller": seller_prints(seller), "logo": bool(images)}
    return render_pdf("billing/pdf/reminder.html", context, language=context["letter_language"], images=images)


def settlement_statement(settlement: Settlement, language: str) -> bytes:
    """The settlement statement from what was kept at settlement. Raises PdfUnavailable where the machine makes none."""
    order = settlement.order
    images = {"logo": (bytes(order.seller.logo), order.seller.logo_type)} if order.seller.logo else {}
    context = {
        "settlement": settlement, "order": order, "content": settlement.content, "seller": seller_prints(order.seller),
        "logo": bool(images),
    }  # fmt: skip
    return render_pdf("billing/pdf/settlement.html", context, language=language, images=images)
