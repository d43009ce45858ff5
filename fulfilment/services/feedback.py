"""Asking the customer how the work goes, by a private link, and what a low score sets going."""

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import CorrectiveAction, Feedback, FeedbackLink, FeedbackPlan
from fulfilment.models.feedback import LOW, SATISFIED, Stage
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import require, system_user, users_with_role
from ordermgmt.activity.services import enqueue, record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import Blocker, TransitionRefused, check_transition
from ordermgmt.lib.searching import search_text
from orders.models import Order
from orders.services import locked

from .criteria import agree_blocked

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

MAIL_JOB = "fulfilment.feedback_mail"
#: How long a link works, and how soon a low score is to be seen to, in days.
LINK_DAYS, CORRECT_DAYS = 30, 3
_RIGHT, _SALT = "fulfilment.ask_feedback", "fulfilment.feedback"
#: What people agree on; the next day follows from it, each time the customer was asked.
_AGREED = ("every_days", "to")
_State = Order.State
_DURING = (_State.IN_PRODUCTION, _State.SHIPPED)
_AFTER = (_State.ACCEPTED, _State.SETTLED)


class DeadLink(Exception):
    """A link that takes no answer; `sentence` says why, in the reader's language."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def ask_blocked(order: Order) -> list[Blocker]:
    """Why the customer can't be asked; empty when they can."""
    if order.state in _DURING + _AFTER:
        return []
    return [Blocker(_("The customer is asked from the start of the work on."))]


def link_address(link: FeedbackLink) -> str:
    """The private address of a question: signed, so that nobody can make one up or alter it."""
    return f"{settings.SITE_URL.rstrip('/')}/fulfilment/feedback/say/{signing.Signer(salt=_SALT).sign(str(link.pk))}/"


def find_link(token: str) -> FeedbackLink:
    """The question behind a private address. Raises DeadLink for one that was altered."""
    try:
        pk = int(signing.Signer(salt=_SALT).unsign(token))
    except signing.BadSignature:
        pk = 0
    link = FeedbackLink.objects.select_related("order__seller").filter(pk=pk).first()
    if link is None:
        raise DeadLink(_("This link is not complete. Open it exactly as you received it, or ask us for another."))
    return link


def check_open(link: FeedbackLink) -> None:
    """Raises DeadLink for a question that is answered, or whose last day has passed."""
    if Feedback.objects.filter(link=link).exists():
        raise DeadLink(_("This link was used: your answer has arrived. Thank you."))
    if link.expires_on < business_today():
        raise DeadLink(_("This link is too old. Ask us for another; we should like to hear from you."))


@transaction.atomic
def ask_feedback(order: Order, *, to: str = "", language: str = "", key: str, actor: "User") -> FeedbackLink:
    """Asks the customer of an order: makes a link and, where `to` is given, has it mailed after commit.

    The same `key` twice asks once. Raises PermissionDenied, TransitionRefused (the work has not begun),
    ValidationError (no address, no language).
    """
    require(actor, _RIGHT)
    order = locked(order)
    if found := ask_blocked(order):
        raise TransitionRefused(found)
    return _ask(order, to=to, language=language or order.language, key=f"form:{key}", actor=actor)


def _ask(order: Order, *, to: str, language: str, key: str, actor: "User") -> FeedbackLink:
    key = f"{order.pk}:{key}"[:100]
    if known := FeedbackLink.objects.filter(key=key).first():
        return known
    link = FeedbackLink(
        order=order, stage=Stage.AFTER if order.state in _AFTER else Stage.DURING, language=language, to=to, key=key,
        expires_on=business_today() + dt.timedelta(days=LINK_DAYS), asked_by=actor,
    )  # fmt: skip
    link.full_clean(exclude=["order", "asked_by"])
    link.save()
    if to:
        title = _("Feedback on %(number)s") % {"number": order.number}
        enqueue(MAIL_JOB, key=f"{MAIL_JOB}:{link.pk}", params={"link": link.pk}, actor=actor, title=title)
    record(events.FEEDBACK_ASKED, order, actor=actor, to=to or "–")
    return link


@transaction.atomic
def plan_feedback(order: Order, *, every_days: int, to: str, next_on: dt.date, actor: "User") -> Order:
    """Has the customer asked regularly while the work goes on; again with other values replaces them.

    Raises PermissionDenied, TransitionRefused (the order is over), ValidationError.
    """
    require(actor, _RIGHT)
    order = locked(order)
    if found := agree_blocked(order):
        raise TransitionRefused(found)
    plan = FeedbackPlan.objects.filter(order=order).first() or FeedbackPlan(order=order)
    was = snapshot(plan, *_AGREED) if plan.pk else None
    plan.every_days, plan.to, plan.next_on, plan.set_by = every_days, to, next_on, actor
    plan.full_clean(exclude=["order", "set_by"])
    if next_on < business_today():
        raise ValidationError({"next_on": _("The date is in the past.")})
    plan.save()
    record(
        events.FEEDBACK_PLANNED, plan, root=order, actor=actor, before=was, after=snapshot(plan, *_AGREED), days=every_days,
        next_on=str(next_on),
    )  # fmt: skip
    return order


def ask_due(today: dt.date | None = None) -> int:
    """Asks whoever is to be asked by now, once per day and order; gives how many. Run by the schedule."""
    today = today or business_today()
    asked = 0
    for plan in FeedbackPlan.objects.filter(next_on__lte=today, order__state__in=_DURING).order_by("pk")[:500]:
        with transaction.atomic():
            order = locked(plan.order)
            plan = FeedbackPlan.objects.select_for_update(no_key=True).get(pk=plan.pk)
            if plan.next_on <= today and order.state in _DURING and not order.on_hold:
                _ask(order, to=plan.to, language=order.language, key=f"plan:{plan.next_on}", actor=system_user())
                FeedbackPlan.objects.filter(pk=plan.pk).update(next_on=today + dt.timedelta(days=plan.every_days))
                asked += 1
    return asked


def customer_address(order: Order) -> str:
    """Where the customer of an order is reached: its contact, else the customer; "" where neither has an address."""
    return (order.contact.email if order.contact else "") or order.customer.email


@transaction.atomic
def ask_after(order: Order) -> None:
    """The survey after acceptance: for orders with services, and whoever is asked regularly; told twice it asks once.

    Without an address the link stands on the order's page, to be handed over.
    """
    order = locked(order)
    plan = FeedbackPlan.objects.filter(order=order).first()
    served = order.lines.filter(supply="service").exists()
    if (plan is not None or served) and order.state in _AFTER:
        to = plan.to if plan else customer_address(order)
        _ask(order, to=to, language=order.language, key="accepted", actor=system_user())


@transaction.atomic
def answer_feedback(link: FeedbackLink, *, score: int, text: str = "", by: str = "") -> Feedback:
    """The customer's one answer to a link. A low score opens a corrective action.

    Raises DeadLink (used, too old), ValidationError (no score of the scale, too long a text).
    """
    order = locked(link.order)
    link = FeedbackLink.objects.select_for_update(no_key=True).get(pk=link.pk)
    link.order = order
    check_open(link)
    said = Feedback(
        order=order, link=link, stage=link.stage, on=business_today(), by=by.strip(), score=score,
        satisfied=score >= SATISFIED, text=text.strip(),
    )  # fmt: skip
    said.search_text = search_text(said.text, said.by)
    said.full_clean(exclude=["order", "link"])
    said.save()
    record(events.FEEDBACK_GIVEN, said, root=order, actor=None, score=score, by=said.by or order.customer_name)
    if score <= LOW:
        _open_action(said, order)
    return said


def _caretaker(order: Order) -> "User | None":
    """Who sees to a low score: project manager, else salesperson; a manager who sees the order where both have left."""
    if own := next((one for one in (order.project_manager, order.owner) if one and one.is_active), None):
        return own
    others = users_with_role(Role.SALES_MANAGER, Role.MANAGER).order_by("pk")
    return next((one for one in others if Order.objects.visible_to(one).filter(pk=order.pk).exists()), None)


def _open_action(said: Feedback, order: Order) -> None:
    owner = _caretaker(order)
    if owner is None:
        return
    due = business_today() + dt.timedelta(days=CORRECT_DAYS)
    action = CorrectiveAction.objects.create(order=order, feedback=said, owner=owner, due=due)
    record(
        events.CORRECTION_OPENED, action, root=order, actor=None, score=said.score, owner=owner.name, due=str(due),
        owner_id=owner.pk,
    )  # fmt: skip


@transaction.atomic
def assign_correction(
    action: CorrectiveAction, *, owner: "User", due: dt.date, measure: str = "", actor: "User"
) -> CorrectiveAction:
    """Says who sees to a low score, how and until when. Raises PermissionDenied, TransitionRefused, ValidationError."""
    require(actor, "fulfilment.correct_service")
    action, was = _locked_action(action)
    check_transition(action.complete, actor)
    action.owner, action.due, action.measure = owner, due, measure
    if not owner.is_active:
        raise ValidationError({"owner": _("Choose somebody who is active.")})
    if due < business_today():
        raise ValidationError({"due": _("The date is in the past.")})
    action.full_clean(exclude=["state", "order", "feedback"])
    action.save()
    record(
        events.CORRECTION_ASSIGNED, action, root=action.order, actor=actor, before=was, after=snapshot(action),
        owner=owner.name, due=str(due), owner_id=owner.pk,
    )  # fmt: skip
    return action


@transaction.atomic
def finish_correction(action: CorrectiveAction, *, measure: str, result: str, actor: "User") -> CorrectiveAction:
    """It is done: how, and what came of it. Raises PermissionDenied, TransitionRefused (it is done), ValidationError."""
    require(actor, "fulfilment.correct_service")
    action, was = _locked_action(action)
    check_transition(action.complete, actor)
    action.measure, action.result = measure, result.strip()
    if not action.result:
        raise ValidationError({"result": _("Say what came of it.")})
    action.complete()
    action.full_clean(exclude=["state", "order", "feedback", "owner"])
    action.save()
    record(
        events.CORRECTION_DONE, action, root=action.order, actor=actor, before=was, after=snapshot(action),
        result=action.result,
    )  # fmt: skip
    return action


def _locked_action(action: CorrectiveAction) -> tuple[CorrectiveAction, dict[str, object]]:
    order = locked(action.order)
    row = CorrectiveAction.objects.select_for_update(no_key=True).get(pk=action.pk)
    row.order = order
    return row, snapshot(row)


def note_asked(link: FeedbackLink) -> None:
    """The mail with the link went out."""
    FeedbackLink.objects.filter(pk=link.pk).update(sent_at=timezone.now())


def import_feedback(said: Feedback) -> bool:
    """Keeps an answer of another system, without anything that it would set going here; False where it is known.

    Raises ValidationError.
    """
    if Feedback.objects.filter(source_key=said.source_key).exists():
        return False
    said.search_text = search_text(said.text, said.by)
    said.full_clean(exclude=["order", "link"], validate_unique=False)
    said.save()
    return True
