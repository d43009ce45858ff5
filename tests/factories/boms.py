"""Bills of material of the tests, by the real verbs."""

from decimal import Decimal
from typing import Any

from inventory.models import BomLine, Product
from inventory.services import save_bom_line

from .inventory import make_product, person, unit


def goes_into(product: Product, component: Product, quantity: Any = 1, scrap: Any = 0, **fields: Any) -> BomLine:
    """One unit of the product takes so much of the component."""
    return save_bom_line(
        product, component=component, quantity=Decimal(str(quantity)), scrap_percent=Decimal(str(scrap)),
        actor=person("pm"), **fields,
    )  # fmt: skip


def conveyor() -> dict[str, Product]:
    """Three levels: a conveyor of a frame (steel, 10 % cut off), a drive (motor, shaft of round steel) and 24 bolts."""
    made = {"is_stocked": False}
    found = {
        "conveyor": make_product("B-CONV", name="Conveyor", **made), "frame": make_product("B-FRAME", name="Frame", **made),
        "drive": make_product("B-DRIVE", name="Drive", **made), "shaft": make_product("B-SHAFT", name="Shaft", **made),
        "steel": make_product("B-STEEL", name="Steel profile 型材", unit=unit("m")),
        "round": make_product("B-ROUND", name="Round steel", unit=unit("m")),
        "motor": make_product("B-MOTOR", name="Motor"), "bolt": make_product("B-BOLT", name="Bolt"),
    }  # fmt: skip
    goes_into(found["conveyor"], found["frame"], position=10)
    goes_into(found["conveyor"], found["drive"], 2, position=20)
    goes_into(found["conveyor"], found["bolt"], 24, "2.5", position=30)
    goes_into(found["frame"], found["steel"], "6.4", 10)
    goes_into(found["drive"], found["motor"])
    goes_into(found["drive"], found["shaft"], position=20)
    goes_into(found["shaft"], found["round"], "0.75", 5)
    return found
