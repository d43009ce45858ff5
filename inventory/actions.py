"""What can be done to products and to corrections of their stock."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inventory.forms import AdjustForm, DecisionForm, PriceForm, ReceiveForm
from inventory.models import Product, StockAdjustment
from inventory.services import adjust_stock, approve_adjustment, edit_product, plain, receive_stock, reject_adjustment
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
