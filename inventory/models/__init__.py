"""Models of products, suppliers and stock."""

from .bom import BomLine
from .catalogue import Product, ProductCategory, SpecificationAttribute, SpecificationTemplate, Unit
from .purchase import PurchaseLine, PurchaseOrder, Receipt, ReceiptLine
from .purchase_paper import PurchaseMail, PurchasePaper
from .stock import Reservation, StockAdjustment, StockItem, StockMovement, Warehouse
from .supplier import Supplier, SupplierPrice

__all__ = [
    "BomLine",
    "Product",
    "ProductCategory",
    "PurchaseLine",
    "PurchaseMail",
    "PurchaseOrder",
    "PurchasePaper",
    "Receipt",
    "ReceiptLine",
    "Reservation",
    "SpecificationAttribute",
    "SpecificationTemplate",
    "StockAdjustment",
    "StockItem",
    "StockMovement",
    "Supplier",
    "SupplierPrice",
    "Unit",
    "Warehouse",
]
