"""What can be done to products and to corrections of their stock."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inventory.forms import AdjustForm, DecisionForm, PriceForm, ReceiveForm
from inventory.forms.purchases import ConfirmForm, ReturnForm, SendForm
from inventory.forms.purchases import ReasonForm as PurchaseReasonForm
from inventory.forms.purchases import ReceiveForm as PurchaseReceiveForm
from inventory.models import Product, PurchaseOrder, StockAdjustment
from inventory.services import (
    adjust_stock,
    approve_adjustment,
    ask_paper,
    cancel_purchase,
    close_purchase,
    confirm_purchase,
    edit_product,
    mail_purchase,
    order_purchase,
    paper_blocked,
    paper_of,
    plain,
    receive_purchase,
    receive_stock,
    reject_adjustment,
    return_purchase,
)
from ordermgmt.lib.actions import Action, ActionSet
from ordermgmt.lib.fsm import Blocker, blockers


def _stocked(product: Product) -> list[Blocker]:
    if product.is_stocked:
        return []
    return [Blocker(_("This product is not kept in stock."))]


def _set_prices(product: Product, *, actor: Any, **prices: Any) -> Product:
    return edit_product(product, actor=actor, **prices)


def _applies(adjustment: StockAdjustment) -> list[str]:
    item = adjustment.stock_item
    return [
        _("change the stock of %(sku)s in %(warehouse)s by %(quantity)s %(unit)s")
        % {
            "sku": item.product.sku,
            "warehouse": item.warehouse.name,
            "quantity": plain(adjustment.quantity),
            "unit": item.product.unit.code,
        }
    ]


PRODUCT_ACTIONS = ActionSet(
    Action(
        "receive", gettext_lazy("Receive"), receive_stock, permission="inventory.receive_stock", form=ReceiveForm,
        allowed=_stocked, icon="package-import", primary=True, done=gettext_lazy("The receipt is booked."),
    ),
    Action(
        "adjust", gettext_lazy("Adjust stock"), adjust_stock, permission="inventory.adjust_stock", form=AdjustForm,
        allowed=_stocked, icon="adjustments",
        done=gettext_lazy("The correction is recorded; beyond your limit it waits for an approval."),
    ),
    Action(
        "prices", gettext_lazy("Set prices"), _set_prices, permission="inventory.edit_price", form=PriceForm,
        icon="tag", done=gettext_lazy("The prices are set."),
    ),
)  # fmt: skip

ADJUSTMENT_ACTIONS = ActionSet(
    Action(
        "approve", gettext_lazy("Approve"), approve_adjustment, permission="inventory.approve_adjustment",
        form=DecisionForm, allowed=lambda one: blockers(one.apply), consequences=_applies, bulk=True, primary=True,
        icon="check", done=gettext_lazy("The stock is corrected."),
    ),
    Action(
        "reject", gettext_lazy("Reject"), reject_adjustment, permission="inventory.approve_adjustment",
        form=DecisionForm, allowed=lambda one: blockers(one.reject), bulk=True, danger=True, icon="x",
        done=gettext_lazy("The correction is rejected; the stock stays."),
    ),
)  # fmt: skip


def _ordered(order: PurchaseOrder) -> bool:
    return order.state == PurchaseOrder.State.ORDERED


def _on_paper(order: PurchaseOrder) -> bool:
    return not paper_blocked(order)


PURCHASE_ACTIONS = ActionSet(
    Action(
        "order", gettext_lazy("Place the order"), order_purchase, transition="order", icon="send", primary=True, bulk=True,
        done=gettext_lazy("The order is placed: now tell the supplier."),
        consequences=lambda order: [
            _("order from %(supplier)s; quantities and prices stay from here on") % {"supplier": order.supplier.name}
        ],
    ),
    Action(
        "receive", gettext_lazy("Receive"), receive_purchase, permission="inventory.receive_stock", icon="package-import",
        primary=True, form=PurchaseReceiveForm, when=_ordered, done=gettext_lazy("The receipt is booked."),
    ),
    Action(
        "send", gettext_lazy("Send to the supplier"), mail_purchase, permission="inventory.order_purchase", icon="mail",
        form=SendForm, when=_on_paper, done=gettext_lazy("The mail to the supplier is on its way."),
    ),
    Action(
        "document", gettext_lazy("Make the document"), ask_paper, permission="inventory.order_purchase",
        icon="file-text", when=lambda order: _on_paper(order) and paper_of(order) is None,
        done=gettext_lazy("The document is being made."),
    ),
    Action(
        "confirm", gettext_lazy("Enter confirmed dates"), confirm_purchase, permission="inventory.order_purchase",
        icon="calendar", form=ConfirmForm, when=_ordered, done=gettext_lazy("The dates are kept."),
    ),
    Action(
        "return", gettext_lazy("Send goods back"), return_purchase, permission="inventory.receive_stock",
        icon="arrow-back", form=ReturnForm, done=gettext_lazy("The goods left the stock."),
        when=lambda order: order.state in ("ordered", "received") and order.receipts.exists(),
    ),
    Action(
        "close", gettext_lazy("Give up the rest"), close_purchase, permission="inventory.order_purchase",
        icon="circle-check", form=PurchaseReasonForm, when=_ordered, done=gettext_lazy("Nothing more is awaited."),
        consequences=lambda _order: [_("what is open will not come; needs are short of it again")],
    ),
    Action(
        "cancel", gettext_lazy("Cancel"), cancel_purchase, transition="cancel", icon="x", danger=True,
        form=PurchaseReasonForm, done=gettext_lazy("The purchase order is cancelled."),
        consequences=lambda _order: [_("nothing of it is awaited any more")],
    ),
)  # fmt: skip
