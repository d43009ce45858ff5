"""The end of an order's account: `settle_order`, `reopen_order`, and the statement that is kept of it."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import Settlement, SettlementPaper
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import enqueue, record
from ordermgmt.documents.models import StoredFile
from ordermgmt.documents.services import store_file
from ordermgmt.lib.fsm import TransitionRefused, blockers
from ordermgmt.lib.money import total
from orders.models import Order
from orders.services import reopen_order as reopen
from orders.services import settle_order as settle

from .accounting import account_content, carved_out, replace_account
from .base import lock_orders, require
from .conditions import settlement_blockers, settlement_conditions

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

SETTLEMENT_JOB = "billing.settlement_pdf"
SETTLEMENT_MAIL_JOB = "billing.settlement_mail"


def final_amount(order: Order) -> Decimal:
    """What the order comes to in the end, tax included: what was frozen, else what it is now."""
    amount: Decimal = order.final_gross if order.final_amount is None else order.final_amount
    return amount


@transaction.atomic
def settle_order(order: Order, *, actor: "User") -> Order:
    """Closes the account once all eight conditions hold, and keeps every figure as evidence.

    Raises TransitionRefused with everything that is missing, PermissionDenied without the right.
    """
    require(actor, "billing.settle_order")
    order = lock_orders([order.pk])[order.pk]
    if order.state != Order.State.ACCEPTED:
        raise TransitionRefused(blockers(order.settle) or settlement_blockers(order))
    if found := settlement_blockers(order):
        raise TransitionRefused(found)
    final, retained = final_amount(order), total(one.open for one in carved_out(order))
    statement = Settlement.objects.create(order=order, final_amount=final, content=_evidence(order), by=actor)
    order = settle(order, statement=f"{statement.pk}", retained=retained, actor=actor)
    for language, _name in settings.LANGUAGES:
        enqueue(
            SETTLEMENT_JOB, key=f"{SETTLEMENT_JOB}:{statement.pk}:{language}",
            params={"settlement": statement.pk, "language": language}, actor=actor, title=f"{order.number} {language}",
        )  # fmt: skip
    record(
        events.ACCOUNT_SETTLED, statement, root=order, actor=actor, after=statement.content,
        amount=order.money(final), currency=order.currency,
    )  # fmt: skip
    return order


@transaction.atomic
def reopen_order(order: Order, *, reason: str, actor: "User") -> Order:
    """Opens a settled account again, for a credit note or a bounced payment. The finance manager's verb: the final
    account that was frozen is out of force, and a new version is due."""
    require(actor, "billing.reopen_order")
    order = reopen(order, reason=reason, actor=actor)
    replace_account(order, actor=actor)
    return order


def _evidence(order: Order) -> dict[str, Any]:
    """Every figure of this moment, with the conditions as they held."""
    content = account_content(order)
    conditions = [{"number": one.number, "figure": one.figure} for one in settlement_conditions(order)]
    return content | {"final": content["final_gross"], "conditions": conditions}


@transaction.atomic
def keep_settlement_paper(settlement: Settlement, language: str, content: bytes, *, actor: "User") -> StoredFile:
    """Keeps the statement in one language for ever; a second one is ignored.

    The one in the language of the order's documents goes to the customer by mail, where there is an address.
    """
    lock_orders([settlement.order_id])
    kept = SettlementPaper.objects.filter(settlement=settlement, language=language).select_related("file").first()
    if kept is not None:
        return kept.file
    name = f"settlement-{settlement.order.number}-{settlement.pk}-{language}.pdf"
    stored = store_file(content, name=name, kind="settlement", actor=actor, content_type="application/pdf")
    SettlementPaper.objects.create(settlement=settlement, language=language, file=stored)
    record(
        events.SETTLEMENT_KEPT, settlement, root=settlement.order, actor=actor, after={"sha256": stored.sha256},
        language=language,
    )  # fmt: skip
    if language == settlement.order.language and settlement.order.customer.email:
        enqueue(
            SETTLEMENT_MAIL_JOB, key=f"{SETTLEMENT_MAIL_JOB}:{settlement.pk}", params={"settlement": settlement.pk},
            actor=actor, title=_("Settlement of %(number)s by mail") % {"number": settlement.order.number},
        )  # fmt: skip
    return stored


def settlement_told(settlement: Settlement) -> str:
    """To whom the statement was sent; empty where it has not been."""
    told = Event.objects.filter(type=events.ACCOUNT_TOLD.name, subject_id=settlement.pk).order_by("pk").first()
    return str(told.data.get("to", "")) if told is not None else ""


@transaction.atomic
def note_told(settlement: Settlement, *, to: str, actor: "User") -> None:
    """Keeps that the customer was told. A second call does nothing."""
    lock_orders([settlement.order_id])
    if not settlement_told(settlement):
        record(events.ACCOUNT_TOLD, settlement, root=settlement.order, actor=actor, to=to)
