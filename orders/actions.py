"""What people do with an order: one action per verb, offered by state and right."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ordermgmt.company.services import business_today
from ordermgmt.lib.actions import Action, ActionSet
from orders import forms, services
from orders.models import Order, OrderApproval, OrderTemplate

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

State = Order.State


def _in(*states: str) -> Callable[[Order], bool]:
    return lambda order: order.state in states


def _place_consequences(order: Order) -> list[str]:
    stocked = sum(1 for line in order.order_lines if line.is_stocked)
    found = [_("keeps the agreed content; from then on it is changed by a change request")]
    if stocked:
        found.insert(
            0, ngettext("reserves stock for %(n)s line", "reserves stock for %(n)s lines", stocked) % {"n": stocked}
        )
    if order.is_stock_only:
        found.append(_("passes the order on to fulfilment at once"))
    lines = order.order_lines
    whole = services.order_promise(lines, services.promises(lines, business_today()))
    if early := services.too_early(order.promised_date, whole):
        found.append(early)
    return found


def _cancel_consequences(order: Order) -> list[str]:
    reserved = sum(1 for line in order.order_lines if line.qty_reserved > 0)
    found = [_("ends the order for good: it can't be opened again")]
    if reserved:
        sentence = ngettext("releases the stock of %(n)s line", "releases the stock of %(n)s lines", reserved)
        found.insert(0, sentence % {"n": reserved})
    return found


def _delete_consequences(order: Order) -> list[str]:
    return [_("removes the draft with its lines; its number is not used again")]


def _duplicate(order: Order, *, actor: "User") -> Order:
    return services.duplicate_order(order, actor=actor)


def _save_template(order: Order, *, name: str, is_shared: bool, actor: "User") -> Order:
    services.save_template(order, name=name, is_shared=is_shared, actor=actor)
    return order


def _share(template: OrderTemplate, *, actor: "User") -> OrderTemplate:
    return services.share_template(template, is_shared=True, actor=actor)


def _unshare(template: OrderTemplate, *, actor: "User") -> OrderTemplate:
    return services.share_template(template, is_shared=False, actor=actor)


def _template_shared(shared: bool) -> Callable[[OrderTemplate], bool]:
    return lambda template: template.is_shared is shared


def _grant(order: Order, *, note: str, actor: "User") -> Order:
    services.decide_approval(order, grant=True, note=note, actor=actor)
    return order


def _refuse(order: Order, *, note: str, actor: "User") -> Order:
    services.decide_approval(order, grant=False, note=note, actor=actor)
    return order


def _ask(order: Order, *, reason: str, actor: "User") -> Order:
    services.ask_approval(order, reason=reason, actor=actor)
    return order


def _approval_missing(order: Order) -> bool:
    return order.state == State.DRAFT and bool(order.missing_approvals())


def _approval_waits(order: Order) -> bool:
    if order.state != State.DRAFT:
        return False
    waiting = order.approvals.filter(state=OrderApproval.State.ASKED, content_hash=order.content_hash())
    return waiting.exists()


ORDER_ACTIONS = ActionSet(
    Action(
        "place", gettext_lazy("Place order"), services.place_order, transition="place", primary=True, icon="check",
        consequences=_place_consequences, done=gettext_lazy("The order is placed."), bulk=True,
    ),
    Action(
        "ask_approval", gettext_lazy("Ask for approval"), _ask, permission="orders.edit_order", form=forms.AskForm,
        when=_approval_missing, icon="help-circle", done=gettext_lazy("The approval was asked for."),
    ),
    Action(
        "grant_approval", gettext_lazy("Grant approval"), _grant, permission="orders.approve_order",
        form=forms.NoteForm, when=_approval_waits, primary=True, icon="thumb-up",
        done=gettext_lazy("The approval is granted for exactly this content."),
    ),
    Action(
        "refuse_approval", gettext_lazy("Refuse approval"), _refuse,
        done=gettext_lazy("The approval is refused."),
        permission="orders.approve_order",
        form=forms.NoteForm, when=_approval_waits, danger=True, icon="thumb-down",
    ),
    Action(
        "quote", gettext_lazy("Keep as quotation"), services.quote_order, permission="orders.edit_order",
        when=_in(State.DRAFT), icon="file-text", done=gettext_lazy("This content is kept as a revision of the quotation."),
    ),
    Action(
        "start", gettext_lazy("Start work"), services.start_order, transition="start", primary=True,
        icon="player-play", done=gettext_lazy("Work has begun."),
    ),
    Action(
        "assign", gettext_lazy("Assign project manager"), services.assign_order,
        done=gettext_lazy("The project manager is assigned."),
        permission="orders.assign_order",
        form=forms.AssignForm, when=lambda order: order.state not in (State.SETTLED, State.CANCELLED),
        icon="user-check", bulk=True,
    ),
    Action(
        "schedule", gettext_lazy("Promise a date"), services.schedule_order,
        done=gettext_lazy("The promised date is kept."),
        permission="orders.assign_order",
        form=forms.ScheduleForm, when=_in(State.PLACED), icon="calendar", bulk=True,
    ),
    Action(
        "waive_deposit", gettext_lazy("Waive the deposit"), services.waive_deposit,
        done=gettext_lazy("The deposit is waived."),
        permission="orders.waive_deposit",
        form=forms.ReasonForm, when=lambda order: order.state == State.PLACED and not order.deposit_settled,
        icon="coin-off",
    ),
    Action(
        "finish", gettext_lazy("Report completion"), services.finish_order, transition="finish", primary=True,
        icon="truck", done=gettext_lazy("Everything is reported as delivered."),
    ),
    Action(
        "hold", gettext_lazy("Put on hold"), services.hold_order, permission="orders.hold_order",
        form=forms.ReasonForm, icon="hand-stop", bulk=True,
        when=lambda order: not order.on_hold
        and order.state in (State.PLACED, State.IN_PRODUCTION, State.SHIPPED, State.RECTIFICATION),
        done=gettext_lazy("Work and shipping are stopped."),
    ),
    Action(
        "resume", gettext_lazy("Resume"), services.resume_order, permission="orders.hold_order",
        when=lambda order: order.on_hold, icon="player-play", bulk=True, done=gettext_lazy("The order goes on."),
    ),
    Action(
        "duplicate", gettext_lazy("Duplicate"), _duplicate, permission="orders.create_order", icon="copy",
        done=gettext_lazy("This is the copy, a new draft."),
    ),
    Action(
        "save_template", gettext_lazy("Keep as template"), _save_template, permission="orders.create_order",
        form=forms.TemplateForm, icon="template", done=gettext_lazy("The lines are kept as a template."),
    ),
    Action(
        "change_customer", gettext_lazy("Change customer"), services.change_customer, permission="orders.edit_order",
        form=forms.CustomerChangeForm, when=_in(State.DRAFT), icon="users",
        done=gettext_lazy("The draft is for this customer now."),
    ),
    Action(
        "delete", gettext_lazy("Delete draft"), services.delete_draft, permission="orders.edit_order",
        when=_in(State.DRAFT), danger=True, icon="trash", consequences=_delete_consequences,
        done=gettext_lazy("The draft is deleted."),
    ),
    Action(
        "cancel", gettext_lazy("Cancel order"), services.cancel_order, transition="cancel", form=forms.ReasonForm,
        danger=True, icon="ban", consequences=_cancel_consequences, done=gettext_lazy("The order is cancelled."),
        bulk=True,
    ),
    Action(
        "agree_termination", gettext_lazy("Agree to termination"), services.agree_termination,
        done=gettext_lazy("The termination is agreed to."),
        permission="billing.settle_order", icon="check",
        when=lambda order: order.state == State.IN_PRODUCTION and order.termination_agreed_by_id is None,
    ),
    Action(
        "terminate", gettext_lazy("Terminate order"), services.terminate_order,
        done=gettext_lazy("The order is terminated."),
        transition="terminate",
        form=forms.ReasonForm, danger=True, icon="ban", consequences=_cancel_consequences,
    ),
    Action(
        "settle", gettext_lazy("Settle order"), services.settle_order, transition="settle", primary=True,
        icon="lock", done=gettext_lazy("The order is settled."),
    ),
    Action(
        "reopen", gettext_lazy("Reopen the account"), services.reopen_order, transition="reopen",
        form=forms.ReasonForm, danger=True, icon="lock-open", done=gettext_lazy("The account is open again."),
    ),
)  # fmt: skip

TEMPLATE_ACTIONS = ActionSet(
    Action(
        "share", gettext_lazy("Share with colleagues"), _share,
        done=gettext_lazy("Colleagues see the template."),
        permission="orders.create_order", when=_template_shared(False), icon="share",
    ),
    Action(
        "unshare", gettext_lazy("Keep to myself"), _unshare,
        done=gettext_lazy("Only you see the template."),
        permission="orders.create_order", when=_template_shared(True), icon="lock",
    ),
    Action(
        "delete", gettext_lazy("Delete template"), services.delete_template,
        done=gettext_lazy("The template is deleted."),
        permission="orders.create_order",
        danger=True, icon="trash",
        consequences=lambda _template: [_("forgets these lines; orders made from them stay as they are")],
    ),
)  # fmt: skip
