"""Whose money a bank entry is: suggestions with their reasons. Nothing is written here."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from billing.models import BankLine, Instalment, Invoice, Payment
from customers.models import Customer, MatchKey
from customers.models.matching import name_key
from ordermgmt.lib.instalments import OpenItem, allocate
from ordermgmt.lib.money import ZERO, total

_MOST = 5
_SHORT = 6


class _Item(NamedTuple):
    """An open instalment, as far as matching needs it."""

    pk: int
    customer: int
    currency: str
    due: dt.date
    open: Decimal
    invoice: int
    numbers: tuple[str, ...]


@dataclass
class Match:
    """One customer whose money it may be: what it would be laid on, and why. `sure` where nothing else can be meant."""

    customer_id: int
    shares: dict[int, Decimal] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    sure: bool = False
    customer: Customer = field(init=False)


class Named:
    """Finds which of many items a text may name, without holding every number against it."""

    def __init__(self, items: Iterable[_Item]) -> None:
        self._by_bare: dict[str, list[tuple[int, _Item]]] = defaultdict(list)
        for place, one in enumerate(items):
            for bare in {_squeezed(number) for number in one.numbers}:
                self._by_bare[bare].append((place, one))
        self._lengths = {len(bare) for bare in self._by_bare if bare}

    def in_text(self, text: str) -> list[_Item]:
        """Those whose number the text names, in the order in which they came."""
        bare = _squeezed(text)
        parts = {bare[place : place + length] for length in self._lengths for place in range(len(bare) - length + 1)}
        found = dict(entry for part in parts for entry in self._by_bare.get(part, ()))
        return [one for _place, one in sorted(found.items()) if names(text, one.numbers)]


@dataclass
class _Facts:
    """All that the matches of some entries are made of: read once."""

    items: dict[str, list[_Item]]
    named: dict[str, Named]
    payers: dict[str, set[int]]
    called: dict[str, set[int]]


def match_lines(lines: Sequence[BankLine], *, among: Iterable[int] | None = None) -> dict[int, list[Match]]:
    """The matches of entries that came in, best first, by their key. Some five queries for any number of entries.

    `among` keeps to the open items of these customers.
    """
    wanted = [one for one in lines if one.amount > 0]
    facts = _read(wanted, among)
    found = {one.pk: _matches(one, facts) for one in wanted}
    everybody = Customer.objects.in_bulk({match.customer_id for matches in found.values() for match in matches})
    for matches in found.values():
        for match in matches:
            match.customer = everybody[match.customer_id]
    return found


def match_line(line: BankLine) -> list[Match]:
    """The matches of one entry."""
    return match_lines([line]).get(line.pk, [])


def sure_match(line: BankLine, among: Iterable[int] | None = None) -> Match | None:
    """The one that needs nobody to decide; `among` keeps to the open items of these customers."""
    found = match_lines([line], among=among)[line.pk]
    return next((one for one in found if one.sure), None)


def _read(lines: Iterable[BankLine], among: Iterable[int] | None) -> _Facts:
    lines = list(lines)
    items: dict[str, list[_Item]] = defaultdict(list)
    owed = Instalment.objects.owed().filter(currency__in={one.currency for one in lines}).oldest_first()
    if among is not None:
        owed = owed.filter(customer__in=list(among))
    fields = ("pk", "customer", "currency", "due_date", "open", "invoice", "invoice__kind", "invoice__number",
              "invoice__order_number", "invoice__customer_reference")  # fmt: skip
    for pk, customer, currency, due, still, invoice, kind, *numbers in owed.values_list(*fields):
        if kind != Invoice.Kind.OPENING:
            numbers.pop()  # the customer's own number: it names their order, and others may have the same
        items[currency].append(
            _Item(pk, customer, currency, due, still, invoice, tuple(name for name in numbers if name))
        )
    payers: dict[str, set[int]] = defaultdict(set)
    ibans = {one.iban for one in lines if one.iban}
    paid = BankLine.objects.filter(state=BankLine.State.BOOKED, iban__in=ibans).order_by()
    for iban, customer in paid.values_list("iban", "payment__customer").distinct():
        payers[iban].add(customer)
    called: dict[str, set[int]] = defaultdict(set)
    keys = {key for one in lines if (key := name_key(one.name))}
    for value, customer in MatchKey.objects.filter(kind="name", value__in=keys).values_list("value", "customer"):
        called[value].add(customer)
    return _Facts(items, {currency: Named(rows) for currency, rows in items.items()}, payers, called)


def _matches(line: BankLine, facts: _Facts) -> list[Match]:
    items = facts.items.get(line.currency, [])
    named = facts.named[line.currency].in_text(line.text) if items else []
    payers = facts.payers.get(line.iban, set()) if line.iban else set()
    called = facts.called.get(name_key(line.name), set()) if line.name else set()
    exact = [one for one in items if one.open == line.amount]
    found: dict[int, Match] = {}
    for customer in dict.fromkeys([*(one.customer for one in named), *payers, *called]):
        own = [one for one in items if one.customer == customer]
        found[customer] = _match(line, customer, own, [one for one in named if one.customer == customer])
        if customer in payers:
            found[customer].reasons.append(_("paid from this account before"))
        if customer in called:
            found[customer].reasons.append(_("has the payer's name"))
    for customer in dict.fromkeys(one.customer for one in exact if one.customer not in found):
        if len(found) == _MOST:
            break
        alike = [one for one in exact if one.customer == customer]
        # Of several that fit alike a person chooses.
        match = Match(customer, {alike[0].pk: line.amount} if len(alike) == 1 else {})
        told = ", ".join(one.numbers[0] for one in alike[:_MOST])
        match.reasons.append(_("exactly this amount is open: %(numbers)s") % {"numbers": told})
        found[customer] = match
    certain = [match for match in found.values() if match.sure]
    # Two customers for whom something speaks besides the amount are one too many.
    spoken = {one.customer for one in named} | payers | called
    for match in certain:
        match.sure = len(certain) == 1 and len(spoken) == 1
    return sorted(found.values(), key=lambda match: (not match.sure, -len(match.reasons)))[:_MOST]


def _match(line: BankLine, customer: int, own: list[_Item], named: list[_Item]) -> Match:
    """What of a customer's open items the entry would pay: what is named, what fits exactly, else the oldest due."""
    match = Match(customer)
    if named:
        words = dict.fromkeys(number for one in named for number in one.numbers if names(line.text, (number,)))
        match.reasons.append(_("%(number)s is named in the text") % {"number": ", ".join(words)})
    first = named or _fitting(own, line.amount)
    open_named = total(one.open for one in first)
    if first and open_named == line.amount:
        match.reasons.append(_("exactly what is open"))
        match.sure = True
    elif named and line.amount < open_named:
        weak = all(word.isdigit() and len(word) < _SHORT for word in words)
        match.sure = len({one.invoice for one in named}) == 1 and not weak
        match.reasons.append(_("a part of what is open"))
    shares, rest = allocate(line.amount, [OpenItem(one.pk, one.due, one.open) for one in first])
    others = [OpenItem(one.pk, one.due, one.open) for one in own if one not in first]
    more, rest = allocate(rest, others)
    if rest > ZERO:
        match.reasons.append(_("more than is open: the rest becomes credit"))
    match.shares = dict(shares + more)
    return match


def _fitting(own: list[_Item], amount: Decimal) -> list[_Item]:
    """The one instalment, or the one invoice, or all together that have exactly this amount open."""
    single = [one for one in own if one.open == amount]
    if single:
        return single if len(single) == 1 else []
    invoices: dict[int, list[_Item]] = defaultdict(list)
    for one in own:
        invoices[one.invoice].append(one)
    whole = [parts for parts in invoices.values() if total(one.open for one in parts) == amount]
    if len(whole) == 1:
        return whole[0]
    return own if own and total(one.open for one in own) == amount else []


def names(text: str, numbers: Iterable[str]) -> bool:
    """Whether a text names one of the numbers: as it is written, or without the marks and blanks that banks lose."""
    squeezed = _squeezed(text)
    for number in numbers:
        if number in text and re.search(rf"(?<!\w){re.escape(number)}(?!\w)", text):
            return True
        bare = _squeezed(number)
        if len(bare) < _SHORT:
            continue
        place = squeezed.find(bare)
        while place >= 0:
            before, after = squeezed[place - 1 : place], squeezed[place + len(bare) : place + len(bare) + 1]
            if not (after.isdigit() or (bare[0].isdigit() and before.isdigit())):
                return True
            place = squeezed.find(bare, place + 1)
    return False


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]", "", text.upper())


def returned_payments(line: BankLine) -> list[tuple[Payment, list[str]]]:
    """Payments that an entry may take back, best first, each with what speaks for it."""
    if line.amount >= 0:
        return []
    rows = (
        Payment.objects.recorded()
        .filter(currency=line.currency, amount=-line.amount, received_on__lte=line.booked_on)
        .exclude(method=Payment.Method.WRITE_OFF)
        .select_related("customer", "recorded_by")
        .prefetch_related("allocations__instalment__invoice")
    )
    newest = list(rows.order_by("-received_on", "-pk")[:20])
    by_iban = BankLine.objects.filter(payment__in=newest, iban=line.iban).exclude(iban="")
    same_account = set(by_iban.values_list("payment", flat=True))
    found = []
    for one in newest:
        reasons = [_("the same amount")]
        if one.pk in same_account:
            reasons.append(_("the same account"))
        if line.name and name_key(line.name) == name_key(one.customer.name):
            reasons.append(_("the same name"))
        if one.reference and names(f"{line.text} {line.reference}", [one.reference]):
            reasons.append(_("its bank reference is named"))
        laid = {share.instalment.invoice.number for share in one.allocations.all() if share.instalment.invoice}
        if names(line.text, [number for number in laid if number]):
            reasons.append(_("its invoice is named"))
        found.append((one, reasons))
    return sorted(found, key=lambda pair: -len(pair[1]))
