"""How the company judges risks: its categories, and the words and bounds of its scales."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from fulfilment import events
from fulfilment.models import RiskCategory, RiskLevel, RiskScale
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record, snapshot
from ordermgmt.lib.conflict import StaleVersion

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "fulfilment.set_risks"


def level_names(axis: str) -> dict[int, str]:
    """What the steps of a scale mean, in the reader's language."""
    return {one.value: str(one) for one in RiskLevel.objects.filter(axis=axis)}


@transaction.atomic
def save_risk_category(
    category: RiskCategory | None = None, *, code: str = "", name: str, name_zh: str = "", is_active: bool = True,
    actor: "User",
) -> RiskCategory:  # fmt: skip
    """Adds a category, or names one anew; its `code` stays what it was. Raises PermissionDenied, ValidationError."""
    require(actor, _RIGHT)
    row = (
        RiskCategory.objects.select_for_update(no_key=True).get(pk=category.pk) if category else RiskCategory(code=code)
    )
    was = snapshot(row) if category else None
    row.name, row.name_zh, row.is_active = name, name_zh, is_active
    row.full_clean()
    row.save()
    record(events.RISK_CATEGORY_SAVED, row, actor=actor, before=was, after=snapshot(row), name=row.name)
    return row


@transaction.atomic
def save_risk_scale(
    *, version: int, middle_from: int, high_from: int, levels: Mapping[tuple[str, int], tuple[str, str]], actor: "User"
) -> RiskScale:
    """Sets the bounds and the words of the scales; `levels` gives by axis and step the English and the Chinese name.

    Raises PermissionDenied, StaleVersion (somebody else saved meanwhile), ValidationError.
    """
    require(actor, _RIGHT)
    scale = RiskScale.objects.select_for_update(no_key=True).get(pk=1)
    if scale.version != version:
        raise StaleVersion(scale)
    was = _told(scale)
    scale.middle_from, scale.high_from, scale.version = middle_from, high_from, version + 1
    scale.full_clean()
    scale.save()
    for row in RiskLevel.objects.select_for_update(no_key=True):
        row.name, row.name_zh = levels[row.axis, row.value]
        row.full_clean()
        row.save()
    record(
        events.RISK_SCALE_SAVED, scale, actor=actor, before=was, after=_told(scale), middle=middle_from, high=high_from
    )
    return scale


def _told(scale: RiskScale) -> dict[str, Any]:
    words = {f"{one.axis}_{one.value}": [one.name, one.name_zh] for one in RiskLevel.objects.all()}
    return snapshot(scale) | {"levels": words}
