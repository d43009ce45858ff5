"""Orders, their lines and their history."""

from .history import OrderAmendment, OrderApproval, OrderStep, OrderVersion
from .line import OrderLine, content_hash, order_content
from .order import Order, OrderQuerySet
from .template import OrderTemplate, OrderTemplateLine

__all__ = [
    "Order",
    "OrderAmendment",
    "OrderApproval",
    "OrderLine",
    "OrderQuerySet",
    "OrderStep",
    "OrderTemplate",
    "OrderTemplateLine",
    "OrderVersion",
    "content_hash",
    "order_content",
]
