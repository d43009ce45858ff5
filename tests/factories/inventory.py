"""Products and stock for the tests, through the real services."""

from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from inventory.models import Product, StockItem, Unit, Warehouse
from inventory.services import create_product, receive_stock
from ordermgmt.accounts.models import User
from ordermgmt.accounts.services import system_user

_serial = count(1)


def person(key: str) -> User:
    """Somebody of the cast."""
    return User.objects.get(email=f"{key}@example.com")


def unit(code: str = "pcs") -> Unit:
    """A standard unit."""
    return Unit.objects.get(code=code)


def main_warehouse() -> Warehouse:
    """The default warehouse."""
    return Warehouse.objects.get(is_default=True)


def make_product(sku: str = "", **fields: Any) -> Product:
    """A product, sold and kept in stock unless said otherwise."""
    fields.setdefault("name", "Centrifugal pump")
    fields.setdefault("unit", unit())
    fields.setdefault("list_price", Decimal(100))
    fields.setdefault("cost", Decimal(60))
    return create_product(actor=system_user(), sku=sku or f"T-{next(_serial):04d}-{uuid4().hex[:4]}", **fields)


def put_stock(product: Product, quantity: Decimal | int, warehouse: Warehouse | None = None) -> StockItem:
    """So much of the product comes in."""
    return receive_stock(
        product, warehouse or main_warehouse(), Decimal(quantity), key=f"test:{uuid4().hex}", actor=system_user()
    )


def seed() -> None:
    """SKU-1 with 10 pieces, SKU-2 with 250 kg, and a service."""
    if Product.objects.filter(sku="SKU-1").exists():
        return
    put_stock(make_product("SKU-1", name="Pump P100"), 10)
    put_stock(make_product("SKU-2", name="不锈钢管 Steel pipe", unit=unit("kg"), list_price=Decimal("12.5")), 250)
    make_product("SVC-1", name="Installation", kind=Product.Kind.SERVICE, unit=unit("h"), list_price=Decimal(80))
