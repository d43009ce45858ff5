"""The eight conditions of the settlement: each with its figure, and a sentence and a link where it does not hold."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.models import (
    Allocation,
    CollectionNote,
    FinalAccount,
    Instalment,
    Invoice,
    LateFee,
    OrderCharge,
    Payment,
    Reminder,
    WriteOff,
)
from fulfilment.models import Rectification
from ordermgmt.lib.fsm import Blocker
from ordermgmt.lib.money import ZERO, quantise, total
from orders.models import Order
from orders.services import rules_of

from .accounting import account_content, carved_out, current_account, still_true
from .goods_credits import unprepared_credits

_PAYMENTS = "billing.view_payment"  # the right that the links to payments ask for


@dataclass(frozen=True)
class Condition:
    """One of the eight: its title, the figure that is looked at, and what stands against it (empty: it holds)."""

    number: int
    title: str
    figure: str
    missing: tuple[Blocker, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing stands against it."""
        return not self.missing


def settlement_conditions(order: Order) -> list[Condition]:
    """All eight, whether or not they hold."""
    checks = (_accepted, _changed, _frozen, _invoiced, _paid, _credit, _written_off, _late_fees)
    return [check(order) for check in checks]


def settlement_blockers(order: Order) -> list[Blocker]:
    """Everything that stands between an order and its settlement, each with the page that mends it (M9)."""
    accepted = _accepted(order)
    if order.state != Order.State.ACCEPTED:
        return list(accepted.missing)
    return [blocker for one in settlement_conditions(order) for blocker in one.missing]


def _page(order: Order, rest: str = "") -> str:
    return f"/billing/orders/{order.number}/{rest}"


def _cash(amount: Decimal, order: Order) -> str:
    return f"{order.money(amount)} {order.currency}"


def _accepted(order: Order) -> Condition:
    missing = []
    if order.state not in (Order.State.ACCEPTED, Order.State.SETTLED):
        missing.append(Blocker(_("The order is not accepted yet."), order.get_absolute_url(), _("Open the order")))
    waiting = Rectification.objects.open().filter(order=order).count()
    if waiting:
        missing.append(
            Blocker(
                ngettext("%(count)s rectification is open.", "%(count)s rectifications are open.", waiting)
                % {"count": waiting},
                f"/fulfilment/orders/{order.number}/rectify/", _("Rectify"), "fulfilment.rectify_order",
            )
        )  # fmt: skip
    waiting = unprepared_credits(order)
    if waiting:
        missing.append(
            Blocker(
                ngettext(
                    "%(count)s credit for goods is to be prepared.", "%(count)s credits for goods are to be prepared.",
                    waiting,
                )
                % {"count": waiting},
                "/billing/work/goods/", _("Open the credits"),
            )
        )  # fmt: skip
    return Condition(1, _("Accepted, nothing to rectify"), order.state_label, tuple(missing))


def _changed(order: Order) -> Condition:
    waiting = order.open_changes + order.pending_changes
    missing = Blocker(_("A change request is open."), order.get_absolute_url(), _("Open the changes"))
    return Condition(
        2, _("No change request open, every approved one applied"), str(waiting), (missing,) if waiting else ()
    )


def _frozen(order: Order) -> Condition:
    title, account = _("Final account frozen by a second person"), current_account(order)
    page, missing = _page(order, "settlement/"), None
    draw = f"{page}do/draw-account/" if order.state == Order.State.ACCEPTED else page
    figure = _cash(account.final_gross if account else order.final_gross, order)
    if account is None:
        missing = Blocker(_("The final account is not drawn up."), draw, _("Draw it up"))
    elif account.state != FinalAccount.State.FROZEN:
        missing = Blocker(
            _("Version %(number)s of the final account, by %(name)s, is not frozen.")
            % {"number": account.number, "name": account.drawn_by},
            f"{page}do/freeze-account/", _("Freeze it"),
        )  # fmt: skip
    elif order.state != Order.State.SETTLED and not still_true(account, order):
        missing = Blocker(
            _("The order moved since version %(number)s of its final account was frozen.")
            % {"number": account.number},
            draw, _("Draw it up anew"),
        )  # fmt: skip
    return Condition(3, title, figure, (missing,) if missing else ())


def _invoiced(order: Order) -> Condition:
    content, missing = account_content(order), []
    drafts = Invoice.objects.drafts().filter(order=order).count()
    if drafts:
        missing.append(
            Blocker(
                ngettext("%(count)s invoice is in draft.", "%(count)s invoices are in draft.", drafts)
                % {"count": drafts},
                _page(order), _("Issue or delete them"),
            )
        )  # fmt: skip
    net, final = Decimal(content["invoiced_net"]), Decimal(content["final_net"])
    # What was taken over from another system names no tax, and prices with tax are split as they are: only the totals
    # can be compared there.
    opened = any(one["kind"] == Invoice.Kind.OPENING for one in content["documents"])
    if not opened and net != final and not rules_of(order).gross:
        missing.append(
            _difference(order, _("Invoiced are %(invoiced)s, final are %(final)s %(currency)s, net."), net, final)
        )
    elif order.invoiced_total != order.final_gross:
        sentence = _("Invoiced are %(invoiced)s, final are %(final)s %(currency)s.")
        missing.append(_difference(order, sentence, order.invoiced_total, order.final_gross))
    return Condition(
        4, _("Invoiced net = final net, no draft"), f"{order.money(net)} / {_cash(final, order)}", tuple(missing)
    )


def _difference(order: Order, sentence: str, invoiced: Decimal, final: Decimal) -> Blocker:
    figures = {"invoiced": order.money(invoiced), "final": order.money(final), "currency": order.currency}
    label = _("Invoice the rest") if invoiced < final else _("Credit the rest")
    waits = OrderCharge.objects.agreed().filter(order=order).exists()
    return Blocker(sentence % figures, _page(order, "charges/") if waits else _page(order), label)


def _paid(order: Order) -> Condition:
    apart = {one.pk for one in carved_out(order)}
    rows = Instalment.objects.owed().filter(invoice__order=order)
    owed = [one for one in rows if one.pk not in apart]
    kept = total(one.open for one in rows if one.pk in apart)
    missing: tuple[Blocker, ...] = ()
    if owed:
        sentence = ngettext(
            "%(count)s instalment over %(amount)s %(currency)s is open.",
            "%(count)s instalments over %(amount)s %(currency)s are open.",
            len(owed),
        ) % {
            "count": len(owed),
            "amount": order.money(total(one.open for one in owed)),
            "currency": order.currency,
        }
        link = f"/billing/payments/new/?customer={order.customer.number}"
        missing = (Blocker(sentence, link, _("Record a payment"), "billing.record_payment"),)
    figure = _cash(total(one.open for one in owed), order)
    if kept:
        figure += " · " + _("retained until its day: %(amount)s") % {"amount": _cash(kept, order)}
    return Condition(5, _("Nothing open"), figure, missing)


def _credit(order: Order) -> Condition:
    """Payments that were laid on this order, with a rest that lies on nothing now."""
    keys = Allocation.objects.filter(instalment__invoice__order=order, payment__isnull=False).values("payment")
    rows = list(Payment.objects.with_credit().filter(pk__in=keys))
    missing = tuple(
        Blocker(
            _("Payment %(number)s has %(amount)s %(currency)s that lie on no invoice.")
            % {"number": one.number, "amount": order.money(one.unallocated), "currency": one.currency},
            one.get_absolute_url(), _("Lay it on an invoice or refund it"), _PAYMENTS,
        )
        for one in rows
    )  # fmt: skip
    return Condition(6, _("No credit left over"), _cash(total(one.unallocated for one in rows), order), missing)


def _written_off(order: Order) -> Condition:
    rows = WriteOff.objects.standing().filter(invoice__order=order).select_related("invoice")
    waiting = [one for one in rows if one.state == WriteOff.State.ASKED]
    booked = [one for one in rows if one.state == WriteOff.State.BOOKED]
    alone = [one for one in booked if not one.within_tolerance and one.decided_by_id in (None, one.asked_by_id)]
    missing = tuple(
        Blocker(
            _("The write-off of %(amount)s %(currency)s on %(number)s is not approved.")
            % {"amount": order.money(one.amount), "currency": one.currency, "number": one.invoice.number},
            "/billing/write-offs/", _("Open the write-offs"), _PAYMENTS,
        )
        for one in waiting + alone
    )  # fmt: skip
    return Condition(
        7, _("Write-offs within the tolerance or approved"), _cash(total(one.amount for one in booked), order), missing
    )


def _late_fees(order: Order) -> Condition:
    """Penalties, fees and interest that somebody proposed and nobody decided; a dispute counts as undecided."""
    charges = list(OrderCharge.objects.undecided().filter(order=order).select_related("order"))
    missing = [
        Blocker(
            _("“%(what)s” over %(amount)s %(currency)s is not decided.")
            % {"what": one.description, "amount": order.money(one.signed_net), "currency": order.currency},
            one.get_absolute_url(), _("Accept or waive it"),
        )
        for one in charges
    ]  # fmt: skip
    fees = LateFee.objects.undecided().filter(instalment__invoice__order=order).select_related("instalment__invoice")
    missing += [
        Blocker(
            _("Interest of %(amount)s %(currency)s on %(number)s is proposed: charge or waive it.")
            % {"amount": order.money(one.amount), "currency": one.currency, "number": one.instalment.invoice},
            "/billing/late-fees/", _("Open the claims"), _PAYMENTS,
        )
        for one in fees
    ]  # fmt: skip
    reminders = Reminder.objects.filter(state=Reminder.State.PROPOSED, items__instalment__invoice__order=order)
    missing += [
        Blocker(
            _("A reminder of level %(level)s over %(amount)s %(currency)s is proposed: release or withdraw it.")
            % {"level": one.level, "amount": order.money(one.total), "currency": one.currency},
            "/billing/reminders/", _("Open the reminders"), _PAYMENTS,
        )
        for one in reminders.distinct()
    ]  # fmt: skip
    disputes = CollectionNote.objects.filter(
        kind=CollectionNote.Kind.DISPUTE, state=CollectionNote.State.OPEN, invoice__order=order
    )
    missing += [
        Blocker(
            _("%(number)s is disputed.") % {"number": one.invoice},
            one.invoice.get_absolute_url(),
            _("Open the invoice"),
        )
        for one in disputes.select_related("invoice")
        if one.invoice is not None
    ]
    figure = _cash(quantise(total(one.signed_gross for one in charges) or ZERO, order.currency), order)
    return Condition(8, _("No penalty, late fee or dispute undecided"), figure, tuple(missing))
