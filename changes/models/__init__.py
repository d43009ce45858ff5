"""Change requests: what is to become of a placed order, who judged it, who agreed, who knows."""

from .acknowledgement import Acknowledgement
from .approval import ApprovalGrant, ApprovalRule, ApprovalRuleStep, ApprovalStep, Delegation
from .change import ChangeReason, ChangeRequest, ChangeRequestQuerySet
from .judging import Assessment, Consent
from .operation import Operation
from .purchase import PurchaseDecision

__all__ = [
    "Acknowledgement", "ApprovalGrant", "ApprovalRule", "ApprovalRuleStep", "ApprovalStep", "Assessment", "ChangeReason", "ChangeRequest",
    "ChangeRequestQuerySet", "Consent", "Delegation", "Operation", "PurchaseDecision",
]  # fmt: skip
