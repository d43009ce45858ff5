"""What must hold before an order takes a step. Each guard says its reason and where to mend it.

Guards read only the order and its lines: facts from the floors above are fields that were handed down.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inventory.services import check_quantity, validate_specification
from ordermgmt.lib.fsm import Blocker

if TYPE_CHECKING:
    from .order import Order

_ZERO = Decimal(0)
#: The rights that the links ask for.
_EDIT, _BILLING = "orders.edit_order", "billing.view_invoice"


def _url(order: "Order", rest: str = "") -> str:
    return f"/orders/{order.number}/{rest}"


def customer_active(order: "Order") -> Blocker | None:
    """The customer may order."""
    if order.customer.is_active:
        return None
    return Blocker(
        _("The customer %(name)s is inactive.") % {"name": order.customer.name}, order.customer.get_absolute_url(),
        _("Open the customer"),
    )  # fmt: skip


def has_lines(order: "Order") -> Blocker | None:
    """There is something to deliver."""
    if any(line.due > 0 for line in order.order_lines):
        return None
    return Blocker(_("The order has no line."), _url(order, "edit/"), _("Add a line"), _EDIT)


def lines_complete(order: "Order") -> Blocker | None:
    """Every line that is made or bought has a date, every line a text."""
    for line in order.order_lines:
        if not line.description.strip():
            return Blocker(
                _("Line %(position)s has no description.") % {"position": line.position},
                _url(order, "edit/"),
                _("Edit"),
                _EDIT,
            )
        if line.supply in (line.Supply.MAKE, line.Supply.BUY) and not (line.promised_date or order.promised_date):
            return Blocker(
                _("Line %(position)s is made or bought: give it a promised date.") % {"position": line.position},
                _url(order, "edit/"),
                _("Give a date"),
                _EDIT,
            )
    return None


def specified(order: "Order") -> Blocker | None:
    """Every line says what its product's specification asks for, in quantities that its unit allows."""
    lines = order.lines.filter(product__isnull=False).select_related("product__unit", "product__specification_template")
    for line in lines.prefetch_related("product__specification_template__attributes"):
        if line.product is None:
            continue
        try:
            check_quantity(line.product, line.quantity)
            validate_specification(line.product, line.specification)
        except ValidationError as error:
            return Blocker(
                _("Line %(position)s: %(problem)s") % {"position": line.position, "problem": " ".join(error.messages)},
                _url(order, "edit/"),
                _("Mend the line"),
                _EDIT,
            )
    return None


def dates_in_order(order: "Order") -> Blocker | None:
    """Nothing is wished or promised before it was ordered."""
    dates = [order.requested_date, order.promised_date, *(line.promised_date for line in order.order_lines)]
    if all(date is None or date >= order.order_date for date in dates):
        return None
    return Blocker(
        _("A requested or promised date lies before the order date."),
        _url(order, "edit/"),
        _("Correct the dates"),
        _EDIT,
    )


def instalments_exact(order: "Order") -> Blocker | None:
    """An agreed payment plan adds up to the order's total."""
    if order.planned_amount is None or order.planned_amount == order.gross_total:
        return None
    return Blocker(
        _("The instalments add up to %(planned)s, the order to %(total)s %(currency)s.")
        % {
            "planned": order.money(order.planned_amount),
            "total": order.money(order.gross_total),
            "currency": order.currency,
        },
        f"/billing/orders/{order.number}/plan/",
        _("Open the payment plan"),
        "billing.plan_instalments",
    )


def criteria_agreed(order: "Order") -> Blocker | None:
    """It is written down when the customer will accept."""
    if order.acceptance_criteria.strip():
        return None
    return Blocker(_("The acceptance criteria are missing."), _url(order, "edit/"), _("Write them"), _EDIT)


def approvals_given(order: "Order") -> Blocker | None:
    """Credit and discount beyond the limits were approved for exactly this content."""
    open_kinds = order.missing_approvals()
    if not open_kinds:
        return None
    sentences = {
        "credit": _("The order exceeds the customer's credit limit: it needs an approval."),
        "discount": _("A discount exceeds the limit: it needs an approval."),
    }
    return Blocker(
        " ".join(sentences[kind] for kind in open_kinds), _url(order, "do/ask_approval/"), _("Ask for approval"), _EDIT
    )


def not_on_hold(order: "Order") -> Blocker | None:
    """Nobody stopped the order."""
    if not order.on_hold:
        return None
    return Blocker(
        _("The order is on hold: %(reason)s") % {"reason": order.hold_reason},
        _url(order, "do/resume/"),
        _("Resume"),
        "orders.hold_order",
    )


def manager_assigned(order: "Order") -> Blocker | None:
    """Somebody is responsible for the work."""
    if order.project_manager_id or order.is_stock_only:
        return None
    return Blocker(
        _("No project manager is assigned."), _url(order, "do/assign/"), _("Assign one"), "orders.assign_order"
    )


def date_promised(order: "Order") -> Blocker | None:
    """There is a date to plan towards."""
    if order.promised_date or order.is_stock_only:
        return None
    return Blocker(
        _("No delivery date is promised."), _url(order, "do/schedule/"), _("Set the date"), "orders.assign_order"
    )


def deposit_paid(order: "Order") -> Blocker | None:
    """The agreed deposit arrived, or finance waived it."""
    if order.deposit_waived or order.paid_total >= order.deposit_due:
        return None
    return Blocker(
        _("The deposit of %(amount)s %(currency)s is not paid.")
        % {"amount": order.money(order.deposit_due), "currency": order.currency},
        f"/billing/orders/{order.number}/",
        _("See the payments"),
        _BILLING,
    )


def everything_shipped(order: "Order") -> Blocker | None:
    """Nothing is left to ship or to perform."""
    left = [str(line.position) for line in order.order_lines if line.qty_to_ship > 0]
    if not left:
        return None
    service = order.kind == order.Kind.SERVICE
    sentence = (
        _("Not yet delivered: line %(lines)s.") if service else _("Not yet shipped or delivered: line %(lines)s.")
    )
    return Blocker(
        sentence % {"lines": ", ".join(left)},
        f"/fulfilment/orders/{order.number}/ship/",
        _("Deliver") if service else _("Ship"),
        "fulfilment.ship_order",
    )


def something_to_ship(order: "Order") -> Blocker | None:
    """Something was ordered that is not shipped or performed yet."""
    if any(line.qty_to_ship > 0 for line in order.order_lines):
        return None
    return Blocker(_("Everything is shipped or delivered."), _url(order), "")


def no_pending_change(order: "Order") -> Blocker | None:
    """No approved change waits to be applied."""
    if not order.pending_changes:
        return None
    return Blocker(_("An approved change request waits to be applied."), _url(order), _("Open the changes"))


def everything_accepted(order: "Order") -> Blocker | None:
    """All that was shipped passed."""
    left = [
        str(line.position) for line in order.order_lines if line.qty_shipped - line.qty_returned > line.qty_accepted
    ]
    if not left:
        return None
    return Blocker(
        _("Not yet accepted: line %(lines)s.") % {"lines": ", ".join(left)},
        f"/fulfilment/orders/{order.number}/accept/",
        _("Record the acceptance"),
        "fulfilment.accept_order",
    )


def returns_answered(order: "Order") -> Blocker | None:
    """What came back is credited or was sent again."""
    if not order.open_returns:
        return None
    return Blocker(
        ngettext(
            "%(count)s return waits: for a credit, or for goods that go out again.",
            "%(count)s returns wait: for a credit, or for goods that go out again.",
            order.open_returns,
        )
        % {"count": order.open_returns},
        f"/fulfilment/orders/{order.number}/rectify/",
        _("Say what follows"),
    )


def something_rejected(order: "Order") -> Blocker | None:
    """There is a reason for rectification."""
    if any(line.qty_rejected > 0 for line in order.order_lines):
        return None
    return Blocker(
        _("Nothing was rejected."),
        f"/fulfilment/orders/{order.number}/accept/",
        _("Record the acceptance"),
        "fulfilment.accept_order",
    )


def everything_rectified(order: "Order") -> Blocker | None:
    """All that was rejected is put right."""
    left = [str(line.position) for line in order.order_lines if line.qty_rejected > 0]
    if not left:
        return None
    return Blocker(
        _("Still to be rectified: line %(lines)s.") % {"lines": ", ".join(left)},
        f"/fulfilment/orders/{order.number}/rectify/",
        _("Rectify"),
        "fulfilment.rectify_order",
    )


def nothing_shipped(order: "Order") -> Blocker | None:
    """Goods that left can't be cancelled."""
    if all(line.qty_shipped == 0 for line in order.order_lines):
        return None
    return Blocker(_("Something was shipped already: the order can't be cancelled any more."), _url(order), "")


def nothing_invoiced(order: "Order") -> Blocker | None:
    """An invoice must be credited first."""
    if order.invoiced_total == _ZERO and not order.draft_invoices:
        return None
    return Blocker(
        _("There is an invoice that is not credited."),
        f"/billing/orders/{order.number}/",
        _("Open the invoices"),
        _BILLING,
    )


def termination_agreed(order: "Order") -> Blocker | None:
    """Finance agreed that work in progress is stopped."""
    if order.termination_agreed_by_id:
        return None
    return Blocker(
        _("Finance has not agreed to the termination."),
        _url(order, "do/agree_termination/"),
        _("Ask finance"),
        "billing.settle_order",
    )


def billing_done(order: "Order") -> Blocker | None:
    """Invoiced, frozen and present final amount are the same, all is paid but retentions, and nothing is in draft."""
    link, label = f"/billing/orders/{order.number}/settlement/", _("Open the settlement")
    if order.draft_invoices:
        return Blocker(
            _("There is a draft invoice."), f"/billing/orders/{order.number}/", _("Open the invoices"), _BILLING
        )
    if order.final_amount is None:
        return Blocker(_("The final account is not frozen."), link, label, _BILLING)
    if order.final_amount != order.final_gross:
        return Blocker(_("The order moved since its final account was frozen."), link, label, _BILLING)
    if order.invoiced_total != order.final_amount:
        return Blocker(
            _("Invoiced are %(invoiced)s, final are %(final)s %(currency)s.")
            % {
                "invoiced": order.money(order.invoiced_total),
                "final": order.money(order.final_amount),
                "currency": order.currency,
            },
            link,
            label,
            _BILLING,
        )
    if order.paid_total + order.retained_total != order.invoiced_total:
        return Blocker(
            _("Paid are %(paid)s of %(invoiced)s %(currency)s.")
            % {
                "paid": order.money(order.paid_total),
                "invoiced": order.money(order.invoiced_total),
                "currency": order.currency,
            },
            f"/billing/orders/{order.number}/",
            _("See the payments"),
            _BILLING,
        )
    return None


def no_open_change(order: "Order") -> Blocker | None:
    """Everything that was asked to be changed is decided."""
    if not order.open_changes:
        return None
    return Blocker(_("A change request is open."), _url(order), _("Open the changes"))
