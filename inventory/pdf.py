"""A purchase order as the supplier gets it: what is bought and at what price; no cost or margin of ours."""

from inventory.models import PurchaseOrder, SupplierPrice
from ordermgmt.company.services import default_seller
from ordermgmt.lib.pdf import render_pdf

_SHOWN = ("name", "address", "phone", "email", "website", "registration", "vat_id", "tax_id")


def purchase_paper(order: PurchaseOrder) -> bytes:
    """The document in the supplier's language, with their article numbers where they are known."""
    lines = list(order.lines.select_related("product"))
    prices = SupplierPrice.objects.filter(supplier=order.supplier, product__in=[line.product_id for line in lines])
    theirs = dict(prices.exclude(supplier_sku="").values_list("product_id", "supplier_sku"))
    rows = [{"line": line, "theirs": theirs.get(line.product_id or 0, "")} for line in lines]
    seller = default_seller()
    context = {"order": order, "rows": rows, "seller": {name: getattr(seller, name, "") for name in _SHOWN}}
    return render_pdf("inventory/pdf/purchase.html", context, language=order.supplier.language)
