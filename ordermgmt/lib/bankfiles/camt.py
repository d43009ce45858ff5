"""camt.053, the bank-to-customer statement of ISO 20022, in any of its versions.

The file comes from outside: a document type, entities and whatever else would make the reader fetch or multiply
something are refused before it is read.
"""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from ordermgmt.lib.money import total

from .statement import MAX_ENTRIES, BankFileRefused, Entry, Statement, tidy

_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
#: Families of return in the bank transaction code of ISO 20022.
_RETURN_CODES = {"RRTN", "UPDD", "RPCR", "UPCT", "PRDD"}


def looks_like_xml(content: bytes) -> bool:
    """Whether a file is XML of any encoding."""
    return content.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")


def read_camt(content: bytes) -> list[Statement]:
    """All statements of a file. Raises BankFileRefused for XML that is broken, dangerous or something else."""
    root = _parsed(content)
    statements = root.findall("{*}BkToCstmrStmt/{*}Stmt")
    if not statements:
        raise BankFileRefused(_("This XML file holds no statement in the form camt.053."))
    return [_statement(one) for one in statements]


def _parsed(content: bytes) -> Any:
    from lxml import etree

    bare = content.replace(b"\x00", b"").upper()
    if b"<!DOCTYPE" in bare or b"<!ENTITY" in bare:
        raise BankFileRefused(_("The XML file declares a document type or entities: a bank's file has none."))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BankFileRefused(_("The XML file is broken or cut off.")) from error
    if root.getroottree().docinfo.internalDTD is not None:  # in an encoding that the first look didn't understand
        raise BankFileRefused(_("The XML file declares a document type or entities: a bank's file has none."))
    return root


def _statement(node: Any) -> Statement:
    account = _text(node, "Acct/Id/IBAN") or _text(node, "Acct/Id/Othr/Id")
    balances: dict[str, tuple[Decimal, str]] = {}
    for one in node.findall("{*}Bal"):
        code = _text(one, "Tp/CdOrPrtry/Cd")
        # Pages of a long statement carry interim balances too: the first of its kind opens, the last one closes.
        if code not in balances or code in _CLOSING:
            balances[code] = _signed(one)
    opening = next((balances[code] for code in _OPENING if code in balances), None)
    closing = next((balances[code] for code in _CLOSING if code in balances), None)
    nodes = [one for one in node.findall("{*}Ntry") if _status(one) in ("", "BOOK")]
    if len(nodes) > MAX_ENTRIES:
        raise BankFileRefused(_("The file has more than %(most)s entries.") % {"most": MAX_ENTRIES})
    entries: list[Entry] = []
    currencies = {money[1] for money in (opening, closing) if money}
    for one in nodes:
        currencies.add(_signed(one)[1])
        entries.extend(_entries(one))
    currency = _text(node, "Acct/Ccy")
    currencies |= {currency} if currency else set()
    if len(currencies) > 1:
        raise BankFileRefused(
            _("The statement mixes currencies: %(codes)s.") % {"codes": ", ".join(sorted(currencies))[:60]}
        )
    number = _text(node, "ElctrncSeqNb") or _text(node, "LglSeqNb") or _text(node, "Id")
    return Statement(
        account, next(iter(currencies), ""), tidy(number, 40), opening[0] if opening else None,
        closing[0] if closing else None, entries,
    )  # fmt: skip


def _entries(node: Any) -> Iterable[Entry]:
    """One entry, or the single payments of a collective one where they are told and add up to it."""
    amount, currency = _signed(node)
    day = _day(
        _text(node, "BookgDt/Dt") or _text(node, "BookgDt/DtTm") or _text(node, "ValDt/Dt") or _text(node, "ValDt/DtTm")
    )
    reference = _text(node, "AcctSvcrRef")
    if not reference and (counted := _text(node, "NtryRef")):
        reference = f"{day} {counted}"  # many banks count the entries of each statement from 1
    code = {_text(node, "BkTxCd/Domn/Fmly/SubFmlyCd"), _text(node, "BkTxCd/Domn/Fmly/Cd")}
    returned = _text(node, "RvslInd") in ("true", "1") or bool(code & _RETURN_CODES)
    details = node.findall("{*}NtryDtls/{*}TxDtls")
    shares = [_share(one, currency, amount) for one in details]
    if len(details) > 1 and None not in shares and total(share for share in shares if share) == amount:
        for place, (one, share) in enumerate(zip(details, shares, strict=True), start=1):
            own = _text(one, "Refs/AcctSvcrRef") or (f"{reference}/{place}" if reference else "")
            yield _entry(one, day, share or amount, own, returned)
    elif details and len(details) == 1:
        yield _entry(details[0], day, amount, reference or _text(details[0], "Refs/AcctSvcrRef"), returned, node)
    else:
        yield _entry(node, day, amount, reference, returned, node)


def _share(node: Any, currency: str, whole: Decimal) -> Decimal | None:
    """What one payment of a collective entry counts, with the sign of the whole; None where it isn't told."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        found = _find(node, path)
        if found is not None and found.get("Ccy") == currency:
            value = _number(found.text or "")
            return value if whole > 0 else -value
    return None


def _entry(node: Any, day: dt.date, amount: Decimal, reference: str, returned: bool, around: Any = None) -> Entry:
    side = "Dbtr" if amount > 0 else "Cdtr"
    if returned or _find(node, "RtrInf") is not None:
        side = "Cdtr" if amount > 0 else "Dbtr"  # a return names the parties of the payment that comes back
    name = _text(node, f"RltdPties/{side}/Nm") or _text(node, f"RltdPties/{side}/Pty/Nm")
    iban = _text(node, f"RltdPties/{side}Acct/Id/IBAN") or _text(node, f"RltdPties/{side}Acct/Id/Othr/Id")
    parts = [_clean(one) for one in node.findall("{*}RmtInf/{*}Ustrd")]
    parts += [_clean(one) for one in node.findall("{*}RmtInf/{*}Strd/{*}CdtrRefInf/{*}Ref")]
    parts += [_clean(one) for one in node.findall("{*}RmtInf/{*}Strd/{*}RfrdDocInf/{*}Nb")]
    parts += [_text(node, "AddtlTxInf")]
    if not any(parts) and around is not None:
        parts = [_text(around, "AddtlNtryInf")]
    end_to_end = _text(node, "Refs/EndToEndId")
    if end_to_end and end_to_end != "NOTPROVIDED":
        parts.append(end_to_end)
    return Entry(
        day, amount, tidy(reference, 100), tidy(" ".join(part for part in parts if part), 500), tidy(name, 140), tidy(iban, 40),
        returned or _find(node, "RtrInf") is not None,
    )  # fmt: skip


def _signed(node: Any) -> tuple[Decimal, str]:
    found = _find(node, "Amt")
    sign = _text(node, "CdtDbtInd")
    if found is None or sign not in ("CRDT", "DBIT"):
        raise BankFileRefused(_("An entry or balance of the statement has no amount."))
    value = _number(found.text or "")
    return (value if sign == "CRDT" else -value), str(found.get("Ccy") or "")


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text.strip())
    except InvalidOperation as error:
        raise BankFileRefused(_("“%(value)s” is not an amount.") % {"value": text[:40]}) from error
    if not value.is_finite() or value < 0 or len(text) > 30 or "e" in text.lower():
        raise BankFileRefused(_("“%(value)s” is not an amount.") % {"value": text[:40]})
    return value


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError as error:
        raise BankFileRefused(_("“%(value)s” is not a day.") % {"value": text[:40]}) from error


def _status(node: Any) -> str:
    """BOOK or PDNG; a code of its own since version 8."""
    return _text(node, "Sts/Cd") or _text(node, "Sts")


def _find(node: Any, path: str) -> Any:
    return node.find("/".join(f"{{*}}{name}" for name in path.split("/")))


def _text(node: Any, path: str) -> str:
    found = _find(node, path)
    return "" if found is None else _clean(found)


def _clean(node: Any) -> str:
    return (node.text or "").strip()
