"""Bank statements as tables: columns by the names that a person kept for the account, else recognised by their usual names."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from django.utils.translation import gettext as _

from ordermgmt.lib.importing import (
    BadValue,
    SourceRow,
    Table,
    Unreadable,
    guess_format,
    parse_date,
    parse_number,
    plain,
    read_table,
)

from .statement import MAX_ENTRIES, BankFileRefused, Entry, Statement, tidy

#: Fields of a statement with the names that banks give their columns, in small letters.
NAMES: dict[str, Sequence[str]] = {
    "date": ("booking date", "date", "transaction date", "posting date", "booked", "buchungstag", "buchungsdatum", "datum",
             "交易日期", "记账日期", "交易时间", "日期"),
    "amount": ("amount", "betrag", "transaction amount", "umsatz", "betrag (eur)", "金额", "交易金额", "发生额"),
    "paid_in": ("credit", "paid in", "money in", "deposit", "credit amount", "haben", "贷方发生额", "贷方金额", "收入", "收入金额", "贷方"),
    "paid_out": ("debit", "paid out", "money out", "withdrawal", "debit amount", "soll", "借方发生额", "借方金额", "支出", "支出金额", "借方"),
    "direction": ("debit/credit", "credit/debit", "direction", "s/h", "soll/haben", "借贷标志", "收支", "收/支"),
    "text": ("text", "remittance", "description", "details", "reference text", "purpose", "verwendungszweck", "remittance text", "payment reference",
             "摘要", "附言", "用途", "备注"),
    "name": ("name", "counterparty", "payer", "beneficiary/payer", "auftraggeber/empfänger", "begünstigter/zahlungspflichtiger",
             "name zahlungsbeteiligter", "对方户名", "对方名称", "付款人", "付款人名称"),
    "iban": ("iban", "counterparty account", "counterparty iban", "account of payer", "iban zahlungsbeteiligter", "kontonummer/iban", "对方账号", "付款账号"),
    "reference": ("reference", "bank reference", "transaction id", "entry reference", "id", "referenz", "流水号", "交易流水号", "凭证号"),
    "currency": ("currency", "währung", "ccy", "币种"),
    "balance": ("balance", "running balance", "saldo", "saldo nach buchung", "余额", "账户余额"),
    "account": ("account", "own account", "account iban", "auftragskonto", "iban auftragskonto", "本方账号", "账号"),
}  # fmt: skip
_OUT = ("d", "dr", "debit", "dbit", "s", "soll", "out", "借", "支", "支出", "-")


def read_csv(content: bytes, name: str, columns: dict[str, str], currency: str) -> Statement:
    """The one statement of a table, whose account may be unnamed. Raises BankFileRefused where it makes none."""
    try:
        table = read_table(content, name)
    except Unreadable as error:
        raise BankFileRefused(str(error)) from error
    if len(table.rows) > MAX_ENTRIES:
        raise BankFileRefused(_("The file has more than %(most)s entries.") % {"most": MAX_ENTRIES})
    reader = _Reader(table, columns)
    entries = [reader.entry(row) for row in table.rows]
    opening, closing = reader.balances(entries)
    return Statement(reader.only("account"), reader.only("currency").upper() or currency, "", opening, closing, entries)


class _Reader:
    """Reads rows of one table by the column of each field."""

    def __init__(self, table: Table, columns: dict[str, str]) -> None:
        self.table = table
        self.at = {field: self._column(field, columns.get(field, "")) for field in NAMES}
        if not self.at["date"]:
            raise BankFileRefused(_("No column of the file is the day of booking: name the columns of the account."))
        if not (self.at["amount"] or self.at["paid_in"]):
            raise BankFileRefused(_("No column of the file is the amount: name the columns of the account."))
        self.date_form = columns.get("date_form") or self._form("date", "date")
        money = [field for field in ("amount", "paid_in", "paid_out", "balance") if self.at[field]]
        self.number_form = columns.get("number_form") or guess_format(
            "number", [row.cells.get(self.at[field]) for field in money for row in table.rows]
        )

    def _column(self, field: str, kept: str) -> str:
        if kept:
            if kept not in self.table.headers:
                raise BankFileRefused(_("The file has no column “%(name)s”.") % {"name": kept[:60]})
            return kept
        by_name = {header.strip().casefold(): header for header in reversed(self.table.headers)}
        return next((by_name[name] for name in NAMES[field] if name in by_name), "")

    def _form(self, kind: str, field: str) -> str:
        return guess_format(kind, [row.cells.get(self.at[field]) for row in self.table.rows])

    def _cell(self, row: SourceRow, field: str) -> str:
        return plain(row.cells.get(self.at[field])) if self.at[field] else ""

    def only(self, field: str) -> str:
        """The one value of a column over all rows. Raises BankFileRefused where there are several."""
        found = {text for row in self.table.rows if (text := self._cell(row, field))}
        if len(found) > 1:
            raise BankFileRefused(
                _("The column “%(name)s” has different values: %(values)s.")
                % {"name": self.at[field], "values": ", ".join(sorted(found))[:80]}
            )
        return found.pop() if found else ""

    def entry(self, row: SourceRow) -> Entry:
        try:
            return Entry(
                self._day(row), self._amount(row), tidy(self._cell(row, "reference"), 100),
                tidy(self._cell(row, "text"), 500), tidy(self._cell(row, "name"), 140), tidy(self._cell(row, "iban"), 40),
            )  # fmt: skip
        except BadValue as error:
            raise BankFileRefused(_("Row %(row)s: %(problem)s") % {"row": row.number, "problem": error}) from error

    def _day(self, row: SourceRow) -> dt.date:
        day = parse_date(row.cells.get(self.at["date"]), self.date_form)
        if day is None:
            raise BadValue(_("the day of booking is missing."))
        return day

    def _number(self, row: SourceRow, field: str) -> Decimal | None:
        return parse_number(row.cells.get(self.at[field]), self.number_form) if self.at[field] else None

    def _amount(self, row: SourceRow) -> Decimal:
        amount = self._number(row, "amount")
        if amount is None:
            paid_in, paid_out = self._number(row, "paid_in"), self._number(row, "paid_out")
            if not (paid_in or paid_out):
                raise BadValue(_("the amount is missing."))
            amount = (paid_in or Decimal(0)) - abs(paid_out or Decimal(0))
        if self._cell(row, "direction").casefold() in _OUT:
            amount = -abs(amount)
        return amount

    def balances(self, entries: list[Entry]) -> tuple[Decimal | None, Decimal | None]:
        """The balance before and after, where a column tells it for every row. Raises BankFileRefused where it jumps."""
        told = [self._balance(row) for row in self.table.rows]
        known = [one for one in told if one is not None]
        if not known or len(known) != len(told):
            return None, None
        moves = [one.amount for one in entries]
        for balances, amounts in ((known, moves), (known[::-1], moves[::-1])):  # oldest first, or newest first
            if all(
                later - before == moved for (before, later), moved in zip(pairwise(balances), amounts[1:], strict=True)
            ):
                return balances[0] - amounts[0], balances[-1]
        raise BankFileRefused(
            _("The balances in the file don't follow from its amounts: something is missing or double.")
        )

    def _balance(self, row: SourceRow) -> Decimal | None:
        try:
            return self._number(row, "balance")
        except BadValue as error:
            raise BankFileRefused(_("Row %(row)s: %(problem)s") % {"row": row.number, "problem": error}) from error
