"""Verbs on invoices and payments, and those that billing adds to orders."""

from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from billing import services
from billing.forms import (
    AsideForm,
    BasisForm,
    ChargeForm,
    CollectionNoteForm,
    CreditForm,
    DecisionForm,
    GoodsCreditForm,
    IssueForm,
    LateFeeForm,
    MailForm,
    OutcomeForm,
    ReasonForm,
    RefundForm,
    RefuseForm,
    RemarkForm,
    WriteOffForm,
)
from billing.models import BankLine, Invoice, OrderCharge, Payment, Reminder, WriteOff
from ordermgmt.company.services import business_today
from ordermgmt.lib.actions import Action, ActionSet
from ordermgmt.lib.fsm import Blocker
from ordermgmt.lib.money import ZERO
from orders.models import Order


def _issue_consequences(invoice: Invoice) -> list[str]:
    return [
        _t("take the next number of the year, without a gap"),
        _t("ask %(customer)s for %(amount)s %(currency)s")
        % {"customer": invoice.customer_name, "amount": invoice.money(invoice.due), "currency": invoice.currency},
        _t("make the document final: nobody can change it, only credit it"),
        _t("make the PDF in the background"),
    ]


def _asked(one: WriteOff) -> str:
    if one.state == WriteOff.State.BOOKED:
        return _t("The write-off is booked.")
    return _t("The write-off is asked for: somebody else decides.")


def _credit_consequences(invoice: Invoice) -> list[str]:
    found = [
        _t("issue a credit note with a number of its own"),
        _t("take the amount off what is open on %(number)s") % {"number": invoice.number},
    ]
    if invoice.paid:
        found.append(_t("turn what was paid beyond that into the customer's credit"))
    return found


INVOICE_ACTIONS = ActionSet(
    Action(
        "issue", _("Issue"), services.issue_invoice, transition="issue", form=IssueForm, icon="send", primary=True,
        consequences=_issue_consequences, done=_("The invoice is issued."), bulk=True,
    ),
    Action(
        "bill", _("Make an invoice of it"), services.bill_proforma, permission="billing.draft_invoice",
        icon="file-plus", primary=True, done=_("The draft is made. Check it, then issue it."),
        when=lambda invoice: invoice.kind == Invoice.Kind.PROFORMA and invoice.order_id is not None,
        consequences=lambda _invoice: [_t("make a draft over what is not invoiced yet; the proforma stays")],
    ),
    Action(
        "delete", _("Delete the draft"), services.delete_draft, permission="billing.draft_invoice", icon="trash",
        danger=True, when=lambda invoice: invoice.is_draft, done=_("The draft is deleted; no number is lost."),
        consequences=lambda _invoice: [_t("remove the draft; its instalment and quantities are free again")],
    ),
    Action(
        "mail", _("Send by mail"), services.mail_invoice, permission="billing.mail_invoice", form=MailForm, icon="mail",
        done=_("The mail is on its way; the invoice's page tells when it went out."), bulk=True,
        when=lambda invoice: (
            invoice.kind == Invoice.Kind.PROFORMA or not (invoice.is_draft or invoice.kind == Invoice.Kind.OPENING)
        ),
        consequences=lambda _invoice: [_t("send the kept PDF; a mail can't be called back")],
    ),
    Action(
        "note", _("Note a call, promise or dispute"), services.note_collection, permission="billing.note_collection",
        form=CollectionNoteForm, icon="note", done=_("The note is kept."),
        when=lambda invoice: invoice.state == Invoice.State.ISSUED and not invoice.is_credit and invoice.open > 0,
    ),
    Action(
        "late-fee", _("Propose late interest"), services.propose_late_fees, permission="billing.propose_late_fee",
        form=LateFeeForm, icon="percentage", done=_("The claim is proposed; somebody else decides."), bulk=True,
        when=lambda invoice: (
            invoice.state == Invoice.State.ISSUED and not invoice.is_credit
            and invoice.due_date is not None and invoice.due_date < business_today()
        ),
    ),
    Action(
        "write-off", _("Write off"), services.ask_write_off, permission="billing.write_off", form=WriteOffForm,
        icon="cash-off", danger=True, done=_asked, allowed_for=services.write_off_blocked,
        when=lambda invoice: invoice.state == Invoice.State.ISSUED and not invoice.is_credit and invoice.open > 0,
        consequences=lambda invoice: [
            _t("give up what %(customer)s owes; the amount stands in the journal as written off")
            % {"customer": invoice.customer_name}
        ],
    ),
    Action(
        "discount", _("Grant the discount"), services.grant_early_discount, permission="billing.credit_invoice",
        icon="percentage", allowed_for=services.issuer_blocked, done=_("The credit note over the discount is issued."), bulk=True,
        when=lambda invoice: services.earned(invoice) > ZERO,
        consequences=lambda invoice: [
            _t("issue a credit note over %(amount)s %(currency)s, with its tax; the invoice is settled")
            % {"amount": invoice.money(services.earned(invoice)), "currency": invoice.currency}
        ],
    ),
    Action(
        "correct", _("Correct to the order"), services.correct_invoice, permission="billing.credit_invoice",
        form=ReasonForm, icon="replace", allowed_for=services.issuer_blocked,
        done=_("The credit note is issued. Check the new draft, then issue it."),
        when=services.may_be_corrected,
        consequences=lambda invoice: [
            _t("credit the lines of %(number)s whose price was changed since") % {"number": invoice.number},
            _t("draft the same quantities at the prices that the order says now"),
        ],
    ),
    Action(
        "credit", _("Credit"), services.credit_invoice, permission="billing.credit_invoice", form=CreditForm,
        icon="receipt-refund", danger=True, allowed_for=services.issuer_blocked, consequences=_credit_consequences, done=_("The credit note is issued."),
        when=lambda invoice: invoice.state == Invoice.State.ISSUED and not invoice.is_credit,
    ),
)  # fmt: skip

WRITE_OFF_ACTIONS = ActionSet(
    Action(
        "approve", _("Approve"), services.approve_write_off, permission="billing.approve_write_off", form=RemarkForm,
        icon="check", primary=True, bulk=True, allowed_for=services.decision_blocked, done=_("The write-off is booked."),
        when=lambda one: one.state == WriteOff.State.ASKED,
        consequences=lambda one: [
            _t("give up %(amount)s %(currency)s of %(number)s")
            % {"amount": one.invoice.money(one.amount), "currency": one.currency, "number": one.invoice.number}
        ],
    ),
    Action(
        "refuse", _("Refuse"), services.refuse_write_off, transition="refuse", form=RefuseForm, icon="x", danger=True,
        done=_("The amount stays owed."),
    ),
)  # fmt: skip

BILL_INSTALMENT = Action(
    "bill", _("Draft and issue"), services.bill_instalment, permission="billing.issue_invoice", icon="send",
    primary=True, bulk=True, done=_("The invoice is issued."),
)  # fmt: skip
BILL_ORDER = Action(
    "bill", _("Draft and issue"), services.bill_order, permission="billing.issue_invoice", icon="send", primary=True,
    form=BasisForm, bulk=True, done=_("The invoice is issued."),
)  # fmt: skip

PAYMENT_ACTIONS = ActionSet(
    Action(
        "allocate", _("Lay the credit on the oldest due"), services.allocate_credit,
        permission="billing.record_payment", icon="arrows-split", primary=True,
        when=lambda payment: payment.state == Payment.State.RECORDED and payment.unallocated > 0,
        done=_("The credit is laid on open instalments."),
        consequences=lambda payment: [_t("lay the credit on the instalments that are due first")],
    ),
    Action(
        "refund", _("Refund the credit"), services.refund_credit, permission="billing.refund_payment",
        form=RefundForm, icon="receipt-refund", danger=True, done=_("The refund is booked."),
        when=lambda payment: payment.state == Payment.State.RECORDED and payment.unallocated > 0,
        consequences=lambda _payment: [
            _t("take the amount off the customer's credit for good"), _t("keep the refund in the journal"),
        ],
    ),
    Action(
        "cancel", _("Cancel the payment"), services.cancel_payment, transition="cancel", form=ReasonForm,
        icon="cash-off", danger=True, done=_("The payment is cancelled."),
        consequences=lambda payment: [_t("open the instalments again that it paid"), _t("keep both entries in the books")],
    ),
)  # fmt: skip

BANK_ACTIONS = ActionSet(
    Action(
        "book", _("Book as suggested"), services.book_line, transition="book", icon="check", primary=True, bulk=True,
        permission="billing.record_payment", done=_("The payment is recorded."),
    ),
    Action(
        "aside", _("Set aside"), services.set_line_aside, transition="set_aside", icon="x", form=AsideForm,
        permission="billing.record_payment", bulk=True, done=_("The entry is set aside."),
    ),
    Action(
        "up", _("Take up again"), services.take_line_up, transition="take_up", icon="arrow-back",
        permission="billing.record_payment", done=_("The entry waits again."),
        allowed=lambda line: _payment_stands(line),
    ),
)  # fmt: skip


def _release_consequences(reminder: Reminder) -> list[str]:
    return [
        _t("mail a letter to %(name)s, in their language; a mail can't be called back") % {"name": reminder.customer},
        _t("leave out what was paid, disputed or promised since"),
    ]


REMINDER_ACTIONS = ActionSet(
    Action(
        "release", _("Release the letter"), services.release_reminder, transition="release", icon="send", primary=True, bulk=True,
        permission="billing.release_reminder", consequences=_release_consequences, done=_("The reminder is on its way."),
    ),
    Action(
        "withdraw", _("Withdraw the letter"), services.withdraw_reminder, transition="withdraw", icon="x", form=ReasonForm,
        permission="billing.release_reminder", bulk=True, done=_("The reminder is not sent."),
    ),
)  # fmt: skip
LATE_FEE_ACTIONS = ActionSet(
    Action(
        "charge", _("Charge it"), services.charge_late_fee, transition="charge", icon="check", primary=True, bulk=True,
        permission="billing.decide_late_fee", done=_("The debit note is drafted: check it, then issue it."),
        consequences=lambda _fee: [_t("draft a debit note over the claim, without tax")],
    ),
    Action(
        "waive", _("Waive"), services.waive_late_fee, transition="waive", icon="x", form=ReasonForm, bulk=True,
        permission="billing.decide_late_fee", done=_("The claim is waived."),
    ),
)  # fmt: skip
NOTE_ACTIONS = ActionSet(
    Action(
        "close", _("Close"), services.close_collection_note, transition="close", icon="check", form=OutcomeForm,
        permission="billing.note_collection", bulk=True, done=_("The note is closed."),
    ),
)  # fmt: skip


def _payment_stands(line: BankLine) -> list[Blocker]:
    payment = line.payment
    if payment is None or payment.state != Payment.State.RECORDED:
        return []
    sentence = _t("Its payment %(number)s stands: cancel that first.") % {"number": payment.number}
    return [Blocker(sentence, payment.get_absolute_url(), _t("Open the payment"))]


def _settle_consequences(order: Order) -> list[str]:
    return [
        _t("close the account: no invoice, credit note or payment can be booked on it"),
        _t("keep every figure of this moment as evidence"),
    ]


def _settled_blockers(order: Order) -> list[Blocker]:
    return services.settlement_blockers(order)


SETTLE = Action(
    "settle", _("Settle"), services.settle_order, permission="billing.settle_order", icon="lock", primary=True,
    allowed=_settled_blockers, consequences=_settle_consequences, done=_("The order is settled."),
    when=lambda order: order.state == Order.State.ACCEPTED, bulk=True,
)  # fmt: skip
REOPEN = Action(
    "reopen", _("Reopen the account"), services.reopen_order, permission="billing.reopen_order", form=ReasonForm,
    icon="lock-open", danger=True, when=lambda order: order.state == Order.State.SETTLED,
    done=_("The account is open again."),
    consequences=lambda _order: [_t("take the order back to accepted, so that it can be credited or a payment cancelled")],
)  # fmt: skip

_OPEN = {
    Order.State.PLACED, Order.State.IN_PRODUCTION, Order.State.SHIPPED, Order.State.RECTIFICATION, Order.State.ACCEPTED,
}  # fmt: skip


def _accept_consequences(charge: OrderCharge) -> list[str]:
    return [
        _t("change the final amount by %(amount)s %(currency)s, tax included")
        % {"amount": charge.order.money(charge.signed_gross), "currency": charge.order.currency},
        _t("put it on the invoice that completes the order, or on a document of its own after that"),
    ]


def _left(order: Order, *, deductions: bool) -> bool:
    return any((left < ZERO) == deductions for _charge, left in services.open_charges(order))


def _sum(order: Order, *, deductions: bool) -> str:
    chosen = [(one, left) for one, left in services.open_charges(order) if (left < ZERO) == deductions]
    return order.money(abs(services.open_gross(chosen)))


CHARGE_ACTIONS = ActionSet(
    Action(
        "accept", _("Accept"), services.accept_charge, transition="accept", form=DecisionForm, icon="check",
        primary=True, consequences=_accept_consequences, done=_("It belongs to the final account now."),
    ),
    Action(
        "waive", _("Waive"), services.waive_charge, transition="waive", form=DecisionForm, icon="x",
        done=_("It is not asked for."),
    ),
)  # fmt: skip

GOODS_CREDIT_ACTIONS = ActionSet(
    Action(
        "credit", _("Prepare the credit"), services.prepare_credit, permission="billing.charge_order",
        form=GoodsCreditForm, allowed=services.credit_blocked, primary=True, icon="receipt-refund",
        done=_("The credit is prepared; a second person decides, then the credit note is issued."),
        consequences=lambda _task: [
            _t("propose a deduction that a second person decides on"),
            _t("put it on a credit note, or take it off the invoice that completes the order"),
        ],
    )
)  # fmt: skip


def _propose(order: Order, *, key: str, **data: Any) -> OrderCharge:
    return services.add_charge(order, key=f"form:{key}", **data)  # keys of our own are none that a browser can send


ADD_CHARGE = Action(
    "add-charge", _("Propose a charge or deduction"), _propose, permission="billing.charge_order",
    form=ChargeForm, icon="plus", when=lambda order: order.state in _OPEN, done=_("It waits for a second person."),
)  # fmt: skip
BILL_CHARGES = Action(
    "bill-charges", _("Issue a debit note"), services.bill_charges, permission="billing.issue_invoice", icon="send",
    primary=True, when=lambda order: order.state in _OPEN and _left(order, deductions=False),
    done=_("The debit note is issued."),
    consequences=lambda order: [
        _t("issue a debit note over %(amount)s %(currency)s")
        % {"amount": _sum(order, deductions=False), "currency": order.currency}
    ],
)  # fmt: skip
CREDIT_CHARGES = Action(
    "credit-charges", _("Issue a credit note"), services.credit_charges, permission="billing.credit_invoice",
    icon="receipt-refund", danger=True, when=lambda order: order.state in _OPEN and _left(order, deductions=True),
    done=_("The credit note is issued."),
    consequences=lambda order: [
        _t("issue a credit note over %(amount)s %(currency)s")
        % {"amount": _sum(order, deductions=True), "currency": order.currency},
        _t("turn what was paid beyond that into the customer's credit"),
    ],
)  # fmt: skip

DRAW_ACCOUNT = Action(
    "draw-account", _("Draw up the final account"), services.draw_account, permission="billing.draw_account",
    icon="calculator", when=lambda order: order.state == Order.State.ACCEPTED,
    done=_("The final account is drawn up; somebody else freezes it."),
    consequences=lambda order: [
        _t("draw up the next version over %(amount)s %(currency)s")
        % {"amount": order.money(order.final_gross), "currency": order.currency},
        _t("take the version before out of force"),
    ],
)  # fmt: skip
FREEZE_ACCOUNT = Action(
    "freeze-account", _("Freeze the final account"), services.freeze_account, permission="billing.freeze_account",
    icon="lock", primary=True, done=_("The final account is frozen."), allowed_for=services.freeze_blocked,
    when=lambda order: order.state == Order.State.ACCEPTED and order.final_amount is None,
    consequences=lambda order: [
        _t("confirm %(amount)s %(currency)s as the final amount")
        % {"amount": order.money(order.final_gross), "currency": order.currency},
        _t("let nothing but a new version change it"),
    ],
)  # fmt: skip


def charge_actions(order: Order, user: Any) -> list[Action]:
    """What this person may do about the charges of an order as a whole."""
    return [one for one in (ADD_CHARGE, BILL_CHARGES, CREDIT_CHARGES) if one.offered(order, user)]


ORDER_BILLING_ACTIONS = ActionSet(
    DRAW_ACCOUNT, FREEZE_ACCOUNT, SETTLE, REOPEN, ADD_CHARGE, BILL_CHARGES, CREDIT_CHARGES
)


def add_to_orders(actions: Any) -> None:
    """Offers the end of the account on the order's own page."""
    actions.add(SETTLE)
    actions.add(REOPEN)
