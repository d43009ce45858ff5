"""Purchases that an applied change touched: kept for somebody to decide on, and decided."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from changes import events
from changes.models import ChangeRequest, PurchaseDecision
from fulfilment.models import MaterialSupply
from fulfilment.services import TouchedPurchase
from inventory.models import PurchaseLine
from inventory.services import plain, reduce_purchase
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record, snapshot
from ordermgmt.lib.money import ZERO

from .base import locked, refuse

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "inventory.order_purchase"


def ask_to_decide(change: ChangeRequest, touched: Iterable[TouchedPurchase]) -> list[PurchaseDecision]:
    """Lays out what somebody decides on, a row for each touched line of a purchase."""
    return PurchaseDecision.objects.bulk_create(
        PurchaseDecision(
            change=change, line=one.line, number=one.line.order.number, supplier=one.line.order.supplier.name,
            sku=one.line.product.sku if one.line.product else one.line.description[:60], unit=one.line.unit,
            less=one.less, needed_by=one.needed_by, respecified=one.respecified,
        )
        for one in touched
    )  # fmt: skip


def spare(line: PurchaseLine | None) -> Decimal:
    """What is open of a purchase line and no order counts on, in its unit."""
    if line is None or line.order.state not in (line.order.State.DRAFT, line.order.State.ORDERED):
        return ZERO
    rows = MaterialSupply.objects.filter(line=line)
    return max(ZERO, line.open - (rows.aggregate(sum=Sum("quantity"))["sum"] or ZERO))


@transaction.atomic
def keep_purchase(decision: PurchaseDecision, *, note: str, actor: "User") -> PurchaseDecision:
    """It stays as it is ordered, for the reason given. Raises PermissionDenied, TransitionRefused (decided already)."""
    row = _locked(decision, actor)
    return _decide(row, PurchaseDecision.Choice.KEPT, ZERO, note, actor)


@transaction.atomic
def take_off_purchase(decision: PurchaseDecision, *, quantity: Decimal, note: str, actor: "User") -> PurchaseDecision:
    """Takes so much off the purchase: what no order counts on. Raises as `keep_purchase`, and ValidationError (more)."""
    row = _locked(decision, actor)
    if row.line is None:
        raise refuse(_("This line is no longer on the purchase order."), row.get_absolute_url())
    free = spare(row.line)
    if quantity > free:
        raise ValidationError({"quantity": _("At most %(n)s: orders count on the rest.") % {"n": plain(free)}})
    reduce_purchase(row.line, quantity=quantity, reason=f"{row.change.number}: {note}"[:200], actor=actor)
    row.refresh_from_db(fields=["line"])
    return _decide(row, PurchaseDecision.Choice.REDUCED, quantity, note, actor)


def _locked(decision: PurchaseDecision, actor: "User") -> PurchaseDecision:
    require(actor, _RIGHT)
    if not PurchaseDecision.objects.visible_to(actor).filter(pk=decision.pk).exists():
        raise PermissionDenied
    change, _order = locked(decision.change)
    rows = PurchaseDecision.objects.select_for_update(no_key=True, of=("self",)).select_related("line__order")
    row = rows.get(pk=decision.pk)
    row.change = change
    if not row.is_open:
        raise refuse(_("This was decided already."), row.get_absolute_url())
    return row


def _decide(row: PurchaseDecision, choice: str, quantity: Decimal, note: str, actor: "User") -> PurchaseDecision:
    before = snapshot(row)
    row.choice, row.reduced, row.note = choice, quantity, note.strip()
    row.decided_by, row.decided_at = actor, timezone.now()
    if not row.note:
        raise ValidationError({"note": _("Say why.")})
    row.save()
    record(
        events.PURCHASE_DECIDED, row.change, root=row.change.order, actor=actor, before={"decision": before},
        after={"decision": snapshot(row)}, number=row.change.number, purchase=row.number, sku=row.sku,
        choice=str(row.get_choice_display()),
    )  # fmt: skip
    return row


def decisions_of(change: ChangeRequest, user: "User") -> Sequence[PurchaseDecision]:
    """The decisions of a request that the person sees. One query."""
    rows = PurchaseDecision.objects.visible_to(user).filter(change=change)
    return list(rows.select_related("line", "decided_by", "change").order_by("pk"))
