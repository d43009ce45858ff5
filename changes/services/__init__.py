"""Verbs of change requests."""

from .acknowledging import acknowledge_change, mine
from .applying import apply_change
from .approving import (
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
from .chasing import remind_changes
from .comparing import Comparison, compare_order, operations_from
from .impact import Impact, impact_of
from .judging import assess_change, bound_hash, moved, reassess_change, record_consent
from .operations import ALLOWED, Op, amendment_of, check_operations, operations_of, plain
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

__all__ = [
    "ALLOWED", "Comparison", "Impact", "Op", "acknowledge_change", "acts_for", "amendment_of", "apply_change", "approval_blocked", "approve_change",
    "assess_change", "bound_hash", "check_operations", "compare_order", "delegate", "edit_change", "end_delegation",
    "excluded", "impact_of", "mine", "moved", "next_step", "operations_from", "operations_of", "plain", "raise_change",
    "reassess_change", "record_consent", "refuse_change", "register_of", "remind_changes", "replay", "save_reason", "save_rule", "submit_change", "summed",
    "take_back_change", "waiting_for", "withdraw_change",
]  # fmt: skip
