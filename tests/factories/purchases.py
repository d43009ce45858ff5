"""Suppliers and purchase orders of the tests, by the real services: Paula orders, Walter receives."""

from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from inventory.models import Product, PurchaseOrder, Receipt, Supplier, SupplierPrice
from inventory.services import Came, create_supplier, draft_purchase, order_purchase, receive_purchase
from ordermgmt.accounts.services import system_user

from .inventory import make_product, person

_serial = count(1)


def supplier(name: str = "", **fields: Any) -> Supplier:
    """Somebody we buy from."""
    return create_supplier(actor=system_user(), name=name or f"Steel Works {next(_serial)}", **fields)


def offers(who: Supplier, product: Product, price: Any, **fields: Any) -> SupplierPrice:
    """What a supplier asks for a product."""
    return SupplierPrice.objects.create(
        supplier=who, product=product, price=Decimal(str(price)), currency=who.currency, **fields
    )


def drafted(*quantities: Any, who: Supplier | None = None, **header: Any) -> PurchaseOrder:
    """A draft with a new product per quantity, at 8 each."""
    rows = [{"product": make_product(), "quantity": Decimal(str(one)), "unit_price": Decimal(8)} for one in quantities]
    return draft_purchase(who or supplier(), lines=rows, actor=person("pm"), **header)


def ordered(*quantities: Any, **given: Any) -> PurchaseOrder:
    """The supplier has it."""
    return order_purchase(drafted(*(quantities or (10,)), **given), actor=person("pm"))


def received(order: PurchaseOrder, *came: Came, **given: Any) -> Receipt:
    """What came of the lines, in their order."""
    lines = [line.pk for line in order.lines.all()]
    given.setdefault("key", uuid4().hex)
    return receive_purchase(order, came=dict(zip(lines, came, strict=False)), actor=person("warehouse"), **given)
