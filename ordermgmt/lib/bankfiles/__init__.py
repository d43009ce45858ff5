"""Bank statements from files: CSV, MT940 and camt.053 become the same `Statement`. No models, no writing.

Amounts are signed decimals in the account's currency: positive came in, negative went out. A file that is broken,
that doesn't add up, or that is something else is refused with a sentence (`BankFileRefused`) as a whole.
"""

from .reading import MAX_BYTES, Layout, read_bank_file
from .statement import BankFileRefused, Entry, Statement, plain_account

__all__ = ["MAX_BYTES", "BankFileRefused", "Entry", "Layout", "Statement", "plain_account", "read_bank_file"]
