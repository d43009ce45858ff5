"""The geometry of a Gantt chart: plain figures for a template that draws them as SVG."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.utils import formats

from fulfilment.models import Milestone, MilestoneLink
from ordermgmt.lib.days import LAST_DAY

ROW = 30
_TOP = 26
_WIDTH = 960
_DAY_AT_LEAST, _DAY_AT_MOST = 0.6, 22.0
_LABEL = 64
_MOMENT = 10  # the width of what has an end and no beginning


def _px(value: float) -> str:
    """A coordinate, without the reader's thousands mark."""
    return f"{value:.1f}"


@dataclass(frozen=True)
class Bar:
    """One milestone's row. Coordinates are texts, so that no locale gets at them."""

    milestone: Milestone
    status: str
    y: str
    x: str = ""
    width: str = ""
    baseline: str = ""

    @property
    def shown(self) -> bool:
        """Whether it has a date to be drawn at."""
        return bool(self.x)


@dataclass(frozen=True)
class Gantt:
    """The whole chart; `day` is how many pixels a day is wide."""

    width: str
    height: str
    day: str
    bars: list[Bar]
    ticks: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    today: str = ""
    promised: str = ""


def gantt(
    milestones: Sequence[Milestone], links: Iterable[MilestoneLink], *, today: dt.date, promised: dt.date | None,
    broken: Collection[int] = (), over: bool = False,
) -> Gantt:  # fmt: skip
    """Lays out the milestones in the given order, one row each; `broken` are those (by key) whose dates break the plan.
    Once the order is `over` nothing of it is late any more.
    """
    days = [day for one in milestones for day in (one.start, one.baseline, one.forecast, one.actual) if day]
    days += [day for day in (promised,) if day] or [today]
    first, last = min(days) - dt.timedelta(days=3), min(max(days), LAST_DAY) + dt.timedelta(days=7)
    per_day = min(_DAY_AT_MOST, max(_DAY_AT_LEAST, _WIDTH / ((last - first).days or 1)))

    def x(day: dt.date) -> float:
        return (day - first).days * per_day

    def status(one: Milestone) -> str:
        found = one.status(dt.date.min if over else today)
        return "broken" if found == "open" and one.pk in broken else found

    places: dict[int, tuple[float, float, float]] = {}
    bars = []
    for row, one in enumerate(milestones):
        y = _TOP + row * ROW
        if one.due is None:
            bars.append(Bar(one, status(one), _px(y)))
            continue
        end = x(one.due)
        begin = min(x(one.start), end - _MOMENT) if one.start else end - _MOMENT
        places[one.pk] = (begin, end, y + ROW / 2)
        mark = _px(x(one.baseline)) if one.baseline else ""
        bars.append(Bar(one, status(one), _px(y), _px(begin), _px(end - begin), mark))
    return Gantt(
        width=_px(x(last)),
        height=_px(_TOP + len(milestones) * ROW),
        day=_px(per_day) if per_day >= 1 else f"{per_day:.3f}",
        bars=bars,
        ticks=_ticks(first, last, per_day, x),
        lines=[_elbow(places[a], places[b]) for a, b in _pairs(links) if a in places and b in places],
        today=_px(x(today)) if first <= today <= last else "",
        promised=_px(x(promised)) if promised else "",
    )


def _pairs(links: Iterable[MilestoneLink]) -> list[tuple[int, int]]:
    return [(link.before_id, link.after_id) for link in links]


def _elbow(start: tuple[float, float, float], end: tuple[float, float, float]) -> str:
    """A line from the end of one bar to the beginning of another."""
    _begin, leaves, y1 = start
    arrives, _end, y2 = end
    return f"M{_px(leaves)} {_px(y1)}h5V{_px(y2)}H{_px(arrives)}"


def _ticks(first: dt.date, last: dt.date, per_day: float, x: Callable[[dt.date], float]) -> list[tuple[str, str]]:
    """First days of months with a label, as many as there is room for."""
    step = next((months for months in (1, 3, 6) if months * 30 * per_day >= _LABEL), 12)
    found = []
    year, month = first.year, first.month
    while (day := dt.date(year, month, 1)) <= last:
        if day >= first and (month - 1) % step == 0:
            found.append((_px(x(day)), formats.date_format(day, "YEAR_MONTH_FORMAT")))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found
