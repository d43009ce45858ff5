"""What people type about staff: who they are, when they work, what they can do, and what they are assigned to."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fulfilment.models import (
    Assignment,
    CorrectiveAction,
    CostRate,
    HoursLock,
    Milestone,
    Skill,
    StaffMember,
    StaffSkill,
)
from fulfilment.services import Suggestion, skill_for, suggest
from fulfilment.services.assigned import coming
from fulfilment.services.capacity import minutes_of
from inventory.models import Product
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.company.services import business_today
from ordermgmt.lib.fields import DecimalField
from orders.models import Order, OrderLine

from .capacity import WeekFields
from .plan import DATE

#: Beside those that somebody holds, so many are offered.
_MOST_SKILLS = 60


class StaffForm(WeekFields):
    """Somebody who performs services: the week, and how well each skill is held."""

    is_active = forms.BooleanField(
        label=gettext_lazy("Can be assigned"), required=False, initial=True,
        help_text=gettext_lazy("Otherwise the person stays with what is assigned, and is suggested no more."),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, required=False,
        help_text=gettext_lazy("Only needed where shorter days leave no time for assigned work: it is then given back."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, instance: StaffMember | None = None) -> None:
        super().__init__(data)
        self.instance = instance
        if instance is None:
            others = users_with_role(Role.SERVICE, Role.PM, Role.WAREHOUSE).filter(staff=None).order_by("name")
            self.fields["user"] = forms.ModelChoiceField(
                others, label=gettext_lazy("Person"),
                help_text=gettext_lazy("Service staff, project managers or warehouse; the hours are booked with this login."),
            )  # fmt: skip
        else:
            self.initial["is_active"] = instance.calendar.is_active
        self.add_days(instance.calendar.shifts.all() if instance else None)
        held = {one.skill_id: one.level for one in instance.levels.all()} if instance else {}
        offered = list(Skill.objects.exclude(pk__in=held)[:_MOST_SKILLS])
        self.skills = sorted([*Skill.objects.filter(pk__in=held), *offered], key=lambda one: one.name)
        for skill in self.skills:
            self.fields[f"skill_{skill.pk}"] = forms.TypedChoiceField(
                label=skill.name, coerce=int, empty_value=None, required=False, initial=held.get(skill.pk, ""),
                choices=[("", "–"), *StaffSkill.Level.choices], help_text=gettext_lazy("How well it is held; –: not at all."),
            )  # fmt: skip
        skills = [f"skill_{one.pk}" for one in self.skills]
        self.order_fields(["user", *[f"day_{n}" for n in range(7)], *skills, "is_active", "reason"])

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        found = {skill: data.pop(f"skill_{skill.pk}", None) or 0 for skill in self.skills}
        data["levels"] = {skill: level for skill, level in found.items() if level}
        if self.instance is not None:
            data["user"] = self.instance.user
        return data


class SkillForm(forms.Form):
    """A skill and the services that ask for it."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("What somebody can do, e.g. commissioning.")
    )
    products = forms.CharField(
        label=gettext_lazy("Services"), required=False, max_length=2000,
        help_text=gettext_lazy("SKUs of the services that ask for it, with commas between."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, instance: Skill | None = None) -> None:
        super().__init__(data)
        if instance is not None:
            skus = instance.products.order_by("sku").values_list("sku", flat=True)
            self.initial.update(name=instance.name, products=", ".join(skus))

    def clean_products(self) -> list[Product]:
        skus = {one.strip() for one in re.split(r"[,;，；\s]+", self.cleaned_data["products"]) if one.strip()}
        found = list(Product.objects.filter(sku__in=skus))
        if missing := sorted(skus - {one.sku for one in found}):
            text = _("There is no product with this SKU: %(skus)s.")
            raise forms.ValidationError(text % {"skus": ", ".join(missing[:5])})
        return found


class RateForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What an hour of somebody costs from a day on."""

    takes = ("instance",)

    class Meta:
        model = CostRate
        fields = ["valid_from", "rate"]
        widgets = {"valid_from": DATE}

    def __init__(self, data: Any = None, files: Any = None, *, instance: StaffMember) -> None:
        super().__init__(data, files, instance=CostRate(staff=instance))
        self.fields["valid_from"].initial = business_today()

    def _post_clean(self) -> None:
        """The verb checks the row: the same day again corrects it."""


class AbsenceForm(forms.Form):
    """Days on which somebody is off, or works less."""

    day = forms.DateField(label=gettext_lazy("From"), widget=DATE, help_text=gettext_lazy("The first day off."))
    last = forms.DateField(
        label=gettext_lazy("Until"), required=False, widget=DATE,
        help_text=gettext_lazy("The last day, at most 60 days on; empty: only the one."),
    )  # fmt: skip
    hours_open = DecimalField(
        label=gettext_lazy("Hours worked"), initial=0, min_value=0, max_value=24, decimal_places=2,
        help_text=gettext_lazy("On each of these days; 0: off."),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200,
        help_text=gettext_lazy("E.g. leave, training. Seen by everybody who plans: no illness by name."),
    )  # fmt: skip
    anyway = forms.BooleanField(
        label=gettext_lazy("Take assigned work off these days"), required=False,
        help_text=gettext_lazy("It is then missing on its orders, and their project managers are told."),
    )  # fmt: skip


class LockForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Up to which day hours stay as they are."""

    class Meta:
        model = HoursLock
        fields = ["until", "reason"]
        widgets = {"until": DATE}

    def _post_clean(self) -> None:
        """The verb checks the row."""


class WorkForm(forms.Form):
    """What is to be done for an order, by when, and how long it takes."""

    line = forms.ModelChoiceField(
        OrderLine.objects.none(), label=gettext_lazy("Service line"), required=False,
        help_text=gettext_lazy("What is performed; empty: the order as a whole."),
    )  # fmt: skip
    milestone = forms.ModelChoiceField(
        Milestone.objects.none(), label=gettext_lazy("Milestone"), required=False,
        help_text=gettext_lazy("The work moves when the milestone is moved."),
    )  # fmt: skip
    skill = forms.ModelChoiceField(
        Skill.objects.all(), label=gettext_lazy("Skill"), required=False,
        help_text=gettext_lazy("What is asked for; empty: that of the service line."),
    )  # fmt: skip
    hours = DecimalField(
        label=gettext_lazy("Hours"), min_value=Decimal("0.25"), max_value=10_000, decimal_places=2,
        help_text=gettext_lazy("How much time it takes."),
    )  # fmt: skip
    first = forms.DateField(
        label=gettext_lazy("From"), widget=DATE, help_text=gettext_lazy("The first day on which it may be worked.")
    )
    last = forms.DateField(
        label=gettext_lazy("Until"), widget=DATE, help_text=gettext_lazy("By this day it is done.")
    )  # fmt: skip

    def __init__(self, data: Any = None, *, order: Order, key: str = "") -> None:
        first = max(business_today(), order.order_date)
        last = max(order.promised_date or first, first)
        super().__init__(data, initial={"first": first, "last": last, "hours": Decimal(8)})
        self.order = order
        lines = order.lines.filter(supply=OrderLine.Supply.SERVICE, quantity__gt=0)
        self.fields["line"].queryset = lines  # type: ignore[attr-defined]  # a choice field
        self.fields["line"].label_from_instance = lambda one: f"{one.position} {one.description}"  # type: ignore[attr-defined]  # a choice field
        open_ones = Milestone.objects.open().filter(order=order)
        self.fields["milestone"].queryset = open_ones  # type: ignore[attr-defined]  # a choice field

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last and not 0 <= (last - first).days <= 366:
            self.add_error("last", _("The last day lies after the first, within a year."))
        line = data.get("line")
        if line and not data.get("skill"):
            data["skill"] = skill_for(line.product_id)
        return data

    def suggestions(self) -> list[tuple[Suggestion, str]]:
        """Who could do it, the best first, with the reason; nobody while the wish is incomplete."""
        if not self.is_valid():
            return []
        data = self.cleaned_data
        skill = data["skill"]
        found = suggest(
            self.order, minutes=minutes_of(data["hours"]), first=data["first"], last=data["last"], skill=skill
        )
        return [(one, one.told(skill)) for one in found]


class AssignWorkForm(WorkForm):
    """The same, with the person who was chosen. Sent twice it is one assignment."""

    staff = forms.ModelChoiceField(
        StaffMember.objects.in_use(), label=gettext_lazy("Person"), help_text=gettext_lazy("Who does it.")
    )
    key = forms.CharField(
        max_length=40, widget=forms.HiddenInput, initial=lambda: uuid4().hex,
        help_text=gettext_lazy("Names this form once."),
    )  # fmt: skip


def _successors(order: Order, rows: list[tuple[Assignment, int]], first: dt.date) -> list[tuple[int, str]]:
    """Who could take the place of whoever does these, the best first, as choices with the reason."""
    if not rows:
        return []
    skill = next((one.skill for one, _minutes in rows if one.skill), None)
    last = max(first, *(one.last for one, _minutes in rows))
    minutes = sum(minutes for _one, minutes in rows)
    found = suggest(order, minutes=minutes, first=first, last=last, skill=skill, without=rows[0][0].staff)
    return [(one.staff.pk, f"{one.staff} · {one.told(skill)}") for one in found]


class ReplaceStaffForm(forms.Form):
    """Who takes somebody's place on an order, from when on, and why."""

    takes = ("instance",)
    new = forms.ModelChoiceField(
        StaffMember.objects.in_use(), label=gettext_lazy("New person"), empty_label=None,
        help_text=gettext_lazy("The best first: skill, then free time, then who knows the customer."),
    )  # fmt: skip
    first = forms.DateField(
        label=gettext_lazy("From"), widget=DATE,
        help_text=gettext_lazy("Work from this day on moves; what was done before stays."),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("Told to everybody who works on the order."),
    )

    def __init__(self, data: Any = None, files: Any = None, *, instance: Assignment) -> None:
        today = business_today()
        super().__init__(data, files, initial={"first": today})
        rows = [row for row in coming(instance.order, today) if row[0].staff_id == instance.staff_id]
        self.fields["new"].choices = _successors(instance.order, rows, today)  # type: ignore[attr-defined]  # a choice field


class ReplaceForForm(ReplaceStaffForm):
    """The same, as the measure of a corrective action, which says for whom."""

    old = forms.ModelChoiceField(
        StaffMember.objects.none(), label=gettext_lazy("Instead of"), empty_label=None,
        help_text=gettext_lazy("Who leaves the order."),
    )  # fmt: skip
    field_order = ["old", "new", "first", "reason"]

    def __init__(self, data: Any = None, files: Any = None, *, instance: CorrectiveAction) -> None:
        today = business_today()
        forms.Form.__init__(self, data, files, initial={"first": today})
        rows = coming(instance.order, today)
        people = list(dict.fromkeys(one.staff_id for one, _minutes in rows))
        self.fields["old"].queryset = StaffMember.objects.filter(pk__in=people)  # type: ignore[attr-defined]  # a choice field
        own = [row for row in rows if row[0].staff_id == people[0]] if people else []
        self.fields["new"].choices = _successors(instance.order, own, today)  # type: ignore[attr-defined]  # a choice field
