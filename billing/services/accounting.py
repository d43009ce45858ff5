"""The final account: `draw_account` by one person, `freeze_account` by another; what it consists of."""

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import events
from billing.models import FinalAccount, Instalment, Invoice, OrderCharge
from ordermgmt.activity.services import record
from ordermgmt.lib.fsm import Blocker, TransitionRefused, check_transition
from ordermgmt.lib.money import quantise, total
from orders.models import Order
from orders.services import agreed_versions, note_final

from .base import lock_orders, refuse, require
from .charge_lines import agreed_charges
from .charging import clause_of, propose_penalties

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: What a freeze is bound to: if any of it moves, the order must be drawn up anew.
_BOUND = ("currency", "contract_net", "changes_net", "charges", "final_net", "final_gross")


def current_account(order: Order) -> FinalAccount | None:
    """The version in force, drawn up or frozen."""
    rows = FinalAccount.objects.current().filter(order=order)
    return rows.select_related("order", "drawn_by", "frozen_by").first()


def account_content(order: Order) -> dict[str, Any]:
    """Every figure of the final account as it stands now; amounts as texts in the order's currency."""
    charges = agreed_charges(order)
    contract = _contract(order)
    final_net = order.net_total + total(one.signed_net for one in charges)
    final_tax = order.tax_total + total(one.sign * one.tax for one in charges)
    rounding = order.final_gross - final_net - final_tax
    documents = list(Invoice.objects.issued().filter(order=order).order_by("pk"))
    kept = carved_out(order)
    figures = {
        "contract_net": contract, "changes_net": order.net_total - contract,
        "charges_net": total(one.signed_net for one in charges if one.sign > 0),
        "deductions_net": -total(one.signed_net for one in charges if one.sign < 0),
        "final_net": final_net, "final_tax": final_tax, "final_gross": order.final_gross,
        "invoiced_net": total(-one.tax_basis if one.is_credit else one.tax_basis for one in documents),
        "billed": total(one.due for one in documents if not one.is_credit),
        "credited": total(one.due for one in documents if one.is_credit),
        "invoiced": order.invoiced_total, "paid": order.paid_total,
        "retained": total(one.open for one in kept), "open": order.invoiced_total - order.paid_total,
    }  # fmt: skip
    if rounding:
        figures["final_rounding"] = rounding
    return {name: _text(amount, order) for name, amount in figures.items()} | {
        "currency": order.currency,
        "changes": [
            {"version": version, "net": _text(net, order)} for version, net in _changes(order, contract)
        ],
        "charges": [
            {"kind": one.kind, "text": one.description, "net": _text(one.signed_net, order), "reason": one.reason}
            for one in charges
        ],
        "documents": [
            {
                "number": one.number, "kind": one.kind, "date": str(one.issue_date),
                "due": _text(one.signed_due, order), "paid": _text(one.paid, order),
                "credited": _text(one.credited, order),
            }
            for one in documents
        ],
        "retentions": [
            {"invoice": str(one.invoice), "due_date": str(one.due_date), "amount": _text(one.open, order)}
            for one in kept
        ],
    }  # fmt: skip


def _text(amount: Decimal, order: Order) -> str:
    return f"{quantise(amount, order.currency):f}"


def _contract(order: Order) -> Decimal:
    """Net of the version that was agreed at placing; an order that came in from elsewhere has only its own."""
    first = agreed_versions(order).first()
    return Decimal(first.content["header"]["net_total"]) if first is not None else order.net_total


def _changes(order: Order, contract: Decimal) -> list[tuple[int, Decimal]]:
    """What each later version moved the net by."""
    found, before = [], contract
    for kept in agreed_versions(order)[1:]:
        net = Decimal(kept.content["header"]["net_total"])
        if net != before:
            found.append((kept.version, net - before))
        before = net
    return found


def carved_out(order: Order) -> list[Instalment]:
    """Retentions that the contract lets stand apart: open, and with a day of their own."""
    clause = clause_of(order)
    if clause is None or not clause.retention_apart:
        return []
    rows = Instalment.objects.owed().filter(invoice__order=order, kind=Instalment.Kind.RETENTION)
    return list(rows.select_related("invoice").order_by("due_date", "pk"))


def digest_of(content: dict[str, Any]) -> str:
    """The sha256 of what a freeze is bound to."""
    bound = {name: content[name] for name in _BOUND}
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def draw_account(order: Order, *, actor: "User") -> FinalAccount:
    """Draws up the next version of the final account; the one before is replaced.

    Raises TransitionRefused before acceptance and once the order is settled, PermissionDenied without the right.
    """
    require(actor, "billing.draw_account")
    order = lock_orders([order.pk])[order.pk]
    if order.state != Order.State.ACCEPTED:
        raise refuse(
            _("The final account is drawn up once the order is accepted."),
            order.get_absolute_url(),
            _("Open the order"),
        )
    propose_penalties(order)
    order.refresh_from_db(fields=["version", "charges_total"])
    replace_account(order, actor=actor)
    content = account_content(order)
    number = FinalAccount.objects.filter(order=order).count() + 1
    account = FinalAccount.objects.create(
        order=order, number=number, content=content, digest=digest_of(content), drawn_by=actor,
        final_net=Decimal(content["final_net"]), final_gross=Decimal(content["final_gross"]),
    )  # fmt: skip
    record(
        events.ACCOUNT_DRAWN, account, root=order, actor=actor, after=content, number=number,
        amount=order.money(account.final_gross), currency=order.currency,
    )  # fmt: skip
    return account


def replace_account(order: Order, *, actor: "User") -> None:
    """Takes the version in force out of force; nothing happens where there is none."""
    account = FinalAccount.objects.current().select_for_update(no_key=True, of=("self",)).filter(order=order).first()
    if account is None:
        return
    before = {"state": account.state}
    account.replace()
    account.save(update_fields=["state"])
    record(
        events.ACCOUNT_REPLACED, account, root=order, actor=actor, before=before, after={"state": account.state},
        number=account.number,
    )  # fmt: skip
    if order.final_amount is not None:
        note_final(order, final_amount=None, actor=actor)


def freeze_blocked(order: Order, actor: "User") -> list[Blocker]:
    """Why this very person can't freeze the account in force; empty when they can, or when there is none."""
    account = current_account(order)
    if account is None or account.drawn_by_id != actor.pk:
        return []
    return [Blocker(_("You drew this account up: somebody else must freeze it."))]


@transaction.atomic
def freeze_account(order: Order, *, actor: "User") -> FinalAccount:
    """Freezes the version that somebody else drew up: from now on the order is to come to exactly this.

    Raises TransitionRefused for who drew it up, while a charge is undecided, where the order moved since, and where
    there is none to freeze; PermissionDenied without the right.
    """
    require(actor, "billing.freeze_account")
    order = lock_orders([order.pk])[order.pk]
    page = f"/billing/orders/{order.number}/settlement/do/draw-account/"
    account = FinalAccount.objects.current().select_for_update(no_key=True, of=("self",)).filter(order=order).first()
    if account is None or order.state != Order.State.ACCEPTED:
        raise refuse(_("No final account is drawn up."), page, _("Draw it up"))
    account.order = order
    check_transition(account.freeze, actor)
    if found := freeze_blocked(order, actor):
        raise TransitionRefused(found)
    if OrderCharge.objects.undecided().filter(order=order).exists():
        raise refuse(
            _("A charge or deduction is not decided."), f"/billing/orders/{order.number}/charges/", _("Decide")
        )
    if digest_of(account_content(order)) != account.digest:
        raise refuse(_("The order moved since this account was drawn up: draw it up anew."), page, _("Draw it up"))
    account.freeze()
    account.frozen_by, account.frozen_at = actor, timezone.now()
    account.save()
    note_final(order, final_amount=account.final_gross, actor=actor)
    record(
        events.ACCOUNT_FROZEN, account, root=order, actor=actor, before={"state": "drawn"},
        after={"state": account.state}, number=account.number, amount=order.money(account.final_gross),
        currency=order.currency,
    )  # fmt: skip
    return account


def still_true(account: FinalAccount, order: Order) -> bool:
    """Whether nothing moved that the freeze is bound to."""
    return account.final_gross == order.final_gross and digest_of(account_content(order)) == account.digest
