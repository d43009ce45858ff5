"""Invoices, instalments, payments, and the end of an order's account."""

from .account import FinalAccount, SettlementPaper
from .adjustment import DocumentAdjustment
from .bank import BankAccount, BankLine, BankStatement
from .charge import OrderCharge, OrderClause
from .collection import CollectionNote, Reminder, ReminderItem, ReminderLevel, ReminderText
from .invoice import Invoice, InvoiceLine, InvoiceReference, InvoiceTax, buyer_lines
from .latefee import LateFee, LateFeePolicy
from .mailing import InvoiceMail
from .payment import Allocation, Payment, Refund, Settlement
from .plan import Instalment, InstalmentPlan, Reschedule
from .rate import ExchangeRate
from .writeoff import WriteOff

__all__ = [
    "Allocation", "BankAccount", "BankLine", "BankStatement", "CollectionNote", "DocumentAdjustment", "ExchangeRate",
    "FinalAccount", "Instalment", "InstalmentPlan", "Invoice", "InvoiceLine", "InvoiceMail", "InvoiceReference",
    "InvoiceTax", "LateFee", "LateFeePolicy", "OrderCharge", "OrderClause", "Payment", "Refund", "Reminder",
    "ReminderItem", "ReminderLevel", "ReminderText", "Reschedule", "Settlement", "SettlementPaper", "WriteOff",
    "buyer_lines",
]  # fmt: skip
