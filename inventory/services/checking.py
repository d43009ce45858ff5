"""What every verb asks first: may this person do it, and is the quantity one that the unit allows."""

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from inventory.models import Product, Unit
from ordermgmt.activity.services import origin
from ordermgmt.lib.conflict import StaleVersion

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

LARGEST = Decimal(10) ** 9
#: A lead time in days: longer ones would end after the calendar does.
LONGEST = 3650


def may(actor: "User", permission: str) -> bool:
    """Whether the person holds the right; an import acts with the right to import."""
    if actor.has_perm(permission):
        return True
    return origin.get().source == "import" and actor.has_perm("documents.import_data")


def require(actor: "User", permission: str) -> None:
    """Raises PermissionDenied where the person may not."""
    if not may(actor, permission):
        raise PermissionDenied(permission)


def fits_unit(quantity: Decimal, unit: Unit) -> bool:
    """Whether a quantity has no more decimals than its unit counts."""
    return quantity == quantity.quantize(Decimal(1).scaleb(-unit.decimals), rounding=ROUND_HALF_UP)


def check_quantity(product: Product, quantity: Decimal, *, signed: bool = False, field: str = "quantity") -> Decimal:
    """The quantity, if it is one that the product's unit allows.

    Raises ValidationError at `field` for zero, for a negative one (unless `signed`), for too many decimals and for
    more than a billion.
    """
    if quantity == 0 or (quantity < 0 and not signed):
        raise ValidationError({field: _("Enter a quantity above zero.")})
    if abs(quantity) >= LARGEST:
        raise ValidationError({field: _("This quantity is too large.")})
    if not fits_unit(quantity, product.unit):
        if product.unit.decimals == 0:
            raise ValidationError({field: _("%(sku)s is counted in whole units (%(unit)s).") % _names(product)})
        raise ValidationError(
            {field: _("%(sku)s is counted with at most %(decimals)s decimals (%(unit)s).") % _names(product)}
        )
    return quantity


def _names(product: Product) -> dict[str, object]:
    return {"sku": product.sku, "unit": product.unit.code, "decimals": product.unit.decimals}


def check_lead_days(days: int) -> None:
    """Raises ValidationError for a lead time of more than ten years."""
    if days > LONGEST:
        raise ValidationError({"lead_days": _("At most %(most)s days.") % {"most": LONGEST}})


def plain(quantity: Decimal) -> str:
    """A quantity as people write it: no trailing zeros, no exponent."""
    return format(quantity.normalize(), "f")


def check_version(instance: Any, version: int | None) -> None:
    """Raises StaleVersion where `version` (None: not asked, as in imports) is not that of the locked `instance`."""
    if version is not None and instance.version != version:
        raise StaleVersion(instance)
