"""Models of the plan, shipping, acceptance, rectification and returns."""

from .acceptance import Acceptance, AcceptanceLine, Rectification
from .capacity import CalendarException, CapacityBooking, CentreDay, RoutingStep, Shift, WorkCentre
from .criteria import AcceptancePhoto, AgreedCriterion, CriterionTemplate, Finding
from .deeming import AcceptanceCertificate, AcceptanceTerm
from .defect import Defect
from .feed import CalendarFeed
from .feedback import CorrectiveAction, Feedback, FeedbackLink, FeedbackPlan
from .inspection import Inspection, InspectionFinding, InspectionLine, InspectionPhoto
from .material import MaterialNeed, MaterialSupply
from .plan import Milestone, MilestoneLink
from .plan_template import PlanStep, PlanStepLink, PlanTemplate
from .production import MaterialUse, Production
from .returning import GoodsReturn, GoodsReturnLine, Replacement
from .risk import Risk
from .risk_setting import RiskCategory, RiskLevel, RiskScale
from .shipment import Shipment, ShipmentFile, ShipmentLine
from .staff import Assignment, CostRate, HoursLock, Skill, StaffMember, StaffSkill, WorkedHours

__all__ = [
    "Acceptance",
    "AcceptanceCertificate",
    "AcceptanceLine",
    "AcceptancePhoto",
    "AcceptanceTerm",
    "AgreedCriterion",
    "Assignment",
    "CalendarException",
    "CalendarFeed",
    "CapacityBooking",
    "CentreDay",
    "CorrectiveAction",
    "CostRate",
    "CriterionTemplate",
    "Defect",
    "Feedback",
    "FeedbackLink",
    "FeedbackPlan",
    "Finding",
    "GoodsReturn",
    "GoodsReturnLine",
    "HoursLock",
    "Inspection",
    "InspectionFinding",
    "InspectionLine",
    "InspectionPhoto",
    "MaterialNeed",
    "MaterialSupply",
    "MaterialUse",
    "Milestone",
    "MilestoneLink",
    "PlanStep",
    "PlanStepLink",
    "PlanTemplate",
    "Production",
    "Rectification",
    "Replacement",
    "Risk",
    "RiskCategory",
    "RiskLevel",
    "RiskScale",
    "RoutingStep",
    "Shift",
    "Shipment",
    "ShipmentFile",
    "ShipmentLine",
    "Skill",
    "StaffMember",
    "StaffSkill",
    "WorkCentre",
    "WorkedHours",
]
