"""What can happen to invoices, plans and payments. All stand on the timeline of the order, else of the customer."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.events import EventType, nobody, register


def _salesperson(event: Any) -> list[Any]:
    """Who sold it: the owner of the order or of the customer."""
    owner = getattr(event.root, "owner", None)
    return [owner] if owner is not None else []


def _type(name: str, message: Any, icon: str = "file-invoice", *, told: bool = False) -> EventType:
    audience = _salesperson if told else nobody
    return register(
        EventType(f"billing.{name}", message, audience=audience, icon=icon, permission="billing.view_invoice")
    )


INVOICE_DRAFTED = _type("invoice_drafted", _("drafted an invoice over {amount} {currency}"))
PROFORMA_MADE = _type("proforma_made", _("wrote a proforma over {amount} {currency}"))
DRAFT_EDITED = _type("draft_edited", _("changed a draft invoice"), icon="pencil")
DRAFT_DELETED = _type("draft_deleted", _("deleted a draft invoice over {amount} {currency}"), icon="trash")
INVOICE_ISSUED = _type("invoice_issued", _("issued {number} over {amount} {currency}"), told=True)
INVOICE_CREDITED = _type(
    "invoice_credited",
    _("credited {amount} {currency} of {original} with {number}: {reason}"),
    "receipt-refund",
    told=True,
)
INVOICE_CANCELLED = _type("invoice_cancelled", _("closed {number}: all of it is credited"), icon="receipt-off")
BALANCE_OPENED = _type("balance_opened", _("took over the open balance {number}, {amount} {currency}"))
PLAN_MADE = _type("plan_made", _("planned instalments over {amount} {currency}: {count}"), icon="calendar-dollar")
DEFECTS_DATED = _type("defects_dated", _("moved {label} to the end of the defects period, {date}"), icon="calendar")
PLAN_REMOVED = _type("plan_removed", _("removed the instalment plan"), icon="calendar-off")
PAYMENT_RECORDED = _type(
    "payment_recorded", _("recorded payment {number} over {amount} {currency}"), icon="cash", told=True
)
PAYMENT_ALLOCATED = _type(
    "payment_allocated", _("laid {amount} {currency} of {number} on {targets}"), icon="arrows-split"
)
PAYMENT_CANCELLED = _type(
    "payment_cancelled", _("cancelled payment {number} over {amount} {currency}: {reason}"), icon="cash-off", told=True
)
PAYMENT_REFUNDED = _type(
    "payment_refunded", _("gave back {amount} {currency} of {number}: {reason}"), icon="cash-off", told=True
)
WRITE_OFF_ASKED = _type(
    "write_off_asked", _("asked to write off {amount} {currency} of {number}: {reason}"), icon="cash-off"
)
WRITE_OFF_BOOKED = _type("write_off_booked", _("wrote off {amount} {currency} of {number}"), icon="cash-off", told=True)
WRITE_OFF_REFUSED = _type(
    "write_off_refused", _("refused to write off {amount} {currency} of {number}: {reason}"), icon="cash"
)
RESCHEDULED = _type(
    "rescheduled", _("agreed new instalments ({count}) for {number}: {reason}"), icon="calendar-dollar", told=True
)
#: For the audit alone, at the instalment itself: the document's timeline tells the whole.
INSTALMENT_MOVED = _type(
    "instalment_moved", _("made {label} {amount} {currency}, due on {date}"), icon="calendar-dollar"
)
RETENTION_RELEASED = _type(
    "retention_released", _("released {amount} {currency} of {number}, due on {date}"), icon="lock-open"
)
RATE_SET = _type("rate_set", _("set {currency} to {rate} from {day}"), icon="currency")
ACCOUNT_SETTLED = _type("account_settled", _("closed the account with {amount} {currency}"), icon="lock")
ACCOUNT_TOLD = _type("account_told", _("sent the settlement statement to {to}"), icon="mail")
MAIL_ASKED = _type("mail_asked", _("sends {number} to {to}"), icon="mail")
INVOICE_MAILED = _type("invoice_mailed", _("mailed {number} to {to}"), icon="mail")
MAIL_BOUNCED = _type("mail_bounced", _("{number} to {to} came back: {reason}"), icon="mail", told=True)
PDF_KEPT = _type("pdf_kept", _("kept the PDF of {number}"), icon="file-type-pdf")
BANK_ACCOUNT_KEPT = _type("bank_account_kept", _("keeps the bank account {name}"), icon="credit-card")
BANK_FILE_READ = _type(
    "bank_file_read", _("read {file}: {fresh} new entries, {known} known before"), icon="credit-card"
)
BANK_LINE_ASIDE = _type(
    "bank_line_aside", _("set the bank entry of {day} over {amount} {currency} aside: {reason}"), icon="credit-card"
)
BANK_LINE_UP = _type(
    "bank_line_up", _("took the bank entry of {day} over {amount} {currency} up again"), icon="credit-card"
)
BANK_LINE_BOOKED = _type(
    "bank_line_booked", _("booked the bank entry of {day} over {amount} {currency} as {number}"), icon="credit-card"
)
BANK_LINE_RETURNED = _type(
    "bank_line_returned",
    _("took {number} back: the bank entry of {day} over {amount} {currency}"),
    icon="credit-card",
)
REMINDERS_SET = _type("reminders_set", _("set {count} levels of reminders"), icon="bell")
REMINDER_PROPOSED = _type("reminder_proposed", _("proposed reminder {level} over {amount} {currency}"), icon="bell")
REMINDER_RELEASED = _type(
    "reminder_released", _("released reminder {level} over {amount} {currency} to {to}"), icon="bell", told=True
)
REMINDER_WITHDRAWN = _type("reminder_withdrawn", _("withdrew reminder {level}: {reason}"), icon="bell")
REMINDER_SENT = _type("reminder_sent", _("mailed reminder {level} to {to}"), icon="mail")
COLLECTION_NOTED = _type("collection_noted", _("noted about {number} ({what}): {text}"), icon="note", told=True)
COLLECTION_CLOSED = _type("collection_closed", _("closed a note about {number} ({what}): {outcome}"), icon="check")
CLAUSE_SET = _type("clause_set", _("set the clause on late delivery and retentions"), icon="pencil")
CHARGE_PROPOSED = _type("charge_proposed", _("proposed {what}, {amount} {currency} net"), icon="receipt")
CHARGE_WITHDRAWN = _type("charge_withdrawn", _("withdrew {what}, {amount} {currency} net"), icon="receipt-off")
CHARGE_ACCEPTED = _type(
    "charge_accepted", _("accepted {what}, {amount} {currency} net: {reason}"), icon="receipt", told=True
)
CHARGE_WAIVED = _type(
    "charge_waived", _("waived {what}, {amount} {currency} net: {reason}"), icon="receipt-off", told=True
)
ACCOUNT_DRAWN = _type(
    "account_drawn", _("drew up version {number} of the final account, {amount} {currency}"), icon="calculator"
)
ACCOUNT_FROZEN = _type(
    "account_frozen", _("froze version {number} of the final account, {amount} {currency}"), icon="lock", told=True
)
ACCOUNT_REPLACED = _type(
    "account_replaced", _("took version {number} of the final account out of force"), icon="lock-open"
)
SETTLEMENT_KEPT = _type("settlement_kept", _("kept the settlement statement ({language})"), icon="file-type-pdf")
LEDGER_ACCOUNT_SET = _type(
    "ledger_account_set", _("set the ledger's account for {what} to {number}"), icon="calculator"
)
LATE_TERMS_SET = _type("late_terms_set", _("set late interest to {rate} % from {day}"), icon="percentage")
LATE_FEE_PROPOSED = _type(
    "late_fee_proposed", _("proposed {amount} {currency} of late interest on {number} until {day}"), icon="percentage"
)
LATE_FEE_DECIDED = _type(
    "late_fee_decided", _("decided about {amount} {currency} of late interest on {number}: {what}"), icon="percentage"
)
