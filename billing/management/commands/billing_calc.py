"""`manage.py billing_calc < FILE`: what the application computes for worked examples, in the examples' own shape."""

import datetime as dt
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

from django.core.management.base import BaseCommand

from ordermgmt.lib.calculation import Adjustment, DocumentInput, LineInput, Totals, calculate
from ordermgmt.lib.capitals import rmb_capitals, rmb_capitals_accepted
from ordermgmt.lib.claims import (
    InterestPolicy,
    InterestRate,
    ageing,
    base_amounts,
    early_payment,
    final_cost,
    late_interest,
    liquidated_damages,
    progress_amount,
    reminder_level,
    retained,
)
from ordermgmt.lib.instalments import OpenItem, Term, allocate, amounts, equal_amounts, monthly_dates
from ordermgmt.lib.money import ZERO, quantise, round_to, total

Given = dict[str, Any]


class Command(BaseCommand):
    help = "Prints as JSON what the application computes for each example on standard input."

    def handle(self, *args: Any, **options: Any) -> None:
        given = json.load(sys.stdin, parse_float=Decimal)
        answers = [answer(vector) for vector in given["vectors"]]
        self.stdout.write(json.dumps(answers, ensure_ascii=False, indent=1))


def answer(vector: Given) -> Given:
    """One example with `result` in the keys and string forms of its `expect`; None for a kind that is unknown."""
    kind = KINDS.get(vector["kind"])
    return {"id": vector["id"], "result": kind(vector["input"]) if kind else None}


def _decimal(given: Given, key: str, default: str = "0") -> Decimal:
    return Decimal(given.get(key, default))


def _adjustments(given: Given) -> list[Adjustment]:
    kinds: list[tuple[Literal["allowance", "charge"], str]] = [("allowance", "allowances"), ("charge", "charges")]
    return [
        Adjustment(
            kind,
            amount=Decimal(one["amount"]) if "amount" in one else None,
            base=_decimal(one, "base"),
            percent=_decimal(one, "percent"),
            category=one.get("cat", ""),
            rate=_decimal(one, "rate"),
        )
        for kind, key in kinds
        for one in given.get(key, [])
    ]


def _document(given: Given, **more: Any) -> Totals:
    lines = [
        LineInput(
            quantity=_decimal(line, "qty"),
            price=_decimal(line, "price"),
            category=line.get("cat", "S"),
            rate=_decimal(line, "rate"),
            base_quantity=_decimal(line, "base_qty", "1"),
            discount_percent=_decimal(line, "discount_percent"),
            adjustments=_adjustments(line),
            components=[(one["name"], Decimal(one["rate"])) for one in line.get("components", [])],
        )
        for line in given["lines"]
    ]
    return calculate(
        DocumentInput(
            given["currency"],
            lines,
            _adjustments(given),
            prepaid=_decimal(given, "prepaid"),
            rounding=_decimal(given, "rounding"),
            **more,
        )
    )


def _en16931(given: Given, **more: Any) -> Given:
    totals = _document(given, **more)
    sums = (
        "line_total",
        "allowances",
        "charges",
        "tax_basis",
        "tax_total",
        "grand_total",
        "prepaid",
        "rounding",
        "due",
    )
    return {
        "lines": [str(line.net) for line in totals.lines],
        "vat": [
            {"cat": tax.category, "rate": str(tax.rate), "basis": str(tax.basis), "tax": str(tax.tax)}
            for tax in totals.taxes
        ],
    } | {name: _sum(totals, name, given) for name in sums}


def _sum(totals: Totals, name: str, given: Given) -> str:
    """A sum of nothing is written "0": the document has no allowance or charge at all."""
    return "0" if name in ("allowances", "charges") and not given.get(name) else str(getattr(totals, name))


def _cn_invoice(given: Given) -> Given:
    mode = "gross" if given["price_mode"] == "inclusive" else "net"
    totals = _document(given, price_mode=mode, tax_rounding="line")
    return {
        "lines": [{"net": str(line.net), "tax": str(line.tax), "gross": str(line.gross)} for line in totals.lines],
        "net": str(totals.tax_basis),
        "tax": str(totals.tax_total),
        "gross": str(totals.due),
        "capital": rmb_capitals(totals.due),
    }


def _terms(given: Given) -> list[Term]:
    return [
        Term(
            term["type"],
            value=_decimal(term, "value"),
            months=term.get("months", 0),
            days=term.get("days", 0),
            day=term.get("day", 0),
            end_of_month=term.get("end_month", False),
        )
        for term in given["terms"]
    ]


def _plan(given: Given) -> Given:
    terms = _terms(given)
    shares = {"amounts": [str(share) for share in amounts(Decimal(given["total"]), terms, given["currency"])]}
    if "base_date" not in given:
        return shares
    base = dt.date.fromisoformat(given["base_date"])
    return shares | {"due": [term.due(base).isoformat() for term in terms]}


def _allocate(given: Given) -> Given:
    items = {
        one["seq"]: OpenItem(one["seq"], dt.date.fromisoformat(one["due"]), Decimal(one["amount"]))
        for one in given["instalments"]
    }
    laid, unapplied = [], ZERO
    for payment in given["payments"]:
        shares, rest = allocate(Decimal(payment["amount"]), list(items.values()))
        unapplied += rest
        for seq, share in shares:
            items[seq] = OpenItem(seq, items[seq].due, items[seq].open - share)
            laid.append({"payment": payment["id"], "seq": seq, "amount": str(share)})
    zero = quantise(ZERO, given["currency"])
    return {
        "open": {str(seq): str(zero + item.open) for seq, item in items.items()},
        "allocations": laid,
        "unapplied": str(zero + unapplied),
    }


def _capitals(given: Given) -> Given:
    amounts = {one: Decimal(one) for one in given["amounts"]}
    return {
        "official": {one: rmb_capitals(amount) for one, amount in amounts.items()},
        "accept": {one: rmb_capitals_accepted(amount) for one, amount in amounts.items()},
    }


def _early_discount(given: Given) -> Given:
    untaxed, tax, percent = (_decimal(given, key) for key in ("untaxed", "tax", "percent"))
    return {
        "included": str(early_payment(untaxed, tax, percent, "included", given["currency"])),
        "excluded": str(early_payment(untaxed, tax, percent, "excluded", given["currency"])),
    }


def _late_interest(given: Given) -> Given:
    rates = [
        InterestRate(
            dt.date.fromisoformat(one["from"]),
            daily=Decimal(one["daily"]) if "daily" in one else None,
            annual=_decimal(one, "annual"),
        )
        for one in given["rates"]
    ]
    policy = InterestPolicy(
        rates,
        year_days=int(given.get("year_days", 365)),
        grace_days=int(given.get("grace_days", 0)),
        cap=Decimal(given["cap"]) if "cap" in given else None,
        flat_fee=_decimal(given, "flat_fee"),
    )
    due, as_of = (dt.date.fromisoformat(given[key]) for key in ("due", "as_of"))
    payments = [(dt.date.fromisoformat(day), Decimal(amount)) for day, amount in given.get("payments", [])]
    return {"interest": str(late_interest(Decimal(given["amount"]), due, as_of, payments, policy, given["currency"]))}


def _final_cost(given: Given) -> Given:
    currency = given["currency"]
    penalties = [
        liquidated_damages(
            Decimal(one["basis"]),
            Decimal(one["percent_per_day"]),
            int(one["days"]),
            Decimal(one["cap_percent"]) if "cap_percent" in one else None,
            currency,
        )
        for one in given.get("penalties", [])
    ]
    net = final_cost(
        Decimal(given["contract"]),
        changes=[Decimal(one["amount"]) for one in given.get("changes", []) if one["state"] in ("approved", "applied")],
        charges=map(Decimal, given.get("extra_charges", [])),
        penalties=penalties,
        discounts=map(Decimal, given.get("discounts", [])),
    )
    line = LineInput(quantity=Decimal(1), price=net, rate=_decimal(given, "tax_rate"))
    totals = calculate(DocumentInput(currency, [line]))
    return {
        "penalties": str(quantise(total(penalties), currency)),
        "final_net": str(totals.tax_basis),
        "tax": str(totals.tax_total),
        "final_gross": str(totals.grand_total),
    }


def _ageing(given: Given) -> Given:
    items = [(dt.date.fromisoformat(due), Decimal(amount)) for due, amount in given["open"]]
    sums = ageing(items, dt.date.fromisoformat(given["as_of"]), given.get("currency", "EUR"))
    return {bucket: str(amount) for bucket, amount in sums.items()}


def _gross_prices(given: Given) -> Given:
    return _en16931(given, price_mode="gross")


def _red_invoice(given: Given) -> Given:
    """The blue invoice with every quantity turned: what takes all of it back."""
    turned = [line | {"qty": str(-_decimal(line, "qty"))} for line in given["lines"]]
    return _cn_invoice(given | {"lines": turned})


def _equal_plan(given: Given) -> Given:
    parts = int(given["parts"])
    found = {"amounts": [str(one) for one in equal_amounts(Decimal(given["total"]), parts, given["currency"])]}
    if "first" not in given:
        return found
    days = monthly_dates(dt.date.fromisoformat(given["first"]), parts)
    return found | {"due": [day.isoformat() for day in days]}


def _deposit(given: Given) -> Given:
    """Deposits are documents of their own; the final one takes them off by a negative line each, with its tax."""
    deposits = [_document(given | {"lines": [one]}) for one in given["deposits"]]
    deducted = [one | {"qty": str(-_decimal(one, "qty", "1"))} for one in given["deposits"]]
    final = given | {"lines": [*given["lines"], *deducted]}
    return {
        "order": str(_document(given).due),
        "deposits": [str(one.due) for one in deposits],
        "final": {name: text for name, text in _en16931(final).items() if name in ("vat", "tax_basis", "due")},
    }


def _retention(given: Given) -> Given:
    now, kept = retained(Decimal(given["gross"]), Decimal(given["percent"]), given["currency"])
    return {"payable_now": str(now), "retained": str(kept)}


def _progress(given: Given) -> Given:
    billed, bills = ZERO, []
    for percent in given["cumulative_percent"]:
        bills.append(progress_amount(Decimal(given["total"]), Decimal(percent), billed, given["currency"]))
        billed += bills[-1]
    return {"bills": [str(one) for one in bills]}


def _exchange(given: Given) -> Given:
    payments = [(Decimal(one["amount"]), Decimal(one["rate"])) for one in given["payments"]]
    found = base_amounts(payments, Decimal(given["amount"]), Decimal(given["rate"]), given["base_currency"])
    return {
        "cleared": [str(clears) for clears, _gain in found],
        "gain": [str(gain) for _clears, gain in found],
        "total_gain": str(total(gain for _clears, gain in found)),
    }


def _sales_tax(given: Given) -> Given:
    totals = _document(given, tax_rounding="component")
    return {
        "components": [
            {"name": tax.authority, "rate": str(tax.rate), "basis": str(tax.basis), "tax": str(tax.tax)}
            for tax in totals.taxes
            if tax.authority
        ],
        "net": str(totals.tax_basis),
        "tax": str(totals.tax_total),
        "due": str(totals.due),
    }


def _cash(given: Given) -> Given:
    amount = Decimal(given["amount"])
    due = round_to(amount, Decimal(given["step"]), given["currency"])
    return {"rounding": str(due - quantise(amount, given["currency"])), "due": str(due)}


def _payment_terms(given: Given) -> Given:
    base = dt.date.fromisoformat(given["base_date"])
    return {"due": [term.due(base).isoformat() for term in _terms(given)]}


def _reminder_level(given: Given) -> Given:
    days = (dt.date.fromisoformat(given["as_of"]) - dt.date.fromisoformat(given["due"])).days
    level = reminder_level(
        days, int(given["sent"]), [int(one) for one in given["thresholds"]],
        open_amount=Decimal(given["open"]), disputed=bool(given.get("disputed")),
    )  # fmt: skip
    return {"level": level}


KINDS: dict[str, Callable[[Given], Given]] = {
    "en16931": _en16931,
    "cn_invoice": _cn_invoice,
    "plan": _plan,
    "plan_amounts": _plan,
    "allocate": _allocate,
    "rmb_capital": _capitals,
    "early_discount": _early_discount,
    "late_interest": _late_interest,
    "final_cost": _final_cost,
    "ageing": _ageing,
    "gross_prices": _gross_prices,
    "red_invoice": _red_invoice,
    "equal_plan": _equal_plan,
    "deposit": _deposit,
    "retention": _retention,
    "progress": _progress,
    "exchange": _exchange,
    "sales_tax": _sales_tax,
    "cash_rounding": _cash,
    "payment_terms": _payment_terms,
    "reminder_level": _reminder_level,
}
