"""Verbs of inventory: the only way its data is written."""

from .adjusting import Counted, adjust_stock, approve_adjustment, count_stock, needs_approval, reject_adjustment
from .availability import free_quantities, free_quantity, reserved_quantities
from .catalogue import create_product, edit_product, save_setup, save_template
from .checking import check_quantity, fits_unit, plain
from .ledger import InsufficientStock, Shortage
from .moving import open_stock, receive_stock, return_stock
from .reserving import (
    IssueRequest,
    ReservationRequest,
    issue_all,
    issue_reserved,
    release,
    release_quantity,
    reserve,
)
from .specifying import describe_specification, validate_specification
from .supplying import create_supplier, edit_supplier, remove_supplier_price, set_supplier_price

__all__ = [
    "Counted",
    "InsufficientStock",
    "IssueRequest",
    "ReservationRequest",
    "Shortage",
    "adjust_stock",
    "approve_adjustment",
    "check_quantity",
    "count_stock",
    "create_product",
    "create_supplier",
    "describe_specification",
    "edit_product",
    "edit_supplier",
    "fits_unit",
    "free_quantities",
    "free_quantity",
    "issue_all",
    "issue_reserved",
    "needs_approval",
    "open_stock",
    "plain",
    "receive_stock",
    "reject_adjustment",
    "release",
    "release_quantity",
    "remove_supplier_price",
    "reserve",
    "reserved_quantities",
    "return_stock",
    "save_setup",
    "save_template",
    "set_supplier_price",
    "validate_specification",
]
