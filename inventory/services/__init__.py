"""Verbs of inventory: the only way its data is written."""

from .adjusting import Counted, adjust_stock, approve_adjustment, count_stock, needs_approval, reject_adjustment
from .availability import arrivals, free_quantities, free_quantity, incoming_quantities, reserved_quantities
from .boms import Boms, Exploded, boms_of, explode, remove_bom_line, rounded_up, save_bom_line, where_used
from .catalogue import create_product, edit_product, save_setup, save_template
from .checking import check_quantity, fits_unit, plain
from .ledger import InsufficientStock, Shortage
from .moving import lock_stock, open_stock, receive_stock, return_stock, stock_rows
from .papers import (
    ask_paper,
    keep_purchase_paper,
    mail_purchase,
    note_purchase_sent,
    paper_blocked,
    paper_hash,
    paper_key,
    paper_of,
    purchase_mails,
    retry_purchase_mail,
)
from .past_purchases import PastLine, import_purchase
from .purchasing import (
    add_purchase_line,
    best_price,
    cancel_purchase,
    close_purchase,
    confirm_purchase,
    draft_purchase,
    one_buyer_at_a_time,
    order_purchase,
    purchase_needs,
    purchase_shortages,
    remove_purchase_line,
)
from .ranking import Offer, Wish, rank_offers
from .rating import SupplierRecord, supplier_record, supplier_records
from .receiving import Came, receive_purchase, return_purchase
from .reducing import reduce_purchase
from .replacing import replace_supplier, set_needed_by
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
from .using import put_back, use_stock

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
    "ask_paper",
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
    "keep_purchase_paper",
    "lock_stock",
    "mail_purchase",
    "needs_approval",
    "note_purchase_sent",
    "one_buyer_at_a_time",
    "open_stock",
    "order_purchase",
    "paper_blocked",
    "paper_hash",
    "paper_key",
    "paper_of",
    "plain",
    "purchase_mails",
    "purchase_needs",
    "purchase_shortages",
    "put_back",
    "rank_offers",
    "receive_purchase",
    "receive_stock",
    "reduce_purchase",
    "reject_adjustment",
    "release",
    "release_quantity",
    "remove_bom_line",
    "remove_purchase_line",
    "remove_supplier_price",
    "replace_supplier",
    "reserve",
    "reserved_quantities",
    "retry_purchase_mail",
    "return_purchase",
    "return_stock",
    "rounded_up",
    "save_bom_line",
    "save_setup",
    "save_template",
    "set_needed_by",
    "set_supplier_price",
    "stock_rows",
    "supplier_record",
    "supplier_records",
    "use_stock",
    "validate_specification",
    "where_used",
]
