"""Bank files of the tests: written here, in the three forms that banks send."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from billing import services
from billing.models import BankAccount, BankLine

from .orders import person

#: A day that is over everywhere.
YESTERDAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
IBAN = "DE89370400440532013000"


def account(**given: Any) -> BankAccount:
    """The company's account in euros, kept by Fiona."""
    given = {"name": "Main account", "number": IBAN, "currency": "EUR"} | given
    return services.keep_bank_account(actor=person("finance"), **given)


def row(amount: Any, text: str = "", **given: Any) -> dict[str, Any]:
    """One entry as the writers below take it."""
    fields = {"day": YESTERDAY, "amount": Decimal(str(amount)), "text": text, "name": "", "iban": "", "ref": ""}
    return fields | {"back": False} | given


def camt(rows: Sequence[dict[str, Any]], *, opening: Any = 1000, currency: str = "EUR", number: str = IBAN) -> bytes:
    """A camt.053.001.02 with balances that fit."""
    opening = Decimal(str(opening))
    closing = opening + sum((one["amount"] for one in rows), Decimal(0))
    entries = "".join(_camt_entry(one, currency) for one in rows)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">'
        "<BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>S1</Id><ElctrncSeqNb>7</ElctrncSeqNb>"
        f"<Acct><Id><IBAN>{number}</IBAN></Id><Ccy>{currency}</Ccy></Acct>"
        f"{_camt_balance('OPBD', opening, currency)}{_camt_balance('CLBD', closing, currency)}{entries}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _camt_balance(code: str, amount: Decimal, currency: str) -> str:
    sign = "CRDT" if amount >= 0 else "DBIT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{abs(amount)}</Amt>'
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{YESTERDAY}</Dt></Dt></Bal>"
    )


def _camt_entry(one: dict[str, Any], currency: str) -> str:
    came = one["amount"] > 0
    side = "Dbtr" if came or one["back"] else "Cdtr"
    back = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>" if one["back"] else ""
    party = f"<{side}><Nm>{one['name']}</Nm></{side}>" if one["name"] else ""
    party += f"<{side}Acct><Id><IBAN>{one['iban']}</IBAN></Id></{side}Acct>" if one["iban"] else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{abs(one["amount"])}</Amt><CdtDbtInd>{"CRDT" if came else "DBIT"}</CdtDbtInd>'
        f"<Sts>BOOK</Sts><BookgDt><Dt>{one['day']}</Dt></BookgDt><AcctSvcrRef>{one['ref']}</AcctSvcrRef>"
        f"<NtryDtls><TxDtls><RltdPties>{party}</RltdPties>"
        f"<RmtInf><Ustrd>{one['text']}</Ustrd></RmtInf>{back}</TxDtls></NtryDtls></Ntry>"
    )


def mt940(rows: Sequence[dict[str, Any]], *, opening: Any = 1000, currency: str = "EUR", number: str = IBAN) -> bytes:
    """An MT940 as German banks write it, the text cut into pieces of 27."""
    opening = Decimal(str(opening))
    closing = opening + sum((one["amount"] for one in rows), Decimal(0))
    lines = [
        ":20:STARTUMS",
        f":25:{number}",
        ":28C:00007/001",
        f":60F:{_mark(opening)}{YESTERDAY:%y%m%d}{currency}{_mt(opening)}",
    ]
    for one in rows:
        kind = "NRTI" if one["back"] else "NTRF"
        sign = "C" if one["amount"] > 0 else "D"
        ref = f"//{one['ref']}" if one["ref"] else ""
        lines.append(f":61:{one['day']:%y%m%d%m%d}{sign}R{_mt(one['amount'])}{kind}NONREF{ref}")
        text = one["text"]
        pieces = [text[at : at + 27] for at in range(0, len(text), 27)]
        told = "".join(f"?{20 + place}{piece}" for place, piece in enumerate(pieces))
        lines.append(f":86:166?00GUTSCHRIFT{told}?31{one['iban']}?32{one['name']}")
    lines += [f":62F:{_mark(closing)}{YESTERDAY:%y%m%d}{currency}{_mt(closing)}", "-"]
    return "\r\n".join(lines).encode()


def _mark(amount: Decimal) -> str:
    return "C" if amount >= 0 else "D"


def _mt(amount: Decimal) -> str:
    return f"{abs(amount):.2f}".replace(".", ",")


def table(rows: Sequence[dict[str, Any]]) -> bytes:
    """A CSV with the usual headings."""
    lines = ["Booking date;Amount;Remittance;Name;IBAN;Reference"]
    lines += [
        f"{one['day']};{one['amount']:.2f};{one['text']};{one['name']};{one['iban']};{one['ref']}" for one in rows
    ]
    return "\n".join(lines).encode()


def lines(*rows: dict[str, Any]) -> list[BankLine]:
    """Entries that were read from a file of these rows."""
    if not BankAccount.objects.filter(number=IBAN).exists():
        account()
    before = set(BankLine.objects.values_list("pk", flat=True))
    services.read_statement_file(camt(rows), "statement.xml", actor=person("finance"))
    return list(BankLine.objects.exclude(pk__in=before).order_by("pk"))
