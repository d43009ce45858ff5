"""Verbs of fulfilment: the only way its data is written."""

from .accepting import LineResult, record_acceptance, waive_acceptance
from .boarding import board, board_mark, refusal
from .booking import book_capacity, book_needs, booking_blocked, release_booking, release_order
from .capacity import load, order_needs
from .centres import add_exception, remove_exception, remove_routing_step, save_centre, save_routing_step
from .criteria import (
    Found,
    add_criterion,
    agree_blocked,
    drop_criterion,
    open_criteria,
    save_criterion_template,
    take_over_criteria,
    tolerance,
)
from .deeming import agree_term, deem_due, deemed_on, keep_certificate
from .feeding import calendar_entries, read_feed, renew_feed, revoke_feed
from .importing import Step, import_plan
from .planning import (
    add_milestone,
    change_milestone,
    follow_promise,
    move_milestone,
    plan_blocked,
    plan_conflicts,
    reach_blocked,
    reach_milestone,
    remove_milestone,
    reopen_milestone,
)
from .promising import promise_lines
from .rectifying import complete_rectification, start_rectification
from .returning import ReturnedPart, return_blocked, return_goods, returnable_lines
from .risking import add_risk, close_risk, realise_risk, review_risk
from .shipping import (
    confirm_arrival,
    deliver_service,
    is_service,
    keep_delivery_note,
    note_key,
    ship_order,
    shippable_lines,
    track_shipment,
)
from .templating import TemplateStep, apply_plan, save_plan_template
from .watching import SELECTIONS, reasons, watched, with_reasons

__all__ = [
    "SELECTIONS",
    "Found",
    "LineResult",
    "ReturnedPart",
    "Step",
    "TemplateStep",
    "add_criterion",
    "add_exception",
    "add_milestone",
    "add_risk",
    "agree_blocked",
    "agree_term",
    "apply_plan",
    "board",
    "board_mark",
    "book_capacity",
    "book_needs",
    "booking_blocked",
    "calendar_entries",
    "change_milestone",
    "close_risk",
    "complete_rectification",
    "confirm_arrival",
    "deem_due",
    "deemed_on",
    "deliver_service",
    "drop_criterion",
    "follow_promise",
    "import_plan",
    "is_service",
    "keep_certificate",
    "keep_delivery_note",
    "load",
    "move_milestone",
    "note_key",
    "open_criteria",
    "order_needs",
    "plan_blocked",
    "plan_conflicts",
    "promise_lines",
    "reach_blocked",
    "reach_milestone",
    "read_feed",
    "realise_risk",
    "reasons",
    "record_acceptance",
    "refusal",
    "release_booking",
    "release_order",
    "remove_exception",
    "remove_milestone",
    "remove_routing_step",
    "renew_feed",
    "reopen_milestone",
    "return_blocked",
    "return_goods",
    "returnable_lines",
    "review_risk",
    "revoke_feed",
    "save_centre",
    "save_criterion_template",
    "save_plan_template",
    "save_routing_step",
    "ship_order",
    "shippable_lines",
    "start_rectification",
    "take_over_criteria",
    "tolerance",
    "track_shipment",
    "waive_acceptance",
    "watched",
    "with_reasons",
]
