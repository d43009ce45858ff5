"""What can be done to what is made: production, its material, late deliveries, work centres and routing."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fulfilment import services
from fulfilment.forms.capacity import BookForm, NeedsForm
from fulfilment.forms.late import ReplaceForm, ReplanForm
from fulfilment.forms.production import ProduceForm, TakeBackForm
from inventory.models import PurchaseLine, PurchaseOrder
from inventory.services import plain
from ordermgmt.lib.actions import Action, ActionSet
from ordermgmt.lib.fsm import Blocker
from orders.models import Order

State = Order.State

PRODUCTION_ACTIONS = ActionSet(
    Action(
        "report_made", gettext_lazy("Report made"), services.report_production, form=ProduceForm, icon="tools",
        permission="fulfilment.report_production", allowed=services.production_blocked, primary=True,
        when=lambda line: not services.production_blocked(line),
        done=gettext_lazy("It is reported made, and its material is taken out of stock."),
    )
)  # fmt: skip
PRODUCED_ACTIONS = ActionSet(
    Action(
        "take_back", gettext_lazy("Take back"), services.take_back_production, form=TakeBackForm, icon="arrow-back",
        permission="fulfilment.report_production", allowed=services.take_back_blocked, danger=True,
        when=lambda report: not services.take_back_blocked(report),
        done=gettext_lazy("The report is taken back."),
    )
)  # fmt: skip
MATERIAL_ACTIONS = ActionSet(
    Action(
        "reckon", gettext_lazy("Reckon the material anew"), services.replan_needs, permission="fulfilment.plan_order",
        when=lambda order: order.state in (State.PLACED, State.IN_PRODUCTION), icon="refresh",
        done=gettext_lazy("The material is reckoned anew."),
        consequences=lambda _order: [_("the needs follow the bills of material, the plan and the purchases as they are now")],
    )
)  # fmt: skip


def _awaited(line: PurchaseLine) -> list[Blocker]:
    if line.open > 0 and line.order.state == PurchaseOrder.State.ORDERED:
        return []
    return [Blocker(_("Nothing of this line is awaited any more."))]


def _replacing(line: PurchaseLine) -> list[str]:
    told = {"open": plain(line.open), "unit": line.unit, "number": line.order.number}
    return [
        _("%(open)s %(unit)s of %(number)s are given up; an order of which nothing came is cancelled") % told,
        _("the new order is placed at once, at the price on record"),
        _("everybody who works on the orders that wait for it is told"),
    ]


LATE_ACTIONS = ActionSet(
    Action(
        "replace", gettext_lazy("Order from another supplier"), services.change_supplier,
        permission="inventory.order_purchase", form=ReplaceForm, allowed=_awaited, consequences=_replacing,
        primary=True, icon="replace", done=gettext_lazy("It is ordered elsewhere; everybody concerned is told."),
    ),
    Action(
        "replan", gettext_lazy("Plan the orders anew"), services.replan_late, permission="fulfilment.plan_order",
        form=ReplanForm, allowed=_awaited, icon="calendar",
        done=gettext_lazy("The orders are planned anew; everybody concerned is told."),
        consequences=lambda _line: [_("the milestones of the orders that it hits move; their baselines stay")],
    ),
)  # fmt: skip

BOOKING_ACTIONS = ActionSet(
    Action(
        "book_needs", gettext_lazy("Book what it asks for"), services.book_needs,
        permission="fulfilment.book_capacity", form=NeedsForm, allowed=services.booking_blocked,
        when=lambda order: not services.booking_blocked(order), primary=True, icon="calendar",
        done=gettext_lazy("The work centres are booked."),
    ),
    Action(
        "book", gettext_lazy("Book hours"), services.book_capacity, permission="fulfilment.book_capacity",
        form=BookForm, allowed=services.booking_blocked, when=lambda order: not services.booking_blocked(order),
        icon="clock", done=gettext_lazy("The work centre is booked."),
    ),
)  # fmt: skip

BOOKED_ACTIONS = ActionSet(
    Action(
        "release", gettext_lazy("Give back"), services.release_booking, permission="fulfilment.book_capacity",
        danger=True, icon="trash", done=gettext_lazy("The hours are free again."),
    )
)  # fmt: skip

CLOSED_ACTIONS = ActionSet(
    Action(
        "remove", gettext_lazy("Remove"), services.remove_exception, permission="fulfilment.set_capacity", danger=True,
        done=gettext_lazy("The day is as the week says again."),
        icon="trash", consequences=lambda one: [_("The day follows the weekly shifts again.")],
    )
)  # fmt: skip

ROUTING_ACTIONS = ActionSet(
    Action(
        "remove", gettext_lazy("Remove"), services.remove_routing_step, permission="fulfilment.set_capacity",
        danger=True, icon="trash", done=gettext_lazy("The step is out of the routing."),
        consequences=lambda one: [_("New promises and bookings no longer count it; what is booked stays.")],
    )
)  # fmt: skip
