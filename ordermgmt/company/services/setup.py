"""The company's first rows, so that a new installation can take orders at once."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction

from ordermgmt.company.models import SellerProfile, TaxProfile, TaxRate

_FOLDER = Path(__file__).parent.parent / "profiles"


@transaction.atomic
def ensure_company() -> SellerProfile:
    """The default seller, made with the shipped tax profiles where there is none. A second call changes nothing."""
    for path in sorted(_FOLDER.glob("*.json")):
        load_profile(json.loads(path.read_text(encoding="utf-8")))
    seller = SellerProfile.objects.filter(is_default=True).first()
    return seller or SellerProfile.objects.create(
        code="main", name="Our company", is_default=True, tax_profile=TaxProfile.objects.get(code="EU-DE")
    )


@transaction.atomic
def load_profile(given: dict[str, Any]) -> TaxProfile:
    """A tax profile with its dated rates from a fixture, where its code is not there yet: a new country is no code.

    `given` has the model's fields, and `rates` as rows of category, percent, valid_from, and where they apply valid_to,
    exemption_reason and components (name and percent of each authority). `abroad` says how sales abroad are taxed:
    `union` lists countries, `rules` are read by `propose_category`. `cash_steps` gives the smallest coin of currencies
    that have none of their smallest unit.
    """
    fields = {name: value for name, value in given.items() if name != "rates"}
    profile, made = TaxProfile.objects.get_or_create(code=fields.pop("code"), defaults=fields)
    if made:
        TaxRate.objects.bulk_create(_rate(profile, row) for row in given["rates"])
    return profile


def _rate(profile: TaxProfile, row: dict[str, Any]) -> TaxRate:
    until = row.get("valid_to")
    return TaxRate(
        profile=profile,
        category=row["category"],
        percent=Decimal(row["percent"]),
        valid_from=dt.date.fromisoformat(row["valid_from"]),
        valid_to=dt.date.fromisoformat(until) if until else None,
        exemption_reason=row.get("exemption_reason", ""),
        components=row.get("components", []),
    )
