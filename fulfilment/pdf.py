"""Pick list, delivery note and certificate of acceptance: what was fetched, delivered and taken, without any price."""

from collections.abc import Sequence

from django.db.models import prefetch_related_objects

from fulfilment.models import Acceptance, Shipment
from fulfilment.services import Pick, targets
from inventory.services import describe_specification
from ordermgmt.lib.pdf import render_pdf
from orders.models import Order


def delivery_note(shipment: Shipment) -> bytes:
    """The delivery note of a shipment in the language of the order's documents."""
    order = shipment.order
    lines = list(shipment.lines.select_related("order_line__product__specification_template"))
    prefetch_related_objects(lines, "order_line__product__specification_template__attributes")
    rows = [
        {
            "line": line.order_line,
            "quantity": line.quantity,
            "specification": _specification(line.order_line),
        }
        for line in lines
    ]
    ids = {line.order_line_id for line in lines}
    context = {
        "shipment": shipment, "order": order, "rows": rows, "seller": _sender(order),
        "files": [one.file for one in shipment.files.select_related("file")],
        "targets": [one for one in targets(order) if one.criterion.order_line_id in ids],
    }  # fmt: skip
    return render_pdf("fulfilment/pdf/delivery_note.html", context, language=order.language)


def acceptance_certificate(order: Order) -> bytes:
    """What was delivered and accepted, round by round, in the language of the order's documents; without any price."""
    parts = ("findings__criterion", "lines__order_line")
    rounds = list(Acceptance.objects.filter(order=order).prefetch_related(*parts).order_by("pk"))
    last = rounds[-1] if rounds else None
    context = {
        "order": order, "rounds": rounds, "last": last, "lines": order.order_lines, "seller": _sender(order),
        "targets": targets(order),
    }  # fmt: skip
    return render_pdf("fulfilment/pdf/certificate.html", context, language=order.language)


def pick_list(order: Order, picks: Sequence[Pick], *, language: str) -> bytes:
    """What is to be fetched for an order, with a box to tick for each, and what is still being made."""
    context = {
        "order": order, "picks": [one for one in picks if one.quantity],
        "waiting": [one for one in picks if one.waiting], "seller": _sender(order),
    }  # fmt: skip
    return render_pdf("fulfilment/pdf/pick_list.html", context, language=language)


def _specification(line: object) -> list[tuple[str, str]]:
    product = getattr(line, "product", None)
    return describe_specification(product, getattr(line, "specification", {})) if product else []


def _sender(order: Order) -> dict[str, object]:
    """The seller as the head of the document shows it."""
    seller = order.seller
    shown = ("name", "address", "phone", "email", "website", "registration", "vat_id", "tax_id")
    return {name: getattr(seller, name, "") for name in shown}
