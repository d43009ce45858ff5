"""Invoices, instalments, payments, and the end of an order's account."""

from .account import FinalAccount, SettlementPaper
from .adjustment import DocumentAdjustment
from .bank import BankAccount, BankLine, BankStatement
from .charge import OrderCharge, OrderClause
from .collection import CollectionNote, Reminder, ReminderItem, ReminderLevel, ReminderText
from .early import EarlyDiscount
from .invoice import Invoice, InvoiceLine, InvoiceReference, InvoiceTax, buyer_lines
from .latefee import LateFee, LateFeePolicy
from .ledgeraccount import LedgerAccount
from .mailing import InvoiceMail
from .payment import Allocation, Payment, Refund, Settlement
from .plan import FormerTerms, Instalment, InstalmentPlan, Reschedule
from .writeoff import WriteOff

__all__ = [
    "Allocation", "BankAccount", "BankLine", "BankStatement", "CollectionNote", "DocumentAdjustment", "EarlyDiscount",
    "FinalAccount", "FormerTerms", "Instalment", "InstalmentPlan", "Invoice", "InvoiceLine", "InvoiceMail", "InvoiceReference",
    "InvoiceTax", "LateFee", "LateFeePolicy", "LedgerAccount", "OrderCharge", "OrderClause", "Payment", "Refund", "Reminder",
    "ReminderItem", "ReminderLevel", "ReminderText", "Reschedule", "Settlement", "SettlementPaper", "WriteOff",
    "buyer_lines",
]  # fmt: skip
