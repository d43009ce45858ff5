"""Which rules count for a request, and whom they ask, in which order."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from changes.models import ApprovalRule, ApprovalRuleStep, ApprovalStep, Assessment, ChangeRequest
from ordermgmt.accounts.roles import Role
from ordermgmt.company.services import DayRates, business_today, default_seller
from ordermgmt.lib.money import HUNDRED, ZERO, total
from orders.models import Order
from orders.services import agreed_versions

from .values import Op

State = ChangeRequest.State
Mode = ApprovalRuleStep.Mode
_LEVELS = list(Assessment.Level.values)


@dataclass(frozen=True)
class Summed:
    """What an order's open and applied changes come to, one request's own part included.

    `amount` is in the company's currency at the rate of the day, None where no rate is known: how much its lines are
    moved, up and down alike, so that what is taken off does not hide what is put on. `share` is that as percent of the
    order as it was placed. `days` are calendar days.
    """

    amount: Decimal | None
    share: Decimal
    days: int


@dataclass
class Wanted:
    """One role that is asked: in which place, how many of its people, within how many days, and because of what."""

    role: str
    seq: int
    mode: str
    due_days: int
    rules: list[str]


def summed(change: ChangeRequest, order: Order) -> Summed:
    """The sums that limits are held against, so that a big change cut into small ones meets the same limit."""
    rows = ChangeRequest.objects.filter(order=order).exclude(pk=change.pk)
    others = list(
        rows.filter(state__in=[State.SUBMITTED, State.ASSESSED, State.APPROVED, State.APPLIED]).values_list(
            "net_change", "moved", "days"
        )
    )
    amount = total(max(abs(net), moved) for net, moved, _days in [*others, (change.net_change, change.moved, 0)])
    base = _placed_net(order)
    share = amount * HUNDRED / base if base else (HUNDRED if amount else ZERO)
    own = DayRates(business_today()).convert(amount, order.currency, default_seller().currency)
    return Summed(own, share, change.days + sum(days for _net, _moved, days in others))


def _placed_net(order: Order) -> Decimal:
    """What the order came to when it was placed."""
    content = agreed_versions(order).values_list("content", flat=True).first() or {}
    return Decimal(str(content.get("header", {}).get("net_total") or order.net_total))


def matching_rules(change: ChangeRequest, order: Order, operations: Sequence[Op]) -> list[ApprovalRule]:
    """The rules in force that count for this request."""
    sums = summed(change, order)
    kinds = {str(op.kind) for op in operations}
    rules = ApprovalRule.objects.filter(is_active=True).prefetch_related("steps")
    return [rule for rule in rules if counts(rule, change, sums, kinds)]


def passes_limit(change: ChangeRequest, order: Order, *, judged: bool) -> bool:
    """Whether the request passes a limit of a rule in force. Before it is judged only what its lines move is known."""
    sums = summed(change, order)
    rules = ApprovalRule.objects.filter(is_active=True)
    if not judged:
        return any(any(_worth(rule, sums)) for rule in rules)
    return any(any(_limits(rule, change, sums)) for rule in rules)


def lacks_rate(currency: str) -> bool:
    """Whether amounts of this currency can't be held against limits, because no rate was ever set."""
    return DayRates(business_today()).convert(Decimal(1), currency, default_seller().currency) is None


def counts(rule: ApprovalRule, change: ChangeRequest, sums: Summed, kinds: set[str]) -> bool:
    """Whether one of the rule's conditions holds, or it has none."""
    asked = _limits(rule, change, sums) + ([bool(kinds & set(rule.kinds))] if rule.kinds else [])
    return any(asked) or not asked


def _limits(rule: ApprovalRule, change: ChangeRequest, sums: Summed) -> list[bool]:
    """Whether each limit that the rule names is passed."""
    level = _LEVELS.index(change.quality)
    held = [
        None if rule.days_over is None else sums.days > rule.days_over,
        None if rule.margin_under is None else change.margin_after is None or change.margin_after < rule.margin_under,
        None if not rule.quality_from else level >= max(1, _LEVELS.index(rule.quality_from)),
    ]
    return _worth(rule, sums) + [one for one in held if one is not None]


def _worth(rule: ApprovalRule, sums: Summed) -> list[bool]:
    """Whether the limits of amount and share that the rule names are passed. What can't be converted passes."""
    held = [
        None if rule.amount_over is None else sums.amount is None or sums.amount > rule.amount_over,
        None if rule.share_over is None else sums.share > rule.share_over,
    ]
    return [one for one in held if one is not None]


def wanted_steps(rules: Sequence[ApprovalRule], *, ends_work: bool = False) -> list[Wanted]:
    """Whom the rules ask. A role that several name is asked once, in its last place, as strictly as any of them asks.

    Where no rule says anything a manager is asked: nothing is applied that nobody approved. A change that `ends_work` in
    progress is agreed to by a manager and by finance, whatever the rules say.
    """
    found: dict[str, Wanted] = {}
    for rule in rules:
        for one in rule.steps.all():
            known = found.setdefault(one.role, Wanted(one.role, one.seq, one.mode, one.due_days, []))
            known.seq = max(known.seq, one.seq)
            known.mode = Mode.ALL.value if Mode.ALL in (known.mode, one.mode) else Mode.ANY.value
            known.due_days = min(known.due_days, one.due_days)
            known.rules.append(rule.name)
    steps = sorted(found.values(), key=lambda one: (one.seq, one.role))
    if not steps or (ends_work and Role.MANAGER not in found):
        steps.append(Wanted(Role.MANAGER.value, 1, Mode.ANY.value, 3, []))
    if ends_work and not found.keys() & {Role.FINANCE.value, Role.FINANCE_MANAGER.value}:
        steps.append(Wanted(Role.FINANCE.value, 1, Mode.ANY.value, 3, []))
    return steps


def lay_out(change: ChangeRequest, steps: Sequence[Wanted]) -> None:
    """Asks these steps for the request's present content; what was asked for another content is void."""
    change.steps.exclude(state=ApprovalStep.State.VOID).update(state=ApprovalStep.State.VOID)
    today = business_today()
    ApprovalStep.objects.bulk_create(
        ApprovalStep(
            change=change, content_hash=change.content_hash, seq=seq, role=one.role, mode=one.mode,
            rules=", ".join(dict.fromkeys(one.rules))[:500], due_on=today + dt.timedelta(days=one.due_days),
        )
        for seq, one in enumerate(steps, start=1)
    )  # fmt: skip


def asked_steps(change: ChangeRequest) -> list[tuple[str, str]]:
    """Role and mode of the steps that stand for the request's present content, in their order."""
    rows = ApprovalStep.objects.filter(change=change, content_hash=change.content_hash).order_by("seq")
    return list(rows.values_list("role", "mode"))
