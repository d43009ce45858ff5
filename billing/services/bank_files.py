"""Bank files: `keep_bank_account`, `read_statement_file`."""

import hashlib
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing import events
from billing.models import BankAccount, BankLine, BankStatement
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_day, business_today
from ordermgmt.lib.bankfiles import BankFileRefused, Layout, Statement, plain_account, read_bank_file
from ordermgmt.lib.bankfiles.table import NAMES
from ordermgmt.lib.money import exponent

from .base import lock_company, require

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: The fields of a table whose columns an account may name.
BANK_COLUMNS = tuple(NAMES)
_KEPT = ("name", "number", "currency", "columns", "is_active")


@transaction.atomic
def keep_bank_account(
    account: BankAccount | None = None,
    *,
    name: str,
    number: str,
    currency: str,
    columns: dict[str, str] | None = None,
    is_active: bool = True,
    actor: "User",
) -> BankAccount:
    """Adds an account of the company, or changes one. The currency of one that has entries stays.

    Raises ValidationError for a currency that is none and for a number or name that another account has.
    """
    require(actor, "billing.import_bank")
    lock_company()
    one = BankAccount.objects.select_for_update(no_key=True).get(pk=account.pk) if account else BankAccount()
    before = snapshot(one, *_KEPT) if account else None
    try:
        exponent(currency)
    except ValueError as error:
        raise ValidationError({"currency": _("This is not a currency code.")}) from error
    if account and one.currency != currency and one.lines.exists():
        raise ValidationError({"currency": _("The account has entries: its currency stays as it is.")})
    others = BankAccount.objects.exclude(pk=one.pk)
    number = plain_account(number)
    if not number:
        raise ValidationError({"number": _("An account number has letters or digits.")})
    if others.filter(number=number).exists():
        raise ValidationError({"number": _("There is an account with this number already.")})
    if others.filter(name=name).exists():
        raise ValidationError({"name": _("There is an account with this name already.")})
    one.name, one.number, one.currency, one.is_active = name, number, currency, is_active
    one.columns = {key: value for key, value in (columns or {}).items() if value}
    one.save()
    record(events.BANK_ACCOUNT_KEPT, one, actor=actor, before=before, after=snapshot(one, *_KEPT), name=name)
    return one


@transaction.atomic
def read_statement_file(
    content: bytes, name: str, *, account: BankAccount | None = None, actor: "User"
) -> list[BankStatement]:
    """Keeps the entries of a bank file, each once per account; `account` says whose a table is.

    A file that overlaps an earlier one adds what is new. Raises ValidationError, and nothing is written, for a file
    that is broken, read before, without anything new, in another currency, of an unknown account or of days to come.
    """
    require(actor, "billing.import_bank")
    layout = Layout(account.currency, account.columns) if account else Layout()
    try:
        kind, statements = read_bank_file(content, name, layout)
        owners = [_owner(one, account) for one in statements]
    except BankFileRefused as error:
        raise ValidationError({"file": str(error)}) from error
    # One file at a time per account: the second of two equal ones finds what the first has kept.
    list(BankAccount.objects.select_for_update(no_key=True).filter(pk__in={one.pk for one in owners}).order_by("pk"))
    digest = hashlib.sha256(content).hexdigest()
    if earlier := BankStatement.objects.filter(sha256=digest, account__in=owners).select_related("by").first():
        raise ValidationError({"file": _("%(name)s read this file already, on %(day)s.") % {
            "name": earlier.by, "day": date_format(business_day(earlier.at), "SHORT_DATE_FORMAT")
        }})  # fmt: skip
    facts = {"kind": kind, "file_name": name[:200], "sha256": digest}
    found = [_keep(one, owner, facts, actor) for one, owner in zip(statements, owners, strict=True)]
    if not any(one.fresh for one in found):
        raise ValidationError({"file": _("All entries of this file are known already; nothing was added.")})
    return found


def _owner(statement: Statement, account: BankAccount | None) -> BankAccount:
    """The account that a statement belongs to. Raises BankFileRefused."""
    number = plain_account(statement.account)
    owner = BankAccount.objects.filter(number=number, is_active=True).first() if number else account
    if owner is None and number:
        # Some banks write bank code and account number, where we know the IBAN that contains them.
        ends = [one for one in BankAccount.objects.filter(is_active=True) if _is_same(number, one.number)]
        owner = ends[0] if len(ends) == 1 else None
    if owner is None and not number:
        raise BankFileRefused(_("The file doesn't say whose account it is: choose the account."))
    if owner is None:
        raise BankFileRefused(
            _("“%(number)s” is none of the company's accounts in use: add it first.")
            % {"number": statement.account[:40]}
        )
    if account is not None and owner.pk != account.pk:
        raise BankFileRefused(_("This file belongs to the account %(name)s.") % {"name": owner.name})
    if statement.currency != owner.currency:
        raise BankFileRefused(
            _("The file is in %(one)s, but the account %(name)s is kept in %(other)s.")
            % {"one": statement.currency or "?", "name": owner.name, "other": owner.currency}
        )
    today = business_today()
    if late := next((one for one in statement.entries if one.booked_on > today), None):
        raise BankFileRefused(
            _("The entry of %(day)s lies in the future.") % {"day": date_format(late.booked_on, "SHORT_DATE_FORMAT")}
        )
    return owner


_SHORTEST = 6


def _is_same(number: str, known: str) -> bool:
    digits = number.lstrip("0")
    return len(digits) >= _SHORTEST and (known.endswith(digits) or number.endswith(known))


def _keep(statement: Statement, owner: BankAccount, facts: dict[str, Any], actor: "User") -> BankStatement:
    keys = statement.keys()
    known = set(BankLine.objects.filter(account=owner, key__in=keys).values_list("key", flat=True))
    fresh = [(key, one) for key, one in zip(keys, statement.entries, strict=True) if key not in known]
    kept = BankStatement.objects.create(
        account=owner, number=statement.number, opening=statement.opening, closing=statement.closing,
        fresh=len(fresh), known=len(keys) - len(fresh), by=actor, **facts,
    )  # fmt: skip
    aside = BankLine.State.ASIDE
    BankLine.objects.bulk_create(
        BankLine(
            account=owner, statement=kept, key=key, booked_on=one.booked_on, amount=one.amount, currency=owner.currency,
            reference=one.own_reference, text=one.text, name=one.name, iban=plain_account(one.iban)[:40],
            is_return=one.bounced,
            # Money that went out concerns no customer, unless a payment came back.
            state=aside if one.amount < 0 and not one.bounced else BankLine.State.OPEN,
        )
        for key, one in fresh
    )  # fmt: skip
    record(
        events.BANK_FILE_READ, kept, root=owner, actor=actor, after=snapshot(kept, "file_name", "sha256", "fresh", "known"),
        file=kept.file_name, fresh=kept.fresh, known=kept.known,
    )  # fmt: skip
    return kept
