"""Verbs of orders."""

from ordermgmt.lib.conflict import StaleVersion

from .amending import Amended, Amendment, amend_order, amended
from .approving import ask_approval, decide_approval
from .base import agreed_versions, locked
from .cancelling import agree_termination, cancel_order, end_amended, terminate_order
from .delivering import accept_order, extend_order, finish_order, redeliver_order, reject_order
from .entering import (
    LINE,
    build_lines,
    change_customer,
    create_order,
    delete_draft,
    duplicate_order,
    edit_order,
    list_price,
    places_of,
)
from .facts import (
    REQUESTS_COUNTED,
    note_accepted,
    note_changes,
    note_charges,
    note_drafts,
    note_final,
    note_invoiced,
    note_paid,
    note_plan,
    note_produced,
    note_rectified,
    note_returned,
    note_shipped,
)
from .holding import hold_order, resume_order
from .importing import check_currency, import_order, import_result
from .placing import HOLDER, place_order
from .promising import (
    Promise,
    arriving,
    by_lead_time,
    order_promise,
    promised_by,
    promises,
    stock_promise,
    too_early,
    unclaimed,
)
from .quoting import quote_order
from .settling import reopen_order, settle_order
from .starting import assign_order, schedule_order, start_order, waive_deposit
from .taxing import propose_for, tax_proposal
from .templating import delete_template, save_template, share_template
from .totals import apply_totals, rules_of, totals_of

__all__ = [
    "HOLDER",
    "LINE",
    "REQUESTS_COUNTED",
    "Amended",
    "Amendment",
    "Promise",
    "StaleVersion",
    "accept_order",
    "agree_termination",
    "agreed_versions",
    "amend_order",
    "amended",
    "apply_totals",
    "arriving",
    "ask_approval",
    "assign_order",
    "build_lines",
    "by_lead_time",
    "cancel_order",
    "change_customer",
    "check_currency",
    "create_order",
    "decide_approval",
    "delete_draft",
    "delete_template",
    "duplicate_order",
    "edit_order",
    "end_amended",
    "extend_order",
    "finish_order",
    "hold_order",
    "import_order",
    "import_result",
    "list_price",
    "locked",
    "note_accepted",
    "note_changes",
    "note_charges",
    "note_drafts",
    "note_final",
    "note_invoiced",
    "note_paid",
    "note_plan",
    "note_produced",
    "note_rectified",
    "note_returned",
    "note_shipped",
    "order_promise",
    "place_order",
    "places_of",
    "promised_by",
    "promises",
    "propose_for",
    "quote_order",
    "redeliver_order",
    "reject_order",
    "reopen_order",
    "resume_order",
    "rules_of",
    "save_template",
    "schedule_order",
    "settle_order",
    "share_template",
    "start_order",
    "stock_promise",
    "tax_proposal",
    "terminate_order",
    "too_early",
    "totals_of",
    "unclaimed",
    "waive_deposit",
]  # fmt: skip
