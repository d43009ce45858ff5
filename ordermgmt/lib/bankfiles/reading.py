"""Which kind of bank file it is, and reading it."""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from .camt import looks_like_xml, read_camt
from .mt940 import looks_like_mt940, read_mt940
from .statement import BankFileRefused, Statement
from .table import read_csv

MAX_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Layout:
    """How tables of an account are read: its currency, and the columns by field where a person named them."""

    currency: str = ""
    columns: dict[str, str] = field(default_factory=dict)


def read_bank_file(content: bytes, name: str, layout: Layout) -> tuple[str, list[Statement]]:
    """The kind of the file (camt, mt940, csv) and its statements, each checked. Raises BankFileRefused."""
    if not content.strip():
        raise BankFileRefused(_("The file is empty."))
    if len(content) > MAX_BYTES:
        raise BankFileRefused(_("The file is larger than %(limit)s MB.") % {"limit": MAX_BYTES // 1024 // 1024})
    text = _decoded(content)
    if looks_like_xml(content):
        kind, found = "camt", read_camt(content)
    elif looks_like_mt940(text):
        kind, found = "mt940", read_mt940(text)
    elif text.lstrip().startswith((":20:", "{1:")):
        raise BankFileRefused(_("This is an MT940 file that is cut off: account or balances are missing."))
    else:
        kind, found = "csv", [read_csv(content, name, layout.columns, layout.currency)]
        if not found[0].currency:
            raise BankFileRefused(_("The file doesn't say whose account it is: choose the account."))
    for one in found:
        one.check()
    return kind, found


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")
