"""Setting up who performs services: skills, working hours, absences, and what an hour costs."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import CalendarException, CostRate, Skill, StaffMember, StaffSkill, WorkedHours
from inventory.models import Product
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record, snapshot
from ordermgmt.lib.conflict import StaleVersion

from .centres import Times, except_days, restore_day, write_centre
from .timekeeping import unlocked

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "fulfilment.set_staff"
MOST_ABSENT = 60


@transaction.atomic
def save_staff(
    staff: StaffMember | None, *, user: "User", shifts: Times, levels: Mapping[Skill, int], is_active: bool = True,
    reason: str = "", version: int | None = None, actor: "User",
) -> StaffMember:  # fmt: skip
    """Makes somebody assignable, or changes their skills (with their level, 1 to 3) and the hours of their week.

    Raises PermissionDenied, StaleVersion, ValidationError (twice the same person, shifts that overlap, days booked for
    longer than they would then have, unless `reason` is given: then that work is given back and its planner told).
    """
    require(actor, _RIGHT)
    row = StaffMember.objects.select_for_update(no_key=True).get(pk=staff.pk) if staff else StaffMember()
    if staff and version is not None and row.version != version:
        raise StaleVersion(row)
    was = snapshot(row) | {"skills": _told(row)} if staff else None
    if staff and row.user_id != user.pk:
        raise ValidationError({"user": _("A person stays who it is: set up another one.")})
    if not staff and StaffMember.objects.filter(user=user).exists():
        raise ValidationError({"user": _("%(name)s is set up already.") % {"name": user.name}})
    calendar = write_centre(
        row.calendar if staff else None, shifts=shifts, reason=reason, actor=actor, code=f"P-{user.pk}", name=user.name,
        stations=1, is_active=is_active,
    )  # fmt: skip
    row.user, row.calendar = user, calendar
    row.version += 1 if staff else 0
    row.full_clean()
    row.save()
    row.levels.all().delete()
    made = [StaffSkill(staff=row, skill=skill, level=level) for skill, level in levels.items()]
    for one in made:
        one.full_clean(exclude=["staff"])
    StaffSkill.objects.bulk_create(made)
    record(
        events.STAFF_SAVED, row, actor=actor, before=was, after=snapshot(row) | {"skills": _told(row)}, name=user.name
    )
    return row


@transaction.atomic
def save_skill(
    skill: Skill | None, *, name: str, products: Iterable[Product] = (), version: int | None = None, actor: "User"
) -> Skill:
    """Names a skill and the services that ask for it. Raises PermissionDenied, StaleVersion, ValidationError."""
    require(actor, _RIGHT)
    row = Skill.objects.select_for_update(no_key=True).get(pk=skill.pk) if skill else Skill()
    if skill and version is not None and row.version != version:
        raise StaleVersion(row)
    was = snapshot(row) if skill else None
    row.name = name.strip()
    row.version += 1 if skill else 0
    row.full_clean()
    row.save()
    row.products.set(products)
    record(events.SKILL_SAVED, row, actor=actor, before=was, after=snapshot(row), name=row.name)
    return row


@transaction.atomic
def set_cost_rate(staff: StaffMember, *, valid_from: dt.date, rate: Decimal, actor: "User") -> CostRate:
    """What an hour costs from a day on, in the company's currency; the same day again corrects it.

    Hours that are not locked take the new rate; locked ones keep theirs. Raises PermissionDenied, ValidationError.
    """
    require(actor, "fulfilment.set_cost_rate")
    staff = StaffMember.objects.select_for_update(no_key=True, of=["self"]).select_related("user").get(pk=staff.pk)
    row = CostRate.objects.filter(staff=staff, valid_from=valid_from).first()
    row = row or CostRate(staff=staff, valid_from=valid_from)
    was = snapshot(row) if row.pk else None
    row.rate, row.set_by = rate, actor
    row.full_clean(exclude=["staff", "set_by"])
    row.save()
    later = CostRate.objects.filter(staff=staff, valid_from__gt=valid_from).order_by("valid_from").first()
    worked = unlocked(WorkedHours.objects.filter(staff=staff, day__gte=valid_from))
    if later is not None:
        worked = worked.filter(day__lt=later.valid_from)
    worked.update(rate=rate)
    record(
        events.COST_RATE_SET, row, root=staff, actor=actor, before=was, after=snapshot(row), name=staff.user.name,
        day=str(valid_from),
    )  # fmt: skip
    return row


@transaction.atomic
def add_absence(
    staff: StaffMember, *, day: dt.date, last: dt.date | None = None, hours_open: Decimal = Decimal(0), reason: str,
    anyway: bool = False, actor: "User",
) -> list[CalendarException]:  # fmt: skip
    """Somebody is off, or works only so many hours, on a day or on each up to `last`.

    Raises PermissionDenied, ValidationError (a day twice or past; work that lies on the days, unless `anyway`: then it
    is given back, and its planner is told to look for somebody).
    """
    require(actor, _RIGHT)
    staff = StaffMember.objects.select_related("user", "calendar").get(pk=staff.pk)
    made = except_days(
        staff.calendar, day=day, last=last, hours_open=hours_open, reason=reason, anyway=anyway, actor=actor
    )
    record(
        events.ABSENCE_ADDED, staff, actor=actor, name=staff.user.name, day=str(day), last=str(last or day),
        reason=reason,
    )  # fmt: skip
    return made


@transaction.atomic
def remove_absence(absence: CalendarException, *, actor: "User") -> CalendarException:
    """The day follows the person's week again. Raises PermissionDenied, ValidationError (gone already)."""
    require(actor, _RIGHT)
    return restore_day(absence, actor=actor)


def _told(staff: StaffMember) -> list[str]:
    return [f"{one.skill.name} {one.level}" for one in staff.levels.select_related("skill")] if staff.pk else []
