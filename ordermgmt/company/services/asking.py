"""Questions to the company's settings."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.db.models.functions import TruncDate
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
    return business_day(timezone.now())


def company_zone() -> ZoneInfo:
    """The company's time zone; asked once by those who ask for the days of many moments."""
    return ZoneInfo(default_seller().time_zone)


def business_day(at: dt.datetime, zone: ZoneInfo | None = None) -> dt.date:
    """On which business day a moment lies, whoever looks and from where."""
    return at.astimezone(zone or company_zone()).date()


def business_date(path: str) -> TruncDate:
    """`business_day` of a stored moment, for the database."""
    return TruncDate(path, tzinfo=company_zone())


def business_day_end(day: dt.date) -> dt.datetime:
    """The moment at which a business day is over, to compare stored moments with."""
    day = min(day, dt.date(dt.MAXYEAR - 1, 12, 31))  # the last day of all has no next one
    return dt.datetime.combine(day, dt.time(), company_zone()) + dt.timedelta(days=1)


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
