"""People who perform services: what they can do, what an hour of theirs costs, and what they are assigned to.

Their working time is a calendar like that of a work centre: shifts of the week, days that differ, and what is booked.
A person is never booked above it: the database refuses an overload on the calendar of a person.
"""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models import Product
from ordermgmt.lib.money import AmountField
from orders.models import Order, OrderLine

from .capacity import WorkCentre
from .plan import Milestone

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_HOUR = 60


class Skill(models.Model):
    """Something that not everybody can do, and the services that ask for it."""

    name = models.CharField(
        _("name"), max_length=80, unique=True, help_text=_("What somebody can do, e.g. commissioning.")
    )
    products = models.ManyToManyField(
        Product, related_name="skills", blank=True, verbose_name=_("services"),
        help_text=_("Whoever performs these needs the skill."),
    )  # fmt: skip
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="skill_has_a_name")]

    def __str__(self) -> str:
        return self.name


class StaffQuerySet(models.QuerySet["StaffMember"]):
    """Reads of people who perform services."""

    def visible_to(self, user: "User") -> Self:
        """Everybody for who sees staff, else oneself."""
        return self if user.has_perm("fulfilment.view_staff") else self.filter(user=user.pk)

    def in_use(self) -> Self:
        """Those who can be assigned."""
        return self.filter(calendar__is_active=True, user__is_active=True)


class StaffMember(models.Model):
    """Somebody of the company who performs services."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="staff", verbose_name=_("person"),
        help_text=_("Who it is; the hours are booked with this login."),
    )  # fmt: skip
    calendar = models.OneToOneField(WorkCentre, models.PROTECT, related_name="staff")
    skills = models.ManyToManyField(Skill, through="StaffSkill", related_name="people")
    version = models.PositiveIntegerField(default=1)

    objects = StaffQuerySet.as_manager()

    class Meta:
        ordering = ["user__name", "pk"]

    def __str__(self) -> str:
        return self.user.name

    def get_absolute_url(self) -> str:
        return f"/fulfilment/staff/{self.pk}/"


class StaffSkill(models.Model):
    """How well somebody can do something."""

    class Level(models.IntegerChoices):
        LEARNING = 1, _("learning")
        ABLE = 2, _("works alone")
        EXPERT = 3, _("expert")

    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="levels")
    skill = models.ForeignKey(Skill, models.PROTECT, related_name="levels", verbose_name=_("skill"))
    level = models.PositiveSmallIntegerField(_("level"), choices=Level, default=Level.ABLE)

    class Meta:
        ordering = ["staff", "-level", "skill"]
        constraints = [
            models.UniqueConstraint(fields=["staff", "skill"], name="staff_skill_once"),
            models.CheckConstraint(condition=Q(level__range=(1, 3)), name="staff_skill_on_the_scale"),
        ]

    def __str__(self) -> str:
        return f"{self.skill} {self.level}"


class CostRate(models.Model):
    """What an hour of somebody costs the company from a day on, in the company's own currency."""

    staff = models.ForeignKey(StaffMember, models.PROTECT, related_name="rates")
    valid_from = models.DateField(_("from"), help_text=_("Holds from this day until the next rate."))
    rate = AmountField(_("cost per hour"), help_text=_("In the company's currency; only who may see cost sees it."))
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["staff", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["staff", "valid_from"], name="cost_rate_once",
                violation_error_message=_("There is a rate from this day on already."),
            ),
            models.CheckConstraint(
                condition=Q(rate__gte=0), name="cost_rate_not_below_zero",
                violation_error_message=_("A cost rate is not below zero."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.staff_id} {self.valid_from}"


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    """Reads of assignments."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees, for who sees staff; else one's own."""
        if user.has_perm("fulfilment.view_staff"):
            return self.filter(order__in=Order.objects.visible_to(user))
        return self.filter(staff__user=user.pk)


class Assignment(models.Model):
    """So many minutes of somebody for an order, between two days; with a milestone they move when that one does.

    What lies on which day are its bookings; what found no place any more is missing, and somebody's work.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="assignments", verbose_name=_("order"))
    staff = models.ForeignKey(StaffMember, models.PROTECT, related_name="assignments", verbose_name=_("person"))
    milestone = models.ForeignKey(
        Milestone, models.PROTECT, null=True, blank=True, related_name="assignments", verbose_name=_("milestone")
    )
    line = models.ForeignKey(
        OrderLine, models.PROTECT, null=True, blank=True, related_name="assignments", verbose_name=_("service line")
    )
    skill = models.ForeignKey(Skill, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("skill"))
    first = models.DateField(_("from"))
    last = models.DateField(_("until"))
    minutes = models.PositiveIntegerField(_("minutes"))
    key = models.CharField(max_length=64, unique=True, help_text="The same form sent twice is one assignment.")
    replaces = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")
    assigned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    assigned_at = models.DateTimeField(auto_now_add=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["first", "pk"]
        constraints = [models.CheckConstraint(condition=Q(first__lte=F("last")), name="assignment_days_in_order")]
        indexes = [models.Index(fields=["staff", "last"], name="assignment_by_staff")]

    def __str__(self) -> str:
        return self.what

    @property
    def what(self) -> str:
        """What it is for: the milestone, the service line, else the order."""
        if self.milestone:
            return str(self.milestone)
        return self.line.description if self.line else self.order.number

    @property
    def hours(self) -> Decimal:
        """The planned time in hours."""
        return Decimal(self.minutes) / _HOUR


class WorkedHoursQuerySet(models.QuerySet["WorkedHours"]):
    """Reads of booked hours."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees, for who sees staff; else one's own."""
        if user.has_perm("fulfilment.view_staff"):
            return self.filter(order__in=Order.objects.visible_to(user))
        return self.filter(staff__user=user.pk)


class WorkedHours(models.Model):
    """What somebody worked on an assignment on one day, with the cost of an hour on that day.

    The database keeps them once the hours are locked, and lets nobody work more than a day has.
    """

    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="worked")
    order = models.ForeignKey(Order, models.PROTECT, related_name="worked")
    staff = models.ForeignKey(StaffMember, models.PROTECT, related_name="worked")
    day = models.DateField(_("day"))
    minutes = models.PositiveIntegerField(_("minutes"))
    rate = AmountField(null=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = WorkedHoursQuerySet.as_manager()

    class Meta:
        ordering = ["day", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["assignment", "day"], name="worked_hours_once"),
            models.CheckConstraint(condition=Q(minutes__lte=24 * _HOUR), name="worked_hours_within_a_day"),
        ]
        indexes = [
            models.Index(fields=["staff", "day"], name="worked_hours_by_staff_day"),
            models.Index(fields=["order", "day"], name="worked_hours_by_order_day"),
        ]

    def __str__(self) -> str:
        return f"{self.assignment_id} {self.day} {self.minutes}"


class HoursLock(models.Model):
    """Up to which day the hours of everybody are locked; the newest row counts, and none is ever rewritten."""

    until = models.DateField(_("locked until"), help_text=_("Hours up to this day stay as they are."))
    reason = models.CharField(
        _("reason"), max_length=300, blank=True, help_text=_("Needed where days that were locked are opened again.")
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return str(self.until)

    @classmethod
    def day(cls) -> dt.date | None:
        """The last day that is locked; None while nothing is."""
        return cls.objects.order_by("-pk").values_list("until", flat=True).first()
