"""Verbs of change requests."""

from .acknowledging import acknowledge_change, mine
from .applying import apply_change
from .approving import (
    able_to_grant,
    acts_for,
    approval_blocked,
    approve_change,
    delegate,
    end_delegation,
    excluded,
    next_step,
    save_rule,
    waiting_for,
)
from .by_customer import ask_as_customer, consent_as_customer, decline_as_customer, withdraw_as_customer
from .chasing import remind_changes
from .comparing import Comparison, compare_order, operations_from
from .impact import Impact, impact_of
from .judging import assess_change, bound_hash, moved, reassess_change, record_consent
from .looking_back import compare_decided, kept_impact
from .operations import ALLOWED, amendment_of, check_operations, operations_of, takes_none
from .purchases import decisions_of, keep_purchase, spare, take_off_purchase
from .raising import (
    edit_change,
    raise_change,
    refuse_change,
    save_reason,
    submit_change,
    take_back_change,
    withdraw_change,
)
from .registers import register_of
from .replaying import replay
from .ruling import summed
from .values import Op, Problem, WrongOperations, plain

__all__ = [
    "ALLOWED",
    "Comparison",
    "Impact",
    "Op",
    "Problem",
    "WrongOperations",
    "able_to_grant",
    "acknowledge_change",
    "acts_for",
    "amendment_of",
    "apply_change",
    "approval_blocked",
    "approve_change",
    "ask_as_customer",
    "assess_change",
    "bound_hash",
    "check_operations",
    "compare_decided",
    "compare_order",
    "consent_as_customer",
    "decisions_of",
    "decline_as_customer",
    "delegate",
    "edit_change",
    "end_delegation",
    "excluded",
    "impact_of",
    "keep_purchase",
    "kept_impact",
    "mine",
    "moved",
    "next_step",
    "operations_from",
    "operations_of",
    "plain",
    "raise_change",
    "reassess_change",
    "record_consent",
    "refuse_change",
    "register_of",
    "remind_changes",
    "replay",
    "save_reason",
    "save_rule",
    "spare",
    "submit_change",
    "summed",
    "take_back_change",
    "take_off_purchase",
    "takes_none",
    "waiting_for",
    "withdraw_as_customer",
    "withdraw_change",
]  # fmt: skip
