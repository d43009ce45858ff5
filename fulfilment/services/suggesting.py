"""Who could do a piece of work: everybody who can be assigned, the best first, each with the reason."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fulfilment.models import Assignment, Skill, StaffMember, StaffSkill
from orders.models import Order

from .capacity import free_minutes, hours


@dataclass(frozen=True)
class Suggestion:
    """One person for one piece of work. Minutes; `level` is 0 without the skill, None where none is asked for."""

    staff: StaffMember
    wanted: int
    free: int
    level: int | None
    known: int

    @property
    def fits(self) -> bool:
        """Whether somebody with the skill has the time."""
        return self.level != 0 and self.free >= self.wanted

    @property
    def rank(self) -> tuple[bool, bool, int, int, int, str]:
        """Skill, then time, then how well they do it, whether they know the customer, and who has most time left."""
        return (
            self.level == 0, self.free < self.wanted, -(self.level or 0), -min(self.known, 1), -self.free,
            self.staff.user.name,
        )  # fmt: skip

    def told(self, skill: Skill | None) -> str:
        """Why they stand where they stand, in words."""
        parts = []
        if skill and self.level:
            parts.append(f"{skill.name}: {StaffSkill.Level(self.level).label}")
        elif skill:
            parts.append(_("lacks %(skill)s") % {"skill": skill.name})
        text = _("%(free)s h free of %(wanted)s") if self.free < self.wanted else _("%(free)s h free")
        parts.append(text % {"free": hours(self.free), "wanted": hours(self.wanted)})
        if self.known:
            text = ngettext(
                "knows the customer from %(n)s order", "knows the customer from %(n)s orders", self.known
            )  # fmt: skip
            parts.append(text % {"n": self.known})
        return " · ".join(parts)


def suggest(
    order: Order, *, minutes: int, first: dt.date, last: dt.date, skill: Skill | None = None,
    without: StaffMember | None = None,
) -> list[Suggestion]:  # fmt: skip
    """Everybody who can be assigned for so many minutes between two days, the best first. Six queries."""
    rows = StaffMember.objects.in_use().select_related("user", "calendar")
    people = [one for one in rows if without is None or one.pk != without.pk]
    free = free_minutes([one.calendar for one in people], first, last)
    left: dict[int, int] = {}
    for (calendar, _day), found in free.items():
        left[calendar] = left.get(calendar, 0) + found
    levels = dict(StaffSkill.objects.filter(skill=skill).values_list("staff", "level")) if skill else {}
    past = Assignment.objects.filter(order__customer=order.customer_id).order_by().values_list("staff", "order")
    known: dict[int, set[int]] = {}
    for staff, other in past.distinct():
        known.setdefault(staff, set()).add(other)
    found_ones = [
        Suggestion(
            one, minutes, left.get(one.calendar_id, 0), levels.get(one.pk, 0) if skill else None,
            len(known.get(one.pk, set()) - {order.pk}),
        )
        for one in people
    ]  # fmt: skip
    return sorted(found_ones, key=lambda one: one.rank)


def skill_for(line_product: int | None) -> Skill | None:
    """The skill that a service asks for; None where none is named."""
    return Skill.objects.filter(products=line_product).first() if line_product else None
