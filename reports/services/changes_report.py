"""REP-6: changes of orders: how many, why, worth how much, and how long they take to decide."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from changes.models import ChangeRequest
from ordermgmt.lib.money import ZERO

from .definitions import Column, Report, Row, Section, register
from .filtering import period
from .parameters import PeriodForm

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_DECIDED = (ChangeRequest.State.APPROVED, ChangeRequest.State.APPLIED, ChangeRequest.State.REFUSED)


def _changes(user: "User", params: dict[str, Any]) -> Any:
    found = ChangeRequest.objects.visible_to(user).filter(period(params, "order__"))
    return found.exclude(state=ChangeRequest.State.DRAFT).order_by()


def by_reason(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Changes per reason: number, what the applied ones are worth, and days from asking to the decision."""
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    rows = _changes(user, params).select_related("reason", "order").defer("impact", "text")
    for change in rows.iterator(chunk_size=2000):
        key = (str(change.reason), change.order.currency)
        line = groups.setdefault(key, defaultdict(int, value=ZERO, seconds=0))
        line["count"] += 1
        if change.state == ChangeRequest.State.APPLIED:
            line["applied"] += 1
            line["value"] += change.net_change
        if change.state in _DECIDED and change.submitted_at:
            decided = change.applied_at or change.changed_at
            line["decided"] += 1
            line["seconds"] += int((decided - change.submitted_at).total_seconds())
    for (reason, currency), line in sorted(groups.items()):
        days = (
            (Decimal(line["seconds"]) / 86400 / line["decided"]).quantize(Decimal("0.1")) if line["decided"] else None
        )
        yield {
            "reason": reason, "currency": currency, "count": line["count"], "applied": line["applied"],
            "value": line["value"], "days": days,
        }  # fmt: skip


def by_state(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Changes per state and currency, with the net they move."""
    labels = dict(ChangeRequest.State.choices)
    rows = _changes(user, params).values("state", "order__currency")
    for row in rows.annotate(count=Count("pk"), value=Sum("net_change")).order_by("state", "order__currency"):
        link = f"/changes/?state={row['state']}"
        yield row | {"label": str(labels[row["state"]]), "currency": row["order__currency"], "link": link}


CHANGES = register(
    Report(
        key="changes",
        title=_("Changes"),
        summary=_("Changes of orders by reason and state: how many, worth how much, decided in how many days."),
        form=PeriodForm,
        also=("changes.view_change", "orders.view_price"),
        sections=(
            Section(
                "by_reason",
                _("By reason"),
                (
                    Column("reason", _("Reason")),
                    Column("currency", _("Currency")),
                    Column("count", _("Changes"), "count"),
                    Column("applied", _("Applied"), "count"),
                    Column("value", _("Value applied"), "amount"),
                    Column("days", _("Days to the decision"), "number"),
                ),
                by_reason,
                "reason",
                "count",
            ),
            Section(
                "by_state",
                _("By state"),
                (
                    Column("label", _("State")),
                    Column("currency", _("Currency")),
                    Column("count", _("Changes"), "count"),
                    Column("value", _("Net change"), "amount"),
                ),
                by_state,
                "label",
                "count",
            ),
        ),
    )
)
