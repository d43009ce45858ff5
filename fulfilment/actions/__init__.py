"""What fulfilment adds to an order, and what can be done to shipments and rectifications."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from fulfilment import services
from fulfilment.forms import (
    AcceptForm,
    ArrivalForm,
    DefectForm,
    PlanForm,
    ProofForm,
    ReasonForm,
    ResultForm,
    ReturnForm,
    SendForm,
    ShipForm,
    TrackForm,
)
from fulfilment.forms.criteria import CriterionForm, TermForm
from fulfilment.forms.feedback import AskForm, AssignForm, CorrectedForm, FeedbackPlanForm
from fulfilment.forms.inspection import DeliverForm, InspectForm
from fulfilment.forms.plan import AddMilestoneForm, MilestoneForm, MoveForm, ReachForm
from fulfilment.forms.plan_template import ApplyPlanForm
from fulfilment.forms.risk import HappenedForm, MitigatedForm, OverForm, ReviewForm, RiskForm, SolvedForm
from fulfilment.models import Shipment
from fulfilment.services.shipping import blocked
from inventory.services import plain
from ordermgmt.lib.actions import Action, ActionSet
from ordermgmt.lib.fsm import Blocker
from orders.actions import ORDER_ACTIONS
from orders.models import Order

from .making import BOOKED_ACTIONS as BOOKED_ACTIONS
from .making import BOOKING_ACTIONS as BOOKING_ACTIONS
from .making import CLOSED_ACTIONS as CLOSED_ACTIONS
from .making import LATE_ACTIONS as LATE_ACTIONS
from .making import MATERIAL_ACTIONS as MATERIAL_ACTIONS
from .making import PRODUCED_ACTIONS as PRODUCED_ACTIONS
from .making import PRODUCTION_ACTIONS as PRODUCTION_ACTIONS
from .making import ROUTING_ACTIONS as ROUTING_ACTIONS
from .staff import ABSENCE_ACTIONS as ABSENCE_ACTIONS
from .staff import ASSIGNMENT_ACTIONS as ASSIGNMENT_ACTIONS
from .staff import REPLACE_FOR
from .staff import STAFF_ACTIONS as STAFF_ACTIONS

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


def _inspect(order: Order, *, actor: "User", **data: Any) -> Order:
    return services.inspect_order(order, actor=actor, **data).order


ORDER_ACTIONS.add(
    Action(
        "inspect", gettext_lazy("Inspect before dispatch"), _inspect, permission="fulfilment.inspect_order",
        form=InspectForm, allowed=services.inspect_blocked, when=lambda order: not services.inspect_blocked(order),
        primary=True, icon="clipboard-check", done=gettext_lazy("The inspection is recorded."),
    )
)  # fmt: skip
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
        form=AcceptForm, allowed=_nothing_to_accept, allowed_for=services.acceptance_blocked, when=_to_accept,
        primary=True, icon="clipboard-check",
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
        done=gettext_lazy("The return is booked. Say what follows for each part: a credit, or goods that go out again."),
    )
)  # fmt: skip
ORDER_ACTIONS.add(
    Action(
        "waive_acceptance", gettext_lazy("Waive the acceptance"), _waive, permission="fulfilment.waive_acceptance",
        form=ReasonForm, allowed=_nothing_to_accept, allowed_for=services.acceptance_blocked,
        when=lambda order: order.state == State.SHIPPED,
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
        "drop", gettext_lazy("Drop"), services.drop_criterion,
        done=gettext_lazy("The criterion is no longer examined."),
        permission="fulfilment.agree_criteria", danger=True,
        allowed=lambda one: services.agree_blocked(one.order), icon="trash",
        consequences=lambda one: [_("“%(name)s” is no longer examined.") % {"name": one}],
    )
)  # fmt: skip

SHIPMENT_ACTIONS = ActionSet(
    Action(
        "track", gettext_lazy("Carrier and tracking"), services.track_shipment,
        done=gettext_lazy("Carrier and tracking number are kept."),
        permission="fulfilment.ship_order",
        form=TrackForm, when=lambda one: one.kind == Shipment.Kind.GOODS, icon="truck",
    ),
    Action(
        "arrive", gettext_lazy("Confirm arrival"), services.confirm_arrival,
        done=gettext_lazy("The arrival is confirmed."),
        permission="fulfilment.ship_order",
        form=ArrivalForm, when=lambda one: one.delivered_on is None, icon="home-check", primary=True,
    ),
    Action(
        "add_proof", gettext_lazy("Add the proof of delivery"), services.add_proof, permission="fulfilment.ship_order",
        form=ProofForm, allowed=services.proof_blocked, when=lambda one: not services.proof_blocked(one), icon="photo",
        done=gettext_lazy("The proof of delivery is kept."),
    ),
)  # fmt: skip

RECTIFICATION_ACTIONS = ActionSet(
    Action(
        "defect", gettext_lazy("Note a defect"), services.note_defect, permission="fulfilment.note_defect",
        form=DefectForm, when=lambda one: one.state != "done" and not one.came_back, icon="alert-triangle",
        done=gettext_lazy("The defect is noted."),
    ),
    Action(
        "plan", gettext_lazy("Plan the rectification"), services.start_rectification, transition="begin", form=PlanForm,
        allowed=services.begin_blocked, icon="tool", done=gettext_lazy("The rectification is planned."),
    ),
    Action(
        "complete", gettext_lazy("Put right"), services.complete_rectification, transition="complete", form=ResultForm,
        allowed=services.complete_blocked, primary=True, icon="tools", done=gettext_lazy("It is put right."),
        when=lambda one: not one.came_back,
    ),
    Action(
        "send", gettext_lazy("Send again"), services.send_returned, transition="send", form=SendForm,
        allowed=services.send_blocked, when=lambda one: one.sends_again, primary=True, icon="truck-delivery",
        done=gettext_lazy("The goods are on their way; the delivery note is being made."),
    ),
)  # fmt: skip

DEFECT_ACTIONS = ActionSet(
    Action(
        "correct", gettext_lazy("Corrected"), services.correct_defect, permission="fulfilment.rectify_order",
        when=lambda one: not one.corrected, primary=True, icon="check", done=gettext_lazy("The defect is corrected."),
        consequences=lambda one: [_("“%(name)s” is corrected today.") % {"name": one}],
    )
)  # fmt: skip

PLAN_ACTIONS = ActionSet(
    Action(
        "add_milestone", gettext_lazy("Add a milestone"), services.add_milestone,
        done=gettext_lazy("The milestone is in the plan."),
        permission="fulfilment.plan_order",
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
        "reach", gettext_lazy("Report as reached"), services.reach_milestone,
        done=gettext_lazy("The milestone is reached."),
        permission="fulfilment.report_milestone",
        form=ReachForm, allowed=services.reach_blocked, when=_not_reached, primary=True, icon="circle-check",
    ),
    Action(
        "move", gettext_lazy("Move"), services.move_milestone,
        done=gettext_lazy("The milestone is moved."),
        permission="fulfilment.plan_order", form=MoveForm,
        allowed=_of_open_order, when=_not_reached, icon="calendar",
    ),
    Action(
        "change", pgettext_lazy("verb", "Change"), services.change_milestone,
        done=gettext_lazy("The milestone is changed."),
        permission="fulfilment.plan_order",
        form=MilestoneForm, allowed=_of_open_order, icon="edit",
    ),
    Action(
        "reopen", gettext_lazy("Take back"), services.reopen_milestone,
        done=gettext_lazy("The milestone is open again."),
        permission="fulfilment.plan_order",
        form=ReasonForm, allowed=_of_open_order, when=lambda one: one.actual is not None, icon="arrow-back",
    ),
    Action(
        "remove", gettext_lazy("Remove"), services.remove_milestone, permission="fulfilment.plan_order", danger=True,
        allowed=_of_open_order, when=_not_reached, icon="trash", done=gettext_lazy("The milestone has left the plan."),
        consequences=lambda one: [_("“%(name)s” leaves the plan, and what waits for it no longer does.") % {"name": one}],
    ),
)  # fmt: skip

ORDER_RISK_ACTIONS = ActionSet(
    Action(
        "add_risk", gettext_lazy("Note a risk"), services.add_risk, permission="fulfilment.manage_risk", form=RiskForm,
        allowed=services.plan_blocked, primary=True, icon="alert-triangle", done=gettext_lazy("The risk is noted."),
    )
)  # fmt: skip

RISK_ACTIONS = ActionSet(
    Action(
        "review", gettext_lazy("Review"), services.review_risk,
        done=gettext_lazy("The review is kept."),
        permission="fulfilment.manage_risk", form=ReviewForm,
        when=lambda risk: risk.state == "open", primary=True, icon="eye",
    ),
    Action(
        "mitigate", gettext_lazy("Mitigation done"), services.mitigate_risk,
        done=gettext_lazy("The mitigation is done."),
        permission="fulfilment.manage_risk",
        form=MitigatedForm, allowed=services.mitigation_blocked, icon="shield",
        when=lambda risk: risk.mitigated_on is None and not services.mitigation_blocked(risk),
    ),
    Action(
        "realise", gettext_lazy("It happened"), services.realise_risk, transition="realise", form=HappenedForm,
        icon="alert-triangle", done=gettext_lazy("It is an issue now, until it is solved."),
    ),
    Action(
        "resolve", gettext_lazy("Solved"), services.resolve_risk,
        done=gettext_lazy("The issue is solved."),
        transition="resolve", form=SolvedForm, primary=True,
        icon="circle-check",
    ),
    Action(
        "close", gettext_lazy("Close"), services.close_risk, transition="close", form=OverForm, icon="check",
        done=gettext_lazy("The risk is closed."),
    ),
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
        icon="calendar", done=gettext_lazy("The customer is asked regularly."),
    ),
)  # fmt: skip

CORRECTION_ACTIONS = ActionSet(
    Action(
        "assign", gettext_lazy("Assign"), services.assign_correction, transition="complete", form=AssignForm,
        icon="user", done=gettext_lazy("The corrective action has an owner."),
    ),
    REPLACE_FOR,
    Action(
        "done", gettext_lazy("Report as done"), services.finish_correction,
        done=gettext_lazy("The corrective action is done."),
        transition="complete", form=CorrectedForm,
        primary=True, icon="check",
    ),
)  # fmt: skip
