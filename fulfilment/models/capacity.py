"""Work centres with their calendars, what products ask of them, and what is booked on them. Time is whole minutes."""

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from inventory.models import Product
from orders.models import Order

from .plan import Milestone

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

DAY = 24 * 60
_HOUR = 60


class WorkCentreQuerySet(models.QuerySet["WorkCentre"]):
    """Reads of work centres."""

    def places(self) -> Self:
        """Without the calendars of people, which are no work centres to anybody."""
        return self.filter(staff=None)


class WorkCentre(models.Model):
    """A group of like machines or people whose working time is scarce. `stations` work beside each other."""

    code = models.CharField(_("code"), max_length=20, unique=True, help_text=_("Short and once, e.g. WELD."))
    name = models.CharField(_("name"), max_length=100, help_text=_("What is done here."))
    stations = models.PositiveSmallIntegerField(
        _("stations"), default=1, validators=[MinValueValidator(1)],
        help_text=_("How many machines or people work beside each other."),
    )  # fmt: skip
    is_active = models.BooleanField(_("in use"), default=True, help_text=_("Only these can be booked."))
    version = models.PositiveIntegerField(default=1)

    objects = WorkCentreQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(stations__gte=1), name="work_centre_has_a_station"),
            models.CheckConstraint(condition=~Q(code="") & ~Q(name=""), name="work_centre_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/fulfilment/capacity/{self.pk}/"


class Shift(models.Model):
    """Working time of one weekday (0 is Monday); one that ends before it begins ends on the next day."""

    work_centre = models.ForeignKey(WorkCentre, models.CASCADE, related_name="shifts")
    weekday = models.PositiveSmallIntegerField(_("weekday"))
    begins = models.TimeField(_("from"))
    ends = models.TimeField(_("until"))

    class Meta:
        ordering = ["work_centre", "weekday", "begins"]
        constraints = [
            models.UniqueConstraint(fields=["work_centre", "weekday", "begins"], name="shift_once"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="shift_weekday"),
        ]

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"

    @property
    def day_name(self) -> str:
        """The weekday in the reader's language."""
        return str(WEEKDAYS[self.weekday])

    @property
    def minutes(self) -> int:
        """How long it is; the same begin and end are a whole day."""
        begins, ends = (one.hour * _HOUR + one.minute for one in (self.begins, self.ends))
        return (ends - begins) % DAY or DAY

    @property
    def is_overnight(self) -> bool:
        """Whether it ends on the next day, after midnight."""
        return self.begins.hour * _HOUR + self.begins.minute + self.minutes > DAY


class CalendarException(models.Model):
    """A day that differs from the week's shifts: a holiday of all (no work centre), a repair, a Saturday worked."""

    work_centre = models.ForeignKey(
        WorkCentre, models.CASCADE, null=True, blank=True, related_name="exceptions", verbose_name=_("work centre"),
        help_text=_("Empty: a holiday of all of them."),
    )  # fmt: skip
    day = models.DateField(_("day"), help_text=_("The day that differs from the weekly shifts."))
    minutes = models.PositiveIntegerField(_("minutes"), default=0)
    reason = models.CharField(_("reason"), max_length=200, help_text=_("E.g. Spring Festival, overhaul, extra shift."))

    class Meta:
        ordering = ["day", "work_centre"]
        constraints = [
            models.UniqueConstraint(
                fields=["work_centre", "day"], name="calendar_exception_once",
                violation_error_message=_("There is an exception for this day already."),
            ),
            models.UniqueConstraint(
                fields=["day"], condition=Q(work_centre=None), name="calendar_holiday_once",
                violation_error_message=_("There is a holiday on this day already."),
            ),
            models.CheckConstraint(condition=Q(minutes__lte=DAY), name="calendar_exception_within_a_day"),
            models.CheckConstraint(condition=~Q(reason=""), name="calendar_exception_has_a_reason"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.day} {self.reason}"

    @property
    def hours(self) -> Decimal:
        """Working hours of that day, of each station."""
        return Decimal(self.minutes) / _HOUR


class RoutingStep(models.Model):
    """What making one product asks of one work centre, in hours: once per order line, and for every unit."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="routing", verbose_name=_("product"))
    position = models.PositiveSmallIntegerField(
        _("position"), default=1, help_text=_("The steps are worked in this order.")
    )
    work_centre = models.ForeignKey(
        WorkCentre, models.PROTECT, related_name="routing", verbose_name=_("work centre"),
        help_text=_("Where the step is worked."),
    )  # fmt: skip
    setup_hours = models.DecimalField(
        _("hours to set up"), max_digits=8, decimal_places=4, default=0, validators=[MinValueValidator(0)],
        help_text=_("Once for a line, however many units it has."),
    )  # fmt: skip
    unit_hours = models.DecimalField(
        _("hours per unit"), max_digits=8, decimal_places=4, default=0, validators=[MinValueValidator(0)],
        help_text=_("For each unit of the product."),
    )  # fmt: skip

    class Meta:
        ordering = ["product", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "position"], name="routing_position_once",
                violation_error_message=_("The product has a step at this position already."),
            ),
            models.CheckConstraint(
                condition=Q(setup_hours__gte=0, unit_hours__gte=0) & (Q(setup_hours__gt=0) | Q(unit_hours__gt=0)),
                name="routing_takes_time", violation_error_message=_("A step takes some time: give hours above zero."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.position} {self.work_centre}"

    def minutes(self, quantity: Decimal) -> int:
        """What so many units take, rounded up to a whole minute; nothing for nothing."""
        if quantity <= 0:
            return 0
        return int(((self.setup_hours + self.unit_hours * quantity) * _HOUR).to_integral_value(ROUND_CEILING))


class CentreDay(models.Model):
    """What a work centre can do on a day and what is booked. Above its capacity only by an overload somebody chose.

    The database refuses anything else: of two who book the same hour at once one wins.
    """

    work_centre = models.ForeignKey(WorkCentre, models.PROTECT, related_name="days")
    day = models.DateField()
    capacity = models.PositiveIntegerField(default=0)
    booked = models.PositiveIntegerField(default=0)
    overload = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["work_centre", "day"]
        constraints = [
            models.UniqueConstraint(fields=["work_centre", "day"], name="centre_day_once"),
            models.CheckConstraint(
                condition=Q(booked__lte=F("capacity") + F("overload")), name="centre_day_within_capacity"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.work_centre_id} {self.day}"

    @property
    def free(self) -> int:
        """Minutes that can still be booked."""
        return max(0, self.capacity - self.booked)


class BookingQuerySet(models.QuerySet["CapacityBooking"]):
    """Reads of bookings."""

    def visible_to(self, user: "User") -> Self:
        """Those of the orders that the person sees."""
        if not user.has_perm("fulfilment.view_capacity"):
            return self.none()
        return self.filter(order__in=Order.objects.visible_to(user))


class CapacityBooking(models.Model):
    """So many minutes of a work centre on a day, for an order; with a milestone it moves when that one does."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="bookings", verbose_name=_("order"))
    milestone = models.ForeignKey(
        Milestone, models.PROTECT, null=True, blank=True, related_name="bookings", verbose_name=_("milestone")
    )
    work_centre = models.ForeignKey(WorkCentre, models.PROTECT, related_name="bookings", verbose_name=_("work centre"))
    assignment = models.ForeignKey("Assignment", models.PROTECT, null=True, blank=True, related_name="bookings")
    day = models.DateField(_("day"))
    minutes = models.PositiveIntegerField(_("minutes"))
    reason = models.CharField(_("reason of the overload"), max_length=300, blank=True)
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    booked_at = models.DateTimeField(auto_now_add=True)

    objects = BookingQuerySet.as_manager()

    class Meta:
        ordering = ["day", "work_centre", "pk"]
        constraints = [models.CheckConstraint(condition=Q(minutes__gt=0), name="booking_takes_time")]
        indexes = [models.Index(fields=["work_centre", "day"], name="booking_by_centre_day")]

    def __str__(self) -> str:
        return f"{self.work_centre_id} {self.day} {self.minutes}"

    @property
    def hours(self) -> Decimal:
        """The booked time in hours."""
        return Decimal(self.minutes) / _HOUR
