"""The electronic invoice of a document: its business terms, and why it could not be issued as one."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from stdnum import iban

from billing.models import DocumentAdjustment, Invoice, InvoiceLine, InvoiceTax, buyer_lines
from ordermgmt.lib.einvoice import FACTUR_X, Fault, faults, make_xml, representable, unit_code
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.money import HUNDRED, ZERO, exponent, quantise

from .early_terms import early_of

_TYPE_CODES = {
    Invoice.Kind.STANDARD: "380", Invoice.Kind.FINAL: "380", Invoice.Kind.PROGRESS: "326", Invoice.Kind.DEPOSIT: "386",
    Invoice.Kind.CREDIT_NOTE: "381", Invoice.Kind.DEBIT_NOTE: "383",
}  # fmt: skip
#: Categories without tax by law: the document has to say why.
_EXEMPT = {"E", "AE", "K", "G", "O"}
_COMPANY = "/company/"


def wants_einvoice(invoice: Invoice) -> bool:
    """Whether the document's tax profile asks for an electronic invoice."""
    return invoice.tax_profile.get("e_invoice") == FACTUR_X and invoice.kind != Invoice.Kind.OPENING


def check_einvoice(invoice: Invoice) -> None:
    """Raises TransitionRefused with everything that has to be mended before this can be an electronic invoice.

    The number is the last thing a document gets and is the only one that is left out here: validation does not look at
    what it says, and waiting for it would make everybody wait for the validation.
    """
    if not wants_einvoice(invoice):
        return
    taxes = list(invoice.taxes.all())
    blockers = _missing(invoice, taxes)
    if not blockers:
        blockers = [_blocker(invoice, fault) for fault in faults(_xml(invoice, taxes, number="0"))]
    if blockers:
        raise TransitionRefused(blockers)


def einvoice_xml(invoice: Invoice) -> bytes:
    """The XML of an issued document, from what it keeps. Raises ValueError where it is not valid."""
    xml = _xml(invoice, list(invoice.taxes.all()), number=str(invoice.number))
    if found := faults(xml):
        raise ValueError("; ".join(fault.text for fault in found))
    return xml


def _missing(invoice: Invoice, taxes: list[InvoiceTax]) -> list[Blocker]:
    """What people forget, each with the field to mend; the standard's own sentences are harder to read."""
    found = []
    company = (_COMPANY, _("Open the company's data"))
    customer = (f"/customers/{invoice.customer.number}/edit/", _("Edit the customer"))
    seller, buyer = invoice.seller_data, invoice.buyer
    if not representable(invoice.currency):
        sentence = _("%(currency)s has three decimals: such a document can't be an electronic invoice (EN 16931).")
        found.append(
            Blocker(sentence % {"currency": invoice.currency}, invoice.get_absolute_url(), _("Open the draft"))
        )
    if not seller.get("vat_id") and not seller.get("tax_id"):
        found.append(Blocker(_("The electronic invoice needs your VAT id: fill in “VAT id”."), *company))
    if not seller.get("address"):
        found.append(Blocker(_("The electronic invoice needs your address: fill in “Address”."), *company))
    if not buyer.get("country"):
        found.append(Blocker(_("The electronic invoice needs the customer's country: fill in “Country”."), *customer))
    categories = {tax.printed_category for tax in taxes}
    if categories & {"AE", "K"} and not buyer.get("tax_id"):
        sentence = _("Reverse charge and supplies within the EU need the customer's VAT id: fill in “Tax id”.")
        found.append(Blocker(sentence, *customer))
    found += [
        Blocker(
            _("Tax category %(category)s needs its exemption reason: fill it in at the tax rate.")
            % {"category": tax.category},
            *company,
        )
        for tax in taxes
        if tax.printed_category in _EXEMPT and not tax.exemption_reason
    ]
    return found


def _blocker(invoice: Invoice, fault: Fault) -> Blocker:
    sentence = _("The electronic invoice would not be valid: %(text)s") % {"text": fault.text}
    return Blocker(sentence, invoice.get_absolute_url(), _("Open the draft"))


def _xml(invoice: Invoice, taxes: list[InvoiceTax], *, number: str) -> bytes:
    return make_xml(_terms(invoice, taxes, number))


def _terms(invoice: Invoice, taxes: list[InvoiceTax], number: str) -> dict[str, Any]:
    def money(amount: Decimal) -> str:
        return f"{quantise(amount, invoice.currency):f}"

    references = invoice.references.select_related("original").order_by("pk")
    terms: dict[str, Any] = {
        "BT-1": number, "BT-2": invoice.issue_date, "BT-3": _TYPE_CODES[Invoice.Kind(invoice.kind)],
        "BT-5": invoice.currency, "BT-7": invoice.tax_point, "BT-9": invoice.due_date,
        "BT-10": invoice.buyer_reference, "BT-12": invoice.contract_reference, "BT-13": invoice.customer_reference,
        "BT-14": invoice.order_number, "BT-20": _payment_terms(invoice), "BT-72": invoice.delivery_date,
        "BG-1": [{"BT-22": text} for text in (invoice.reason, invoice.note) if text],
        "BG-3": [{"BT-25": one.original.number, "BT-26": one.original.issue_date} for one in references],
        "BG-4": _seller(invoice.seller_data, untaxed=_untaxed(taxes)), "BG-7": _buyer(invoice, untaxed=_untaxed(taxes)),
        "BG-23": [_tax(tax, money, invoice.tax_point) for tax in taxes],
        "BG-25": [_line(line, invoice, money) for line in invoice.lines.all()],
        "BT-106": money(invoice.line_total), "BT-109": money(invoice.tax_basis), "BT-110": money(invoice.tax_total),
        "BT-112": money(invoice.grand_total), "BT-115": money(invoice.due),
    }  # fmt: skip
    for adjustment in invoice.adjustments.all():
        charge = adjustment.kind == DocumentAdjustment.Kind.CHARGE
        terms.setdefault("BG-21" if charge else "BG-20", []).append(_adjustment(adjustment, money))
    if invoice.delivery_from:
        terms |= {"BT-73": invoice.delivery_from, "BT-74": invoice.delivery_date}
    optional = {"BT-107": invoice.allowances, "BT-108": invoice.charges, "BT-113": invoice.prepaid}
    terms |= {name: money(amount) for name, amount in (optional | {"BT-114": invoice.rounding}).items() if amount}
    account = str(invoice.seller_data.get("iban", "")).replace(" ", "")
    if account and not invoice.is_credit:
        terms |= {"BT-81": "58" if iban.is_valid(account) else "30", "BT-84": account, "BT-83": number}
        terms |= {"BT-86": invoice.seller_data["bic"]} if invoice.seller_data.get("bic") else {}
    return {name: value for name, value in terms.items() if value not in (None, "", [])}


def _payment_terms(invoice: Invoice) -> str:
    """Each instalment with its day, where there is more than the one due date; before them what pays it early."""
    rows = list(invoice.instalments.order_by("due_date", "pk"))
    parts = [(row.due_date, row.amount) for row in rows] if len(rows) > 1 else []
    early = early_of(invoice)
    if early is not None and early.until is not None:
        text = (
            f"{early.until.isoformat()}: {early.pays:.{exponent(invoice.currency)}f} (-{early.percent.normalize():f} %)"
        )
    else:
        text = ""
    return "; ".join(
        [
            *([text] if text else []),
            *(f"{day.isoformat()}: {amount:.{exponent(invoice.currency)}f}" for day, amount in parts),
        ]
    )


def _untaxed(taxes: list[InvoiceTax]) -> bool:
    """Where all is outside the scope of tax nobody's VAT id may be named (BR-O-02)."""
    return any(tax.category == "O" for tax in taxes)


def _seller(seller: dict[str, Any], *, untaxed: bool) -> dict[str, Any]:
    party = {
        "name": seller["name"], "country_code": seller["country"],
        "vat_identifier": "" if untaxed else seller.get("vat_id"), "tax_identifier": seller.get("tax_id"),
        "legal_identifier": (seller.get("tax_id") or seller.get("vat_id")) if untaxed else "",
        "legal_info": seller.get("registration"),
    } | _address(str(seller.get("address", "")).splitlines())  # fmt: skip
    contact = {"name": seller["name"], "phone": seller.get("phone"), "email": seller.get("email")}
    return {name: value for name, value in party.items() if value} | {"contacts": [contact]}


def _buyer(invoice: Invoice, *, untaxed: bool) -> dict[str, Any]:
    buyer = invoice.buyer
    lines = [line for line in buyer_lines(invoice) if line != buyer["name"]]
    party = {
        "name": buyer["name"], "country_code": buyer["country"], "vat_identifier": "" if untaxed else _vat_id(buyer),
        "identifiers": {None: buyer["number"]},
    } | _address(lines)  # fmt: skip
    return {name: value for name, value in party.items() if value}


def _vat_id(buyer: dict[str, Any]) -> str:
    """A VAT id begins with the letters of a country; another tax id is not one."""
    tax_id = str(buyer.get("tax_id", ""))
    return tax_id if tax_id[:2].isalpha() else ""


def _address(lines: list[str]) -> dict[str, str]:
    kept = [line.strip() for line in lines if line.strip()]
    if len(kept) > 3:
        kept = [*kept[:2], ", ".join(kept[2:])]
    return dict(zip(("addr_l1", "addr_l2", "addr_l3"), kept, strict=False))


def _tax(tax: InvoiceTax, money: Any, tax_point: dt.date | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "BT-116": money(tax.basis), "BT-117": money(tax.tax), "BT-118": tax.printed_category,
        "BT-119": f"{tax.rate.normalize():f}",
    }  # fmt: skip
    if tax_point is not None:
        row["BT-7"] = tax_point  # stands on every tax in CII
    if tax.printed_category == "O":
        # What is outside the scope of tax has no rate, not one of zero (BR-O-05).
        del row["BT-119"]
    return row | ({"BT-120": tax.exemption_reason} if tax.exemption_reason else {})


def _adjustment(one: DocumentAdjustment, money: Any) -> dict[str, str]:
    row = {"amount": money(one.amount), "reason": one.reason, "vat_category_code": _printed(one.tax_category)}
    if one.base is not None and one.percent is not None:
        row |= {"base_amount": money(one.base), "rate": f"{one.percent.normalize():f}"}
    return row if one.tax_category == "O" else row | {"vat_rate": f"{one.tax_rate.normalize():f}"}


def _printed(category: str) -> str:
    """A reduced rate is S with its percentage."""
    return "S" if category == "R" else category


def _line(line: InvoiceLine, invoice: Invoice, money: Any) -> dict[str, Any]:
    category = _printed(line.tax_category)
    price, change = _net_price(line, invoice)
    terms: dict[str, Any] = {
        "BT-126": str(line.position), "BT-153": line.description, "BT-154": line.details, "BT-155": line.sku,
        "BT-129": f"{line.quantity.normalize():f}", "BT-130": unit_code(line.unit), "BT-146": f"{price.normalize():f}",
        "BT-131": money(line.net), "BT-151": category,
    }  # fmt: skip
    if category != "O":
        terms["BT-152"] = f"{line.tax_rate.normalize():f}"
    if change != ZERO:
        given = {"amount": money(abs(change)), "reason": line.adjustment_reason or _("Adjustment")}
        terms["BG-28" if change > ZERO else "BG-27"] = [given]
    return {name: value for name, value in terms.items() if value != ""}


def _net_price(line: InvoiceLine, invoice: Invoice) -> tuple[Decimal, Decimal]:
    """The price without tax and what the line is adjusted by: a price with tax is brought back from the line's net."""
    if invoice.tax_profile.get("price_mode") != "gross":
        return line.unit_price * (HUNDRED - line.discount_percent) / HUNDRED, line.adjustment
    price = abs(line.net / line.quantity).quantize(Decimal("0.000001"))
    return price, line.net - quantise(price * line.quantity, invoice.currency)
