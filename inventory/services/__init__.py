"""Verbs of inventory: the only way its data is written."""

from .adjusting import Counted, adjust_stock, approve_adjustment, count_stock, needs_approval, reject_adjustment
from .availability import arrivals, free_quantities, free_quantity, incoming_quantities, reserved_quantities
from .boms import Boms, Exploded, boms_of, explode, remove_bom_line, rounded_up, save_bom_line, where_used
from .catalogue import create_product, edit_product, save_setup, save_template
from .checking import check_quantity, fits_unit, plain
from .ledger import InsufficientStock, Shortage
from .moving import open_stock, receive_stock, return_stock
from .past_purchases import PastLine, import_purchase
from .purchasing import (
    add_purchase_line,
    best_price,
    cancel_purchase,
    close_purchase,
    confirm_purchase,
    draft_purchase,
    order_purchase,
    purchase_needs,
    purchase_shortages,
    remove_purchase_line,
)
from .ranking import Offer, Wish, rank_offers
from .rating import SupplierRecord, supplier_record, supplier_records
from .receiving import Came, receive_purchase, return_purchase
from .replacing import replace_supplier
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
    "Boms",
    "Came",
    "Counted",
    "Exploded",
    "InsufficientStock",
    "IssueRequest",
    "Offer",
    "PastLine",
    "ReservationRequest",
    "Shortage",
    "SupplierRecord",
    "Wish",
    "add_purchase_line",
    "adjust_stock",
    "approve_adjustment",
    "arrivals",
    "best_price",
    "boms_of",
    "cancel_purchase",
    "check_quantity",
    "close_purchase",
    "confirm_purchase",
    "count_stock",
    "create_product",
    "create_supplier",
    "describe_specification",
    "draft_purchase",
    "edit_product",
    "edit_supplier",
    "explode",
    "fits_unit",
    "free_quantities",
    "free_quantity",
    "import_purchase",
    "incoming_quantities",
    "issue_all",
    "issue_reserved",
    "needs_approval",
    "open_stock",
    "order_purchase",
    "plain",
    "purchase_needs",
    "purchase_shortages",
    "rank_offers",
    "receive_purchase",
    "receive_stock",
    "reject_adjustment",
    "release",
    "release_quantity",
    "remove_bom_line",
    "remove_purchase_line",
    "remove_supplier_price",
    "replace_supplier",
    "reserve",
    "reserved_quantities",
    "return_purchase",
    "return_stock",
    "rounded_up",
    "save_bom_line",
    "save_setup",
    "save_template",
    "set_supplier_price",
    "supplier_record",
    "supplier_records",
    "validate_specification",
    "where_used",
]
