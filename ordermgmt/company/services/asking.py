"""Questions to the company's settings."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from ordermgmt.company.models import SellerProfile, TaxProfile, TaxRate

from .setup import ensure_company


class NoTaxRate(LookupError):
    """The profile has no rate for this category on this day."""


def default_seller() -> SellerProfile:
    """The seller that new orders belong to; made with plain defaults on a new installation."""
    seller = SellerProfile.objects.select_related("tax_profile").filter(is_default=True).first()
    return seller or ensure_company()


def business_today() -> dt.date:
    """Today in the company's own time zone, which decides on business days."""
    return timezone.now().astimezone(ZoneInfo(default_seller().time_zone)).date()


def tax_rates(profile: TaxProfile, on: dt.date) -> dict[str, Decimal]:
    """Percent per category on a day, in one query. A category that is absent has no rate then."""
    rows = TaxRate.objects.filter(profile=profile, valid_from__lte=on).filter(Q(valid_to=None) | Q(valid_to__gte=on))
    return dict(rows.order_by("valid_from").values_list("category", "percent"))


def tax_rate(profile: TaxProfile, category: str, on: dt.date) -> Decimal:
    """Percent of a category on a day. Raises NoTaxRate where the profile has none."""
    try:
        return tax_rates(profile, on)[category]
    except KeyError as error:
        raise NoTaxRate(f"{profile.code} has no rate for category {category} on {on}") from error
