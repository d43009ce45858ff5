"""What can be done to a change request, to the company's reasons and rules, and to delegations."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from changes import services
from changes.forms import (
    AssessForm,
    ChangeReasonForm,
    ConsentForm,
    DecisionForm,
    NoteForm,
    ReasonForm,
    RiskChangeForm,
    RuleForm,
    TakeOffForm,
)
from changes.models import ApprovalRule, ApprovalStep, Assessment, ChangeReason, ChangeRequest, PurchaseDecision
from fulfilment.actions import RISK_ACTIONS
from fulfilment.models import Risk
from inventory.services import plain
from ordermgmt.accounts.models import User
from ordermgmt.company.services import default_seller
from ordermgmt.lib.actions import Action, ActionSet
from ordermgmt.lib.fsm import Blocker

State = ChangeRequest.State
#: So many materials are named before it is applied; the impact lists all.
_SHOWN = 8


def _void(change: ChangeRequest) -> list[str]:
    if change.state in (State.ASSESSED, State.APPROVED):
        return [_("What was judged and approved so far becomes void.")]
    return []


def _judge(aspect: str) -> Any:
    def perform(change: ChangeRequest, *, actor: User, **data: Any) -> ChangeRequest:
        return services.assess_change(change, aspect=aspect, actor=actor, **data)

    return perform


def _judging(change: ChangeRequest) -> list[str]:
    return [_("Whoever judges a change can't approve it: leave it to a colleague if you are to approve.")]


def _to_judge(change: ChangeRequest) -> bool:
    return change.state in (State.SUBMITTED, State.ASSESSED)


def _judged(change: ChangeRequest) -> bool:
    return change.state in (State.ASSESSED, State.APPROVED)


def _stale(change: ChangeRequest) -> bool:
    return _judged(change) and change.order.version != change.order_version


def _consent_missing(change: ChangeRequest) -> bool:
    return _judged(change) and not change.consents.filter(content_hash=change.content_hash).exists()


def _approval(change: ChangeRequest) -> list[Blocker]:
    if _stale(change):
        what = ", ".join(services.moved(change))
        return [
            Blocker(
                _("The order moved since the change was judged: %(what)s. It is judged again first.")
                % {"what": what or _("version %(n)s") % {"n": change.order.version}},
                f"{change.get_absolute_url()}do/reassess/",
                _("Judge it again"),
            )
        ]
    return []


def _approving(change: ChangeRequest) -> list[str]:
    asked = services.next_step(change)
    left = ApprovalStep.objects.filter(change=change, content_hash=change.content_hash, state="waiting").count()
    if asked is None:
        return []
    found = [_("You agree as %(role)s, to exactly what this page shows.") % {"role": asked.role_label}]
    if left > 1:
        found.append(_("After you %(n)s more are asked.") % {"n": left - 1})
    return found


def _applicable(change: ChangeRequest) -> list[Blocker]:
    found = _approval(change)
    if not found and change.needs_consent and _consent_missing(change):
        found.append(
            Blocker(
                _("The customer's consent is missing."),
                f"{change.get_absolute_url()}do/consent/",
                _("Record the customer's consent"),
            )
        )
    return found


def _applying(change: ChangeRequest) -> list[str]:
    order = change.order
    impact = services.impact_of(order, services.operations_of(change))
    found = [
        _("Order %(number)s comes to %(total)s %(currency)s, as version %(version)s.")
        % {
            "number": order.number, "total": order.money(impact.after.gross_total), "currency": order.currency,
            "version": order.version + 1,
        }
    ]  # fmt: skip
    for one in impact.stock:
        if one.more > 0:
            found.append(_("%(n)s more of %(sku)s are reserved.") % {"n": plain(one.more), "sku": one.sku})
        else:
            found.append(_("%(n)s of %(sku)s are free again.") % {"n": plain(-one.more), "sku": one.sku})
    if wanted := [f"{plain(one.more)} {one.sku}" for one in impact.material[:_SHOWN] if one.more > 0]:
        found.append(_("More material is needed: %(what)s.") % {"what": ", ".join(wanted)})
    if touched := {one.line.order.number for one in impact.purchases if one.counted}:
        numbers = ", ".join(sorted(touched))
        more = impact.purchases_more
        found.append(
            _("Somebody decides on the purchases %(numbers)s; %(n)s more lines are looked at.")
            % {"numbers": numbers, "n": more}
            if more
            else _("Somebody decides on the purchases %(numbers)s.") % {"numbers": numbers}
        )
    if impact.drafts:
        text = ngettext(
            "%(n)s draft invoice is composed anew.", "%(n)s draft invoices are composed anew.", len(impact.drafts)
        )
        found.append(text % {"n": len(impact.drafts)})
    if impact.instalments:
        found.append(_("What is not invoiced yet is planned anew."))
    if impact.issued:
        found.append(_("Finance corrects the issued invoices %(numbers)s.") % {"numbers": ", ".join(impact.issued)})
    found.append(_("Everybody concerned is told and must acknowledge it."))
    return found


CHANGE_ACTIONS = ActionSet(
    Action(
        "submit", gettext_lazy("Submit"), services.submit_change, transition="submit", primary=True, icon="send",
        done=gettext_lazy("The change is asked for."),
    ),
    Action(
        "assess_cost", gettext_lazy("Judge the cost"), _judge(Assessment.Aspect.COST),
        done=gettext_lazy("Your judgement is recorded."),
        permission="changes.assess_cost", form=AssessForm, when=_to_judge, consequences=_judging, icon="coins",
    ),
    Action(
        "assess_schedule", gettext_lazy("Judge the schedule"), _judge(Assessment.Aspect.SCHEDULE),
        done=gettext_lazy("Your judgement is recorded."),
        permission="changes.assess_schedule", form=AssessForm, when=_to_judge, consequences=_judging, icon="calendar",
    ),
    Action(
        "assess_quality", gettext_lazy("Judge the quality"), _judge(Assessment.Aspect.QUALITY),
        done=gettext_lazy("Your judgement is recorded."),
        permission="changes.assess_quality", form=AssessForm, when=_to_judge, consequences=_judging, icon="checklist",
    ),
    Action(
        "approve", gettext_lazy("Approve"), services.approve_change, transition="approve", primary=True, form=NoteForm,
        icon="thumb-up", allowed=_approval, consequences=_approving, done=gettext_lazy("Your approval is recorded."),
    ),
    Action(
        "consent", gettext_lazy("Record the customer's consent"), services.record_consent,
        permission="changes.record_consent", form=ConsentForm, when=_consent_missing, allowed=_approval,
        icon="file-text", done=gettext_lazy("The customer's consent is recorded."),
    ),
    Action(
        "apply", gettext_lazy("Apply the change"), services.apply_change, transition="apply", primary=True, icon="circle-check",
        allowed=_applicable, consequences=_applying, done=gettext_lazy("The order is changed."),
    ),
    Action(
        "acknowledge", gettext_lazy("I know of this change"), services.acknowledge_change,
        permission="changes.view_change", when=lambda change: change.state == State.APPLIED, primary=True, icon="eye",
        done=gettext_lazy("It is noted that you know."),
    ),
    Action(
        "reassess", gettext_lazy("Judge it again"), services.reassess_change, permission="changes.assess_change",
        when=_stale, icon="refresh",
        consequences=lambda _change: [_("The impact is computed anew and every approval is asked again.")],
        done=gettext_lazy("It is judged on the order as it is now."),
    ),
    Action(
        "refuse", gettext_lazy("Refuse"), services.refuse_change, transition="refuse", form=ReasonForm, danger=True,
        icon="thumb-down", done=gettext_lazy("The request is refused."),
    ),
    Action(
        "take_back", gettext_lazy("Take back to write on it"), services.take_back_change, transition="take_back",
        icon="arrow-back", consequences=_void, done=gettext_lazy("The request is a draft again."),
    ),
    Action(
        "withdraw", gettext_lazy("Withdraw"), services.withdraw_change, transition="withdraw", form=ReasonForm,
        danger=True, icon="x", consequences=_void, done=gettext_lazy("The request is withdrawn."),
    ),
)  # fmt: skip


def _save(reason: ChangeReason, *, actor: User, **data: Any) -> ChangeReason:
    return services.save_reason(reason, actor=actor, **data)


def _of_risk(risk: Risk) -> bool:
    return risk.state in (Risk.State.OPEN, Risk.State.HAPPENED) and risk.order.state in services.ALLOWED


def _ask_for(risk: Risk, *, actor: User, **data: Any) -> ChangeRequest:
    return services.raise_change(risk.order, risk=risk, actor=actor, **data)


RISK_ACTIONS.add(
    Action(
        "ask_change", gettext_lazy("Ask for a change"), _ask_for, permission="changes.raise_change",
        form=RiskChangeForm, when=_of_risk, icon="replace", done=gettext_lazy("The request is begun: say what changes."),
    )
)  # fmt: skip

REASON_ACTIONS = ActionSet(
    Action(
        "edit", gettext_lazy("Save the reason"), _save, permission="changes.set_rules", form=ChangeReasonForm,
        primary=True, icon="pencil", done=gettext_lazy("The reason is saved."),
    )
)  # fmt: skip


def _save_rule(rule: ApprovalRule, *, actor: User, **data: Any) -> ApprovalRule:
    return services.save_rule(rule, actor=actor, **data)


def _rule(rule: ApprovalRule) -> list[str]:
    return [_("So far: %(sentence)s") % {"sentence": rule.sentence(default_seller().currency)}]


RULE_ACTIONS = ActionSet(
    Action(
        "edit", gettext_lazy("Save the rule"), _save_rule, permission="changes.set_rules", form=RuleForm, primary=True,
        icon="pencil", consequences=_rule, done=gettext_lazy("The rule is saved."),
    )
)  # fmt: skip

DELEGATION_ACTIONS = ActionSet(
    Action(
        "end", gettext_lazy("End the delegation"), services.end_delegation, permission="changes.approve_change",
        when=lambda one: not one.ended, icon="x", done=gettext_lazy("The delegation is ended."),
    )
)  # fmt: skip


def _is_open(decision: PurchaseDecision) -> bool:
    return decision.is_open


def _taking_off(decision: PurchaseDecision) -> list[str]:
    text = _("At most %(free)s of the %(open)s %(unit)s that are open can be taken off: no order counts on them.")
    return [text % _figures(decision)] if decision.line else []


def _keeping(decision: PurchaseDecision) -> list[str]:
    text = _("%(open)s %(unit)s stay on order; no order counts on %(free)s of them.")
    return [text % _figures(decision)] if decision.line else []


def _figures(decision: PurchaseDecision) -> dict[str, str]:
    free, line = services.spare(decision.line), decision.line
    return {"free": plain(free), "open": plain(line.open) if line else "", "unit": decision.unit}


def _spared(decision: PurchaseDecision) -> list[Blocker]:
    if services.spare(decision.line) > 0:
        return []
    return [Blocker(_("Nothing of it can be taken off: it came, or orders count on all of it."), decision.purchase_url)]


PURCHASE_ACTIONS = ActionSet(
    Action(
        "take-off", gettext_lazy("Take off the purchase"), services.take_off_purchase, permission="inventory.order_purchase",
        form=TakeOffForm, when=_is_open, allowed=_spared, consequences=_taking_off, primary=True, icon="arrow-back", done=gettext_lazy("It is taken off: tell the supplier."),
    ),
    Action(
        "keep", gettext_lazy("Leave as ordered"), services.keep_purchase, permission="inventory.order_purchase",
        form=DecisionForm, when=_is_open, consequences=_keeping, icon="circle-check",
        done=gettext_lazy("It stays as it is ordered."),
    ),
)  # fmt: skip
