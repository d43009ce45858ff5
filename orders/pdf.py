"""The quotation of a draft, and the confirmation of a placed order, in the customer's language."""

from inventory.services import describe_specification
from ordermgmt.lib.pdf import render_pdf
from orders.models import Order, OrderLine
from orders.services import totals_of

#: Longer orders are printed by the worker.
MOST_LINES_AT_ONCE = 300


def order_pdf(order: Order) -> bytes:
    """The order as it stands now: a quotation while it is a draft, a confirmation afterwards."""
    lines = [line for line in _printed_lines(order) if line.due > 0]
    seller = order.seller
    images = {"logo": (bytes(seller.logo), seller.logo_type or "image/png")} if seller.logo else {}
    context = {
        "order": order,
        "seller": seller,
        "logo": bool(images),
        "lines": [
            (line, describe_specification(line.product, line.specification) if line.product else []) for line in lines
        ],
        "totals": totals_of(order, lines),
        "has_discount": any(line.discount_percent for line in lines),
        "is_quotation": order.state == Order.State.DRAFT,
    }
    return render_pdf("orders/pdf/order.html", context, language=order.language, images=images)


def _printed_lines(order: Order) -> list[OrderLine]:
    """The lines with everything that is printed, in a fixed number of queries."""
    related = order.lines.select_related("product__specification_template")
    return list(related.prefetch_related("product__specification_template__attributes"))
