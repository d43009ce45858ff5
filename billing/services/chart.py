"""The accounts that bookings go to: `set_ledger_accounts`, what must be set, and what is proposed until it is."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import LedgerAccount, Payment
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.models import TaxRate
from ordermgmt.company.services import default_seller

from .base import lock_company, refuse, require

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: A use and a tax category, a method of payment, or nothing.
Slot = tuple[str, str]

_USE = LedgerAccount.Use
_CATEGORY = TaxRate.Category
_METHODS = (
    Payment.Method.BANK, Payment.Method.CARD, Payment.Method.CHEQUE, Payment.Method.CASH, Payment.Method.OTHER,
)  # fmt: skip
#: What a new company may begin with: a usual German chart (SKR 04), China's, and plain numbers for everybody else.
_PROPOSED: dict[Slot, tuple[str, str, str]] = {
    (_USE.RECEIVABLE, ""): ("1200", "1122", "1100"),
    (_USE.REVENUE, _CATEGORY.STANDARD): ("4400", "6001", "4000"),
    (_USE.REVENUE, _CATEGORY.REDUCED): ("4300", "6001", "4010"),
    (_USE.REVENUE, _CATEGORY.ZERO): ("4290", "6001", "4020"),
    (_USE.REVENUE, _CATEGORY.EXEMPT): ("4100", "6001", "4030"),
    (_USE.REVENUE, _CATEGORY.REVERSE): ("4337", "6001", "4040"),
    (_USE.REVENUE, _CATEGORY.INTRA_EU): ("4125", "6001", "4050"),
    (_USE.REVENUE, _CATEGORY.EXPORT): ("4120", "6001", "4060"),
    (_USE.REVENUE, _CATEGORY.OUTSIDE): ("4338", "6001", "4070"),
    (_USE.TAX, _CATEGORY.STANDARD): ("3806", "2221", "2200"),
    (_USE.TAX, _CATEGORY.REDUCED): ("3801", "2221", "2210"),
    (_USE.MONEY, Payment.Method.BANK): ("1800", "1002", "1000"),
    (_USE.MONEY, Payment.Method.CARD): ("1460", "1012", "1010"),
    (_USE.MONEY, Payment.Method.CHEQUE): ("1550", "1012", "1020"),
    (_USE.MONEY, Payment.Method.CASH): ("1600", "1001", "1030"),
    (_USE.MONEY, Payment.Method.OTHER): ("1460", "1012", "1040"),
    (_USE.DEPOSIT, ""): ("3250", "2203", "2300"),
    (_USE.DISCOUNT, ""): ("4730", "6603", "4900"),
    (_USE.PENALTY, ""): ("4700", "6711", "4910"),
    (_USE.LATE_FEE, ""): ("7110", "6301", "4800"),
    (_USE.WRITE_OFF, ""): ("6930", "6702", "6500"),
    (_USE.GAIN, ""): ("4840", "6061", "4850"),
    (_USE.LOSS, ""): ("6880", "6061", "6850"),
    (_USE.ROUNDING, ""): ("4830", "6301", "4950"),
    (_USE.OPENING, ""): ("9008", "9008", "9000"),
}
_COLUMN = {"DE": 0, "CN": 1}
_NUMBER = RegexValidator(r"^[0-9A-Za-z][0-9A-Za-z.-]{0,19}\Z")


def slots() -> list[Slot]:
    """Everything that may be booked, in the order in which the page asks for it."""
    taxed = set(TaxRate.objects.filter(percent__gt=0).order_by().values_list("category", flat=True).distinct())
    found = list(_PROPOSED)
    place = found.index((_USE.TAX, _CATEGORY.REDUCED)) + 1
    more = [(_USE.TAX, category) for category in sorted(taxed) if (_USE.TAX, category) not in _PROPOSED]
    return [*found[:place], *more, *found[place:]]


def slot_label(slot: Slot) -> str:
    """What is booked there, in the reader's language."""
    use, category = slot
    label = str(_USE(use).label)
    if use == _USE.MONEY:
        return f"{label}: {Payment.Method(category).label}"
    return f"{label}: {category} · {_CATEGORY(category).label}" if category else label


def ledger_accounts() -> dict[Slot, str]:
    """What the company has set."""
    return {(one.use, one.category): one.number for one in LedgerAccount.objects.all()}


def proposed_accounts() -> dict[Slot, str]:
    """What stands in the form of a company that has set nothing; no booking is exported to them before it is saved."""
    column = _COLUMN.get(default_seller().country, 2)
    return {slot: numbers[column] for slot, numbers in _PROPOSED.items()}


def unset(used: Iterable[Slot]) -> list[Slot]:
    """What of it has no account yet."""
    accounts = ledger_accounts()
    return sorted({slot for slot in used if slot not in accounts})


@transaction.atomic
def set_ledger_accounts(numbers: Mapping[Slot, str], *, seen: Mapping[Slot, str], actor: "User") -> int:
    """Sets the accounts of slots; an empty one is taken away. Gives back how many changed.

    `seen` is what the person saw. Raises ValidationError at the slot ("use:category") for what is no account number,
    TransitionRefused where somebody else set one meanwhile, PermissionDenied without the right.
    """
    require(actor, "billing.set_ledger_accounts")
    known = set(slots())
    problems = {}
    for (use, category), number in numbers.items():
        if (use, category) not in known:
            raise ValueError(f"nothing is booked as {use} {category}")
        if number:
            try:
                _NUMBER(number)
            except ValidationError:
                problems[f"{use}:{category}"] = _("Letters, digits, points and hyphens, 20 at most.")
    if problems:
        raise ValidationError(problems)
    lock_company()
    rows = {(one.use, one.category): one for one in LedgerAccount.objects.order_by("pk")}
    if {slot: row.number for slot, row in rows.items()} != dict(seen):
        raise refuse(
            _("Somebody set accounts meanwhile. Look at them first."), "/billing/ledger/accounts/", _("Reload")
        )
    return sum(_set(slot, number, rows.get(slot), actor) for slot, number in numbers.items())


def _set(slot: Slot, number: str, row: LedgerAccount | None, actor: "User") -> bool:
    use, category = slot
    before = snapshot(row, "use", "category", "number") if row else None
    if (row.number if row else "") == number:
        return False
    if row is None:
        row = LedgerAccount.objects.create(use=use, category=category, number=number)
    elif number:
        row.number = number
        row.save(update_fields=["number"])
    after = snapshot(row, "use", "category", "number") if number else None
    record(
        events.LEDGER_ACCOUNT_SET, row, actor=actor, before=before, after=after, what=f"{use} {category}".strip(),
        number=number or "–",
    )  # fmt: skip
    if not number:
        row.delete()
    return True
