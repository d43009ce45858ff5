"""Plans from files: the rows of one order make its plan. What customers said, a row each."""

import hashlib
from collections import Counter

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from fulfilment.models import Feedback
from fulfilment.models.feedback import SATISFIED
from fulfilment.services import Step, import_feedback, import_plan
from ordermgmt.lib.importing import Context, Field, Group, Outcome, Problem, Refused, Row, Target, register
from orders.models import Order


def save_plan(context: Context, group: Group) -> Outcome:
    """The plan of one order. What comes first and is not in the file is left out, with one warning."""
    order = _order(context, group.first)
    problems: list[Problem] = []
    steps = [step for row in group.rows if (step := _step(row, order, problems))]
    codes = [one.code for one in steps]
    problems += [
        row.problem("code", _t("The code “%(code)s” stands in the file twice.") % {"code": row.text("code")})
        for row in group.rows
        if codes.count(row.text("code")) > 1
    ]
    if problems:
        raise Refused(problems)
    named = {(first, row.text("code")) for row in group.rows for first in _codes(row.text("before"))}
    inside = [pair for pair in named if pair[0] in codes]
    if left := len(named) - len(inside):
        text = _t("%(count)s predecessors are not in the file; the plan does without them.")
        context.warn(group.first, "before", text % {"count": left})
    new, changed = import_plan(order, steps, inside, actor=context.actor)
    if new:
        return Outcome.CREATED
    return Outcome.CHANGED if changed else Outcome.UNCHANGED


def _codes(text: str) -> list[str]:
    return [code for part in text.split(",") if (code := part.strip())]


def _order(context: Context, row: Row) -> Order:
    number = row.text("order")
    found = Order.objects.filter(source_key=context.key(number)).first() or Order.objects.filter(number=number).first()
    if found is None:
        raise Refused([row.problem("order", _t("There is no order “%(number)s”.") % {"number": number})])
    return found


def _step(row: Row, order: Order, problems: list[Problem]) -> Step | None:
    """One milestone. A start alone is its day: planned for it, and reached on it where the source says it is done."""
    start, baseline, actual = row.date("start"), row.date("baseline"), row.date("actual")
    forecast = row.date("forecast") or baseline or start
    if actual is None and row.text("status") == "done":
        actual = forecast
    early = [
        name
        for name in ("start", "baseline", "forecast", "actual")
        if (day := row.date(name)) and day < order.order_date
    ]
    if early:
        problems += [row.problem(name, _t("The date lies before the order.")) for name in early]
        return None
    return Step(row.text("code")[:40], row.text("name")[:300], start, baseline, forecast, actual)


register(
    Target(
        "milestones",
        _("Plans with milestones"),
        (
            Field("order", _("Order"), required=True, names=("order number", "订单号", "订单编号")),
            Field("code", _("Code"), required=True, names=("activity id", "task code", "id", "代码")),
            Field("name", _("Name"), required=True, names=("activity name", "task name", "milestone", "名称", "里程碑")),
            Field("before", _("Comes after"), names=("predecessors", "depends on", "前置任务")),
            Field("start", _("Start"), kind="date", names=("start date", "开始日期")),
            Field("baseline", _("Baseline"), kind="date", names=("bl project finish", "baseline finish", "基线日期")),
            Field("forecast", _("Planned"), kind="date", names=("finish", "due", "计划日期")),
            Field("actual", _("Reached on"), kind="date", names=("actual finish", "完成日期")),
            Field("status", _("Status"), names=("activity status", "状态")),
        ),
        keys=(("order",),),
        save=save_plan,
        order=70,
    )
)  # fmt: skip


def save_feedback(context: Context, group: Group) -> Outcome:
    """One answer. Without a key of the source, the same words of the same person and day are known again by their
    place among their like."""
    row = group.first
    score, word = row.number("score"), row.text("satisfied")
    if score is None and word == "":
        raise Refused([row.problem("score", _t("Give a score or whether the customer is satisfied."))])
    if score is not None and score not in (1, 2, 3, 4, 5):
        raise Refused([row.problem("score", _t("The score goes from 1 to 5."))])
    said = Feedback(
        order=_order(context, row) if row.text("order") else None, on=row.date("on"), by=row.text("by")[:150],
        score=None if score is None else int(score), text=row.text("text"),
        satisfied=score >= SATISFIED if score is not None else bool(row.values["satisfied"]),
    )  # fmt: skip
    said.source_key = context.key(row.text("source_key") or _place(context, said))
    return Outcome.CREATED if import_feedback(said) else Outcome.UNCHANGED


def _place(context: Context, said: Feedback) -> str:
    words = f"{said.order_id}\n{said.on}\n{said.by}\n{said.satisfied}\n{said.text}"
    digest = hashlib.sha256(words.encode()).hexdigest()[:40]
    counted = context.cache.setdefault("feedback", Counter())
    counted[digest] += 1
    return f"{digest}:{counted[digest]}"


register(
    Target(
        "feedback",
        _("Feedback of customers"),
        (
            Field("source_key", _("Key of the source"), names=("review id", "id", "评价编号")),
            Field("order", _("Order"), names=("order number", "订单号", "订单编号")),
            Field("on", _("Date"), kind="date", names=("date", "review date", "日期", "评价日期")),
            Field("by", _("By"), names=("customer", "author", "客户", "评价人")),
            Field("score", _("Score"), kind="number", names=("score", "stars", "rating", "评分", "星级")),
            Field("satisfied", _("Satisfied"), kind="flag", names=("satisfied", "label", "满意")),
            Field("text", _("What the customer says"), names=("review", "comment", "text", "评价", "评论")),
        ),
        keys=(("source_key",),),
        save=save_feedback,
        order=80,
    )
)  # fmt: skip
