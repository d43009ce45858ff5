"""Changing the company's settings. What documents printed before stays as it is: they keep a snapshot."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ordermgmt.activity.services import record, snapshot
from ordermgmt.company import events
from ordermgmt.company.models import SellerProfile, TaxProfile, TaxRate
from ordermgmt.documents.services import check_upload
from ordermgmt.lib.money import total

from .rules import check_abroad, check_cash_steps, check_required

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: What a form may change.
FIELDS = (
    "name", "address", "country", "tax_id", "vat_id", "registration", "email", "phone", "website", "bank_name", "iban",
    "bic", "currency", "time_zone", "tax_profile", "payment_days", "quote_days",
    "receipt_tolerance",
)  # fmt: skip
#: What a page may change of a tax profile. How it rounds tax belongs to its code: another way is another profile.
PROFILE_FIELDS = (
    "name", "e_invoice", "layout", "credit_style", "capital_numerals", "certificates", "cash_steps", "required", "wording",
    "abroad",
)  # fmt: skip
_WHOLE = 100  # percent
_LOGO_BYTES = 1_000_000
_LOGO_TYPES = ("image/png", "image/jpeg")


def _require(actor: "User") -> None:
    if not actor.has_perm("company.change_settings"):
        raise PermissionDenied("company.change_settings")


@transaction.atomic
def edit_company(seller: SellerProfile, *, actor: "User", **fields: Any) -> SellerProfile:
    """Changes the seller's data. Raises PermissionDenied, ValidationError, and TypeError for a field not in FIELDS."""
    _require(actor)
    if unknown := set(fields) - set(FIELDS):
        raise TypeError(f"not a field of the company: {sorted(unknown)}")
    seller = SellerProfile.objects.select_for_update(no_key=True, of=("self",)).get(pk=seller.pk)
    before = snapshot(seller, *FIELDS)
    for name, value in fields.items():
        setattr(seller, name, value)
    seller.full_clean()
    seller.save()
    record(events.COMPANY_EDITED, seller, actor=actor, before=before, after=snapshot(seller, *FIELDS))
    return seller


@transaction.atomic
def set_logo(seller: SellerProfile, *, upload: Any, actor: "User") -> SellerProfile:
    """Keeps a PNG or JPEG of at most 1 MB as the logo of documents; None takes it away. Raises ValidationError."""
    _require(actor)
    seller = SellerProfile.objects.select_for_update(no_key=True, of=("self",)).get(pk=seller.pk)
    seller.logo, seller.logo_type = None, ""
    if upload is not None:
        if upload.size > _LOGO_BYTES:
            raise ValidationError({"logo": _("The logo is larger than 1 MB.")})
        media_type = check_upload(upload, name=upload.name, size=upload.size)
        if media_type not in _LOGO_TYPES:
            raise ValidationError({"logo": _("The logo must be a PNG or JPEG picture.")})
        upload.seek(0)
        seller.logo, seller.logo_type = upload.read(), media_type
    seller.save(update_fields=["logo", "logo_type"])
    record(events.LOGO_SET, seller, actor=actor, after={"logo_type": seller.logo_type})
    return seller


@transaction.atomic
def edit_tax_profile(profile: TaxProfile, *, actor: "User", **fields: Any) -> TaxProfile:
    """Changes how a country taxes and what its documents are; the version moves, issued documents keep theirs.

    Orders keep the cash rounding that they were placed with. Raises PermissionDenied, ValidationError for rules that
    can't hold, and TypeError for a field that is not in PROFILE_FIELDS.
    """
    _require(actor)
    if unknown := set(fields) - set(PROFILE_FIELDS):
        raise TypeError(f"not a field of a tax profile: {sorted(unknown)}")
    profile = TaxProfile.objects.select_for_update(no_key=True).get(pk=profile.pk)
    check_cash_steps(fields.get("cash_steps", {}))
    check_required(fields.get("required", []))
    if "abroad" in fields:
        check_abroad(profile, fields["abroad"])
    before = snapshot(profile, *PROFILE_FIELDS)
    for name, value in fields.items():
        setattr(profile, name, value)
    profile.version += 1
    profile.save()
    after = snapshot(profile, *PROFILE_FIELDS)
    record(events.TAX_PROFILE_EDITED, profile, actor=actor, before=before, after=after, code=profile.code)
    return profile


@transaction.atomic
def set_tax_rate(
    profile: TaxProfile,
    *,
    category: str,
    percent: Decimal,
    valid_from: dt.date,
    actor: "User",
    exemption_reason: str = "",
    components: Sequence[tuple[str, Decimal]] = (),
) -> TaxRate:
    """A rate from a day on; the one before ends the day before.

    `components` are the authorities (name, percent) that share it. Raises ValidationError for a category that is none, a
    percentage beyond 0 to 100, where a later rate is there, or where the authorities' rates do not add up to it.
    """
    _require(actor)
    if category not in TaxRate.Category.values:
        raise ValidationError({"category": _("This is not a tax category.")})
    if not (percent.is_finite() and 0 <= percent <= _WHOLE):
        raise ValidationError({"percent": _("A tax rate is between 0 and 100 %.")})
    profile = TaxProfile.objects.select_for_update(no_key=True).get(pk=profile.pk)
    if components and total(part for _name, part in components) != percent:
        raise ValidationError({"components": _("The authorities' rates add up to the whole rate.")})
    if components and profile.tax_rounding != TaxProfile.Rounding.COMPONENT:
        raise ValidationError({"components": _("This tax profile has one rate: it knows no authorities.")})
    rates = TaxRate.objects.select_for_update(no_key=True).filter(profile=profile, category=category)
    if rates.filter(valid_from__gte=valid_from).exists():
        raise ValidationError({"valid_from": _("There is a rate from that day or later already.")})
    if rates.filter(valid_to=None).exists():  # there is a day before, for the one in force began before this one
        rates.filter(valid_to=None).update(valid_to=valid_from - dt.timedelta(days=1))
    rate = TaxRate.objects.create(
        profile=profile, category=category, percent=percent, valid_from=valid_from, exemption_reason=exemption_reason,
        components=[[name, f"{part.normalize():f}"] for name, part in components],
    )  # fmt: skip
    TaxProfile.objects.filter(pk=profile.pk).update(version=profile.version + 1)
    record(
        events.TAX_RATE_SET, profile, actor=actor, category=category, percent=f"{percent:f}",
        valid_from=valid_from.isoformat(),
    )  # fmt: skip
    return rate
