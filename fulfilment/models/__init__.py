"""Models of the plan, shipping, acceptance, rectification and returns."""

from .acceptance import Acceptance, AcceptanceLine, Rectification
from .capacity import CalendarException, CapacityBooking, CentreDay, RoutingStep, Shift, WorkCentre
from .criteria import AcceptancePhoto, AgreedCriterion, CriterionTemplate, Finding
from .deeming import AcceptanceCertificate, AcceptanceTerm
from .feed import CalendarFeed
from .feedback import CorrectiveAction, Feedback, FeedbackLink, FeedbackPlan
from .material import MaterialNeed, MaterialSupply
from .plan import Milestone, MilestoneLink
from .plan_template import PlanStep, PlanStepLink, PlanTemplate
from .returning import GoodsReturn, GoodsReturnLine, Replacement
from .risk import Risk
from .shipment import Shipment, ShipmentLine

__all__ = [
    "Acceptance",
    "AcceptanceCertificate",
    "AcceptanceLine",
    "AcceptancePhoto",
    "AcceptanceTerm",
    "AgreedCriterion",
    "CalendarException",
    "CalendarFeed",
    "CapacityBooking",
    "CentreDay",
    "CorrectiveAction",
    "CriterionTemplate",
    "Feedback",
    "FeedbackLink",
    "FeedbackPlan",
    "Finding",
    "GoodsReturn",
    "GoodsReturnLine",
    "MaterialNeed",
    "MaterialSupply",
    "Milestone",
    "MilestoneLink",
    "PlanStep",
    "PlanStepLink",
    "PlanTemplate",
    "Rectification",
    "Replacement",
    "Risk",
    "RoutingStep",
    "Shift",
    "Shipment",
    "ShipmentLine",
    "WorkCentre",
]
