"""What fulfilment adds to an order, and what can be done to shipments and rectifications."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fulfilment import services
from fulfilment.forms import (
    AcceptForm,
    ArrivalForm,
    DeliverForm,
    PlanForm,
    ReasonForm,
    ResultForm,
    ReturnForm,
    ShipForm,
    TrackForm,
)
from fulfilment.forms.capacity import BookForm, NeedsForm
from fulfilment.forms.criteria import CriterionForm, TermForm
from fulfilment.forms.feedback import AskForm, AssignForm, CorrectedForm, FeedbackPlanForm
from fulfilment.forms.late import ReplaceForm, ReplanForm
from fulfilment.forms.plan import AddMilestoneForm, MilestoneForm, MoveForm, ReachForm
from fulfilment.forms.plan_template import ApplyPlanForm
from fulfilment.forms.risk import HappenedForm, OverForm, ReviewForm, RiskForm
from fulfilment.models import Shipment
from fulfilment.services.shipping import blocked
from inventory.models import PurchaseLine, PurchaseOrder
from inventory.services import plain
from ordermgmt.lib.actions import Action, ActionSet
from ordermgmt.lib.fsm import Blocker
from orders.actions import ORDER_ACTIONS
from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

State = Order.State


def _ship(order: Order, *, actor: "User", **data: Any) -> Order:
    return services.ship_order(order, actor=actor, **data).order


def _deliver(order: Order, *, actor: "User", **data: Any) -> Order:
    return services.deliver_service(order, actor=actor, **data).order


def _accept(order: Order, *, actor: "User", **data: Any) -> Order:
    return services.record_acceptance(order, actor=actor, **data).order


def _open(kind: str) -> Any:
    def when(order: Order) -> bool:
        return order.state == State.IN_PRODUCTION and bool(services.shippable_lines(order, kind))

    return when


def _to_accept(order: Order) -> bool:
    return order.state == State.SHIPPED and any(line.qty_to_accept > 0 for line in order.order_lines)


def _nothing_to_accept(order: Order) -> list[Blocker]:
    if order.state == State.SHIPPED:
        return []
    return [Blocker(_("Only a shipped order is accepted."))]


ORDER_ACTIONS.add(
    Action(
        "ship", gettext_lazy("Ship"), _ship, permission="fulfilment.ship_order", form=ShipForm, allowed=blocked,
        when=_open(Shipment.Kind.GOODS), primary=True, icon="truck-delivery",
        done=gettext_lazy("The shipment is booked; the delivery note is being made."),
    )
)  # fmt: skip
ORDER_ACTIONS.add(
    Action(
        "deliver", gettext_lazy("Report service delivered"), _deliver, permission="fulfilment.deliver_service",
        form=DeliverForm, allowed=blocked, when=_open(Shipment.Kind.SERVICE), primary=True, icon="checklist",
        done=gettext_lazy("The delivery is booked."),
    )
)  # fmt: skip
ORDER_ACTIONS.add(
    Action(
        "record_acceptance", gettext_lazy("Record acceptance"), _accept, permission="fulfilment.accept_order",
        form=AcceptForm, allowed=_nothing_to_accept, when=_to_accept, primary=True, icon="clipboard-check",
        done=gettext_lazy("The acceptance is recorded."),
    )
)  # fmt: skip


def _return(order: Order, *, actor: "User", **data: Any) -> Order:
    return services.return_goods(order, actor=actor, **data).order


def _waive(order: Order, *, actor: "User", **data: Any) -> Order:
    return services.waive_acceptance(order, actor=actor, **data).order


def _may_come_back(order: Order) -> bool:
    return not services.return_blocked(order) and bool(services.returnable_lines(order))


def _waived(order: Order) -> list[str]:
    waiting = [line for line in order.order_lines if line.qty_to_accept > 0]
    if not waiting:
        return [_("Nothing waits for acceptance any more: the order becomes accepted.")]
    lines = ", ".join(f"{line.position} × {plain(line.qty_to_accept)}" for line in waiting)
    return [_("Counts as accepted without an examination: line %(lines)s.") % {"lines": lines}]


ORDER_ACTIONS.add(
    Action(
        "return_goods", gettext_lazy("Take goods back"), _return, permission="fulfilment.ship_order", form=ReturnForm,
        allowed=services.return_blocked, when=_may_come_back, icon="arrow-back",
        done=gettext_lazy("The return is booked."),
    )
)  # fmt: skip
ORDER_ACTIONS.add(
    Action(
        "waive_acceptance", gettext_lazy("Waive the acceptance"), _waive, permission="fulfilment.waive_acceptance",
        form=ReasonForm, allowed=_nothing_to_accept, when=lambda order: order.state == State.SHIPPED,
        consequences=_waived, danger=True, icon="clipboard-check", done=gettext_lazy("The order is accepted."),
    )
)  # fmt: skip


def _agree(order: Order, *, actor: "User", **data: Any) -> Order:
    return services.add_criterion(order, actor=actor, **data).order


ORDER_ACTIONS.add(
    Action(
        "add_criterion", gettext_lazy("Agree a criterion"), _agree, permission="fulfilment.agree_criteria",
        form=CriterionForm, allowed=services.agree_blocked, when=lambda order: not services.agree_blocked(order),
        icon="checklist", done=gettext_lazy("The criterion is agreed."),
    )
)  # fmt: skip

ORDER_ACTIONS.add(
    Action(
        "agree_term", gettext_lazy("Agree acceptance by silence"), services.agree_term,
        permission="fulfilment.agree_criteria", form=TermForm, allowed=services.agree_blocked,
        when=lambda order: not services.agree_blocked(order), icon="clock", done=gettext_lazy("The days are agreed."),
    )
)  # fmt: skip

CRITERION_ACTIONS = ActionSet(
    Action(
        "drop", gettext_lazy("Drop"), services.drop_criterion, permission="fulfilment.agree_criteria", danger=True,
        allowed=lambda one: services.agree_blocked(one.order), icon="trash",
        consequences=lambda one: [_("“%(name)s” is no longer examined.") % {"name": one}],
    )
)  # fmt: skip

SHIPMENT_ACTIONS = ActionSet(
    Action(
        "track", gettext_lazy("Carrier and tracking"), services.track_shipment, permission="fulfilment.ship_order",
        form=TrackForm, when=lambda one: one.kind == Shipment.Kind.GOODS, icon="truck",
    ),
    Action(
        "arrive", gettext_lazy("Confirm arrival"), services.confirm_arrival, permission="fulfilment.ship_order",
        form=ArrivalForm, when=lambda one: one.delivered_on is None, icon="home-check", primary=True,
    ),
)  # fmt: skip

RECTIFICATION_ACTIONS = ActionSet(
    Action(
        "plan", gettext_lazy("Plan the rectification"), services.start_rectification, transition="begin", form=PlanForm,
        icon="tool", done=gettext_lazy("The rectification is planned."),
    ),
    Action(
        "complete", gettext_lazy("Put right"), services.complete_rectification, transition="complete", form=ResultForm,
        primary=True, icon="tools", done=gettext_lazy("It is put right."),
    ),
)  # fmt: skip

PLAN_ACTIONS = ActionSet(
    Action(
        "add_milestone", gettext_lazy("Add a milestone"), services.add_milestone, permission="fulfilment.plan_order",
        form=AddMilestoneForm, allowed=services.plan_blocked, primary=True, icon="plus",
    ),
    Action(
        "apply_template", gettext_lazy("Plan by a template"), services.apply_plan, permission="fulfilment.plan_order",
        form=ApplyPlanForm, allowed=services.plan_blocked, icon="template",
        done=gettext_lazy("The milestones are planned."),
    ),
)  # fmt: skip


def _of_open_order(milestone: Any) -> list[Blocker]:
    return services.plan_blocked(milestone.order)


def _not_reached(milestone: Any) -> bool:
    return milestone.actual is None


MILESTONE_ACTIONS = ActionSet(
    Action(
        "reach", gettext_lazy("Report as reached"), services.reach_milestone, permission="fulfilment.report_milestone",
        form=ReachForm, allowed=services.reach_blocked, when=_not_reached, primary=True, icon="circle-check",
    ),
    Action(
        "move", gettext_lazy("Move"), services.move_milestone, permission="fulfilment.plan_order", form=MoveForm,
        allowed=_of_open_order, when=_not_reached, icon="calendar",
    ),
    Action(
        "change", gettext_lazy("Change"), services.change_milestone, permission="fulfilment.plan_order",
        form=MilestoneForm, allowed=_of_open_order, icon="edit",
    ),
    Action(
        "reopen", gettext_lazy("Take back"), services.reopen_milestone, permission="fulfilment.plan_order",
        form=ReasonForm, allowed=_of_open_order, when=lambda one: one.actual is not None, icon="arrow-back",
    ),
    Action(
        "remove", gettext_lazy("Remove"), services.remove_milestone, permission="fulfilment.plan_order", danger=True,
        allowed=_of_open_order, when=_not_reached, icon="trash",
        consequences=lambda one: [_("“%(name)s” leaves the plan, and what waits for it no longer does.") % {"name": one}],
    ),
)  # fmt: skip

ORDER_RISK_ACTIONS = ActionSet(
    Action(
        "add_risk", gettext_lazy("Note a risk"), services.add_risk, permission="fulfilment.manage_risk", form=RiskForm,
        allowed=services.plan_blocked, primary=True, icon="alert-triangle",
    )
)  # fmt: skip

RISK_ACTIONS = ActionSet(
    Action(
        "review", gettext_lazy("Review"), services.review_risk, permission="fulfilment.manage_risk", form=ReviewForm,
        when=lambda risk: risk.state == "open", primary=True, icon="eye",
    ),
    Action(
        "realise", gettext_lazy("It happened"), services.realise_risk, transition="realise", form=HappenedForm,
        icon="alert-triangle",
    ),
    Action("close", gettext_lazy("Close"), services.close_risk, transition="close", form=OverForm, icon="check"),
)  # fmt: skip

MATERIAL_ACTIONS = ActionSet(
    Action(
        "reckon", gettext_lazy("Reckon the material anew"), services.replan_needs, permission="fulfilment.plan_order",
        when=lambda order: order.state in (State.PLACED, State.IN_PRODUCTION), icon="refresh",
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
        icon="trash", consequences=lambda one: [_("The day follows the weekly shifts again.")],
    )
)  # fmt: skip

ROUTING_ACTIONS = ActionSet(
    Action(
        "remove", gettext_lazy("Remove"), services.remove_routing_step, permission="fulfilment.set_capacity",
        danger=True, icon="trash",
        consequences=lambda one: [_("New promises and bookings no longer count it; what is booked stays.")],
    )
)  # fmt: skip

FEEDBACK_ACTIONS = ActionSet(
    Action(
        "ask", gettext_lazy("Ask for feedback"), services.ask_feedback, permission="fulfilment.ask_feedback",
        form=AskForm, allowed=services.ask_blocked, when=lambda order: not services.ask_blocked(order), primary=True,
        icon="message-circle", done=gettext_lazy("The link is made; it stands under “Feedback”."),
    ),
    Action(
        "plan", gettext_lazy("Ask regularly"), services.plan_feedback, permission="fulfilment.ask_feedback",
        form=FeedbackPlanForm, allowed=services.agree_blocked, when=lambda order: not services.agree_blocked(order),
        icon="calendar",
    ),
)  # fmt: skip

CORRECTION_ACTIONS = ActionSet(
    Action(
        "assign", gettext_lazy("Assign"), services.assign_correction, transition="complete", form=AssignForm,
        icon="user",
    ),
    Action(
        "done", gettext_lazy("Report as done"), services.finish_correction, transition="complete", form=CorrectedForm,
        primary=True, icon="check",
    ),
)  # fmt: skip
