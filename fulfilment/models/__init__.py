"""Models of the plan, shipping, acceptance, rectification and returns."""

from .acceptance import Acceptance, AcceptanceLine, Rectification
from .criteria import AcceptancePhoto, AgreedCriterion, CriterionTemplate, Finding
from .deeming import AcceptanceCertificate, AcceptanceTerm
from .plan import Milestone, MilestoneLink
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
    "CriterionTemplate",
    "Finding",
    "GoodsReturn",
    "GoodsReturnLine",
    "Milestone",
    "MilestoneLink",
    "Rectification",
    "Replacement",
    "Risk",
    "Shipment",
    "ShipmentLine",
]
