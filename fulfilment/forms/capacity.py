"""What people type about work centres, their calendars, routing and bookings."""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fulfilment.models import Milestone, RoutingStep, Shift, WorkCentre
from inventory.models import Product
from ordermgmt.company.services import business_today
from ordermgmt.lib.fields import DecimalField
from orders.models import Order

from .keys import KeyField
from .plan import DATE

DAYS = (
    gettext_lazy("Monday"), gettext_lazy("Tuesday"), gettext_lazy("Wednesday"), gettext_lazy("Thursday"),
    gettext_lazy("Friday"), gettext_lazy("Saturday"), gettext_lazy("Sunday"),
)  # fmt: skip
_SHIFT = re.compile(r"^([0-9]{1,2}):([0-9]{2})\s*[-–—]\s*([0-9]{1,2}):([0-9]{2})$")


def read_shifts(text: str) -> list[tuple[dt.time, dt.time]]:
    """ "06:00-14:00, 14:00-22:00" as times. Raises ValidationError with the part that is none."""
    found = []
    for part in re.split(r"[,;，；]", text):
        if not part.strip():
            continue
        match = _SHIFT.match(part.strip())
        try:
            if match is None:
                raise ValueError
            a, b, c, d = (int(one) for one in match.groups())
            found.append((dt.time(a, b), dt.time(c % 24 if d == 0 else c, d)))
        except ValueError:
            text = _("“%(part)s” is no shift: write 06:00-14:00, several with commas between.")
            raise forms.ValidationError(text % {"part": part.strip()[:30]}) from None
    return found


class WeekFields(forms.Form):
    """The working hours of a week, a field per weekday; `shifts` is what the verbs take."""

    def add_days(self, kept: Iterable[Shift] | None) -> None:
        """A field per weekday with the kept shifts; a week of forty hours where there are none yet."""
        known: dict[int, list[str]] = {n: [] for n in range(7)}
        for shift in kept or []:
            known[shift.weekday].append(str(shift))
        for n, label in enumerate(DAYS):
            self.fields[f"day_{n}"] = forms.CharField(
                label=label, required=False, max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}),
                initial=", ".join(known[n]) if kept is not None else ("08:00-16:00" if n < 5 else ""),
                help_text=gettext_lazy("Shifts as 06:00-14:00, 14:00-22:00; empty: closed."),
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        shifts = []
        for n in range(7):
            text = data.pop(f"day_{n}", "")
            try:
                shifts += [(n, begins, ends) for begins, ends in read_shifts(text)]
            except forms.ValidationError as error:
                self.add_error(f"day_{n}", error)
        data["shifts"] = shifts
        return data


class CentreForm(WeekFields, forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A work centre with the shifts of a week."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, required=False,
        help_text=gettext_lazy("Only needed where the new shifts leave days booked above capacity: why that is right."),
    )  # fmt: skip

    class Meta:
        model = WorkCentre
        fields = ["code", "name", "stations", "is_active"]

    field_order = ["code", "name", "stations", *[f"day_{n}" for n in range(7)], "is_active", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_days(self.instance.shifts.all() if self.instance.pk else None)
        self.order_fields(self.field_order)

    def _post_clean(self) -> None:
        """The verb checks the row: here it would be changed before it is locked."""


class ExceptionForm(forms.Form):
    """Days on which work differs from the weekly shifts."""

    work_centre = forms.ModelChoiceField(
        WorkCentre.objects.places(), label=gettext_lazy("Work centre"), required=False,
        empty_label=gettext_lazy("All of them"), help_text=gettext_lazy("A holiday is for all of them."),
    )  # fmt: skip
    day = forms.DateField(label=gettext_lazy("Day"), widget=DATE, help_text=gettext_lazy("The first day that differs."))
    last = forms.DateField(
        label=gettext_lazy("Until"), required=False, widget=DATE,
        help_text=gettext_lazy("The last day, at most 60 days on; empty: only the one."),
    )  # fmt: skip
    hours_open = DecimalField(
        label=gettext_lazy("Hours worked"), initial=0, min_value=0, max_value=24, decimal_places=2,
        help_text=gettext_lazy("Of each station on that day; 0: closed."),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200,
        help_text=gettext_lazy("E.g. Spring Festival, overhaul, extra shift."),
    )  # fmt: skip
    anyway = forms.BooleanField(
        label=gettext_lazy("Save in spite of days that are then too full"), required=False,
        help_text=gettext_lazy("What is booked stays; move it afterwards."),
    )  # fmt: skip


class RoutingForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What a product asks of a work centre."""

    class Meta:
        model = RoutingStep
        fields = ["product", "position", "work_centre", "setup_hours", "unit_hours"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["product"] = forms.CharField(
            label=gettext_lazy("SKU"), max_length=40, help_text=gettext_lazy("The product that is made so."),
        )  # fmt: skip
        if self.instance.pk:
            self.initial["product"] = self.instance.product.sku
        self.fields["work_centre"].queryset = WorkCentre.objects.places()  # type: ignore[attr-defined]  # a choice field
        self.order_fields(self.Meta.fields)

    def clean_product(self) -> Product:
        found = Product.objects.filter(sku=self.cleaned_data["product"].strip()).first()
        if found is None:
            raise forms.ValidationError(_("There is no product with this SKU."))
        return found

    def _post_clean(self) -> None:
        """The verb checks the row: here it would be changed before it is locked."""


class NeedsForm(forms.Form):
    """From when on the order is worked, and by when it must be done."""

    takes = ("instance",)
    first = forms.DateField(
        label=gettext_lazy("From"), widget=DATE, help_text=gettext_lazy("The first day on which it may be worked.")
    )
    last = forms.DateField(
        label=gettext_lazy("Until"), required=False, widget=DATE,
        help_text=gettext_lazy("The last day; empty: as long as it takes with what is free."),
    )  # fmt: skip
    milestone = forms.ModelChoiceField(
        Milestone.objects.none(), label=gettext_lazy("Milestone"), required=False,
        help_text=gettext_lazy("What is booked for it moves when it is moved; for none, when the order's material does."),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Reason of an overload"), max_length=300, required=False,
        help_text=gettext_lazy("Books above capacity too where the days are full: say why."),
    )  # fmt: skip

    def __init__(self, *args: Any, instance: Order, **kwargs: Any) -> None:
        begin = max(business_today(), instance.order_date)
        kwargs.setdefault("initial", {"first": begin, "last": instance.promised_date})
        super().__init__(*args, **kwargs)
        open_ones = Milestone.objects.open().filter(order=instance)
        self.fields["milestone"].queryset = open_ones  # type: ignore[attr-defined]  # a choice field


class BookForm(NeedsForm):
    """So many hours of one work centre."""

    sent_once = True
    key = KeyField()
    work_centre = forms.ModelChoiceField(
        WorkCentre.objects.places().filter(is_active=True), label=gettext_lazy("Work centre"),
        help_text=gettext_lazy("Where the work is done."),
    )  # fmt: skip
    hours = DecimalField(
        label=gettext_lazy("Hours"), min_value=0, max_value=10_000, decimal_places=2,
        help_text=gettext_lazy("How much time it takes, all stations together."),
    )  # fmt: skip
    field_order = ["work_centre", "hours", "first", "last", "milestone", "reason"]
