"""Plans from files: the rows of one order make its plan. What customers said, a row each. Past examinations and their
defects, by order."""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from fulfilment.models import Acceptance, Feedback
from fulfilment.models.feedback import SATISFIED
from fulfilment.services import (
    PastDefect,
    PastRound,
    Step,
    import_defects,
    import_feedback,
    import_plan,
    import_rounds,
    past_criterion,
)
from ordermgmt.company.services import business_today
from ordermgmt.lib.importing import (
    BadValue,
    Context,
    Field,
    Group,
    Outcome,
    Problem,
    Refused,
    Row,
    Target,
    parse_date,
    register,
)
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
            Field("start", pgettext_lazy("date", "Start"), kind="date", names=("start date", "开始日期")),
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


def save_examinations(context: Context, group: Group) -> Outcome:
    """The rounds of one order. A row measures a value against its smallest one, or says whether it passed."""
    order, first = _order(context, group.first), group.first
    title, minimum = first.text("criterion"), first.number("minimum")
    criterion = past_criterion(order, title, unit=first.text("unit")[:20], minimum=minimum) if title else None
    problems: list[Problem] = []
    rounds = [one for key, row in _numbered(context, group.rows) if (one := _round(row, key, problems))]
    if problems:
        raise Refused(problems)
    return (
        Outcome.CREATED if import_rounds(order, rounds, criterion=criterion, actor=context.actor) else Outcome.UNCHANGED
    )


def _numbered(context: Context, rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Each row with a key of its own: what the source says twice is there twice."""
    counted: Counter[str] = Counter()
    for row in rows:
        said = f"{row.text('order')}:{row.text('on')}"
        if text := row.text("text"):
            said += f":{hashlib.sha256(text.encode()).hexdigest()[:24]}"
        counted[said] += 1
        yield context.key(f"{said}:{counted[said]}"), row


def _round(row: Row, key: str, problems: list[Problem]) -> PastRound | None:
    on, value, minimum = row.date("on"), row.number("value"), row.number("minimum")
    passed = row.values.get("passed")
    if value is not None and minimum is not None:
        passed = value >= minimum
    examiner = row.text("examiner") or Acceptance.Examiner.CUSTOMER
    if on is None or on > business_today():
        problems.append(row.problem("on", _t("This day lies ahead.")))
    elif not isinstance(passed, bool):
        problems.append(
            row.problem("passed", _t("Say whether it passed, or give a value and the smallest that passes."))
        )
    elif examiner not in Acceptance.Examiner.values:
        known = {"value": examiner, "known": ", ".join(Acceptance.Examiner.values)}
        problems.append(row.problem("examiner", _t("“%(value)s” is not one of: %(known)s.") % known))
    else:
        told = ", ".join(part for part in (row.text("evidence"), row.text("criterion"), row.text("value")) if part)
        signed_by = row.text("signed_by")[:150] or "–"
        return PastRound(key, on, told or "–", signed_by, examiner, passed, value)
    return None


def save_defects(context: Context, group: Group) -> Outcome:
    """The defects of one order. A day of correction that can't be true is told and left out: it is corrected all the
    same."""
    order = _order(context, group.first)
    rows = dict(_numbered(context, group.rows))
    defects = [
        PastDefect(key, row.date("on") or order.order_date, row.text("text")[:500], *_corrected(context, row))
        for key, row in rows.items()
    ]
    new, homeless = import_defects(order, defects, actor=context.actor)
    for one in homeless:
        row = rows[one.key]
        context.warn(
            row, row.headers.get("on", ""), _t("No examination of this day is known: the defect stands alone.")
        )
    return Outcome.CREATED if new else Outcome.UNCHANGED


#: How days of correction are written; other cells are told.
_CORRECTION_DAYS = ("%m/%d/%Y", "%Y-%m-%d")


def _corrected(context: Context, row: Row) -> tuple[bool, dt.date | None]:
    """Whether the defect is corrected, and on which day where that can be known."""
    text, found = row.text("corrected"), row.date("on")
    if not text:
        return False, None
    day = next((day for form in _CORRECTION_DAYS if (day := _day(text, form))), None)
    if day is None:
        sentence = _t("“%(value)s” is not a date: it was corrected on a day that nobody knows.")
    elif found and day < found:
        sentence = _t("Corrected on %(value)s, before it was found: the day was left out.")
    elif day > business_today():
        sentence = _t("Corrected on %(value)s, which lies ahead: the day was left out.")
    else:
        return True, day
    context.warn(row, row.headers.get("corrected", ""), sentence % {"value": text[:60]})
    return True, None


def _day(text: str, form: str) -> dt.date | None:
    try:
        return parse_date(text, form)
    except BadValue:
        return None


_ORDER_AND_DAY = (
    Field("order", _("Order"), required=True, names=("order number", "订单号", "订单编号")),
    Field("on", _("Date"), kind="date", required=True, names=("date", "inspection date", "日期", "检查日期")),
)
register(
    Target(
        "examinations",
        _("Rounds of acceptance"),
        (
            *_ORDER_AND_DAY,
            Field("examiner", _("Examined by"), names=("examiner", "验收方")),
            Field("signed_by", _("Signed by"), names=("signature", "签字人")),
            Field("evidence", _("Evidence"), names=("kind", "type", "依据")),
            Field("criterion", _("Criterion"), names=("test", "验收标准")),
            Field("unit", _("Unit"), names=("unit", "单位")),
            Field("minimum", _("Smallest value"), kind="number", names=("minimum", "下限")),
            Field("value", _("Measured value"), kind="number", names=("value", "score", "实测值", "得分")),
            Field("passed", _("Passed"), kind="flag", names=("passed", "accepted", "合格")),
        ),
        keys=(("order",),),
        save=save_examinations,
        order=82,
    )
)  # fmt: skip
register(
    Target(
        "defects",
        _("Defects"),
        (
            *_ORDER_AND_DAY,
            Field("text", _("Defect"), required=True, names=("description", "violation", "缺陷", "问题")),
            Field("corrected", _("Corrected on"), names=("corrected", "corrected on", "整改日期")),
        ),
        keys=(("order",),),
        save=save_defects,
        order=84,
    )
)  # fmt: skip
