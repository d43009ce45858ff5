"""What people type about a supplier who is late: who delivers instead, or when it comes."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fulfilment.services import Hit, expected_day, hits_of, nothing_moves
from inventory.models import PurchaseLine, Supplier
from inventory.services import Wish, rank_offers
from ordermgmt.company.services import business_today
from ordermgmt.lib.days import check_reach

from .plan import DATE


def _reason(line: PurchaseLine) -> str:
    text = _("%(supplier)s is late with %(number)s")
    return text % {"supplier": line.order.supplier.name, "number": line.order.number}


class ReplaceForm(forms.Form):
    """Who delivers instead."""

    takes = ("instance", "user")
    supplier = forms.ModelChoiceField(
        Supplier.objects.none(), label=gettext_lazy("Order from"), empty_label=None,
        help_text=gettext_lazy("The best first: in time, keeps their word, price."),
    )  # fmt: skip
    replan = forms.BooleanField(
        label=gettext_lazy("Plan the orders anew for which it still comes too late"), required=False, initial=True,
        help_text=gettext_lazy("Moves their milestones to the day the new supplier can deliver; only orders that you see."),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=120,
        help_text=gettext_lazy("Told to everybody who works on the orders, and kept on the purchase order."),
    )  # fmt: skip

    def __init__(self, *args: Any, instance: PurchaseLine, user: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"reason": _reason(instance), "replan": True})
        super().__init__(*args, **kwargs)
        today = business_today()
        hits = hits_of([instance], user, today).get(instance.pk, [])
        needed = min((one.needed_by for one in hits), default=instance.needed_by)
        offers = []
        if instance.product is not None:
            ranked = rank_offers([Wish(instance.product, instance.open, needed)], today)
            offers = [
                one for one in ranked.get(instance.product.pk, []) if one.supplier.pk != instance.order.supplier_id
            ]
        prices = user.has_perm("inventory.view_cost")
        labels = [
            (one.supplier.pk, " · ".join([one.supplier.name, one.told, *([one.told_price] if prices else [])]))
            for one in offers
        ]
        field: Any = self.fields["supplier"]
        field.queryset = Supplier.objects.filter(pk__in=[pk for pk, _label in labels])
        field.choices = labels
        if not user.has_perm("fulfilment.plan_order"):
            del self.fields["replan"]


class ReplanForm(forms.Form):
    """On which day it comes. What that moves is shown before it is saved: another day is confirmed once more."""

    takes = ("instance", "user")
    fields_template = "fulfilment/_replan_fields.html"
    day = forms.DateField(
        label=gettext_lazy("It comes on"), widget=DATE, validators=[check_reach],
        help_text=gettext_lazy("The orders are planned as if it came on this day."),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200,
        help_text=gettext_lazy("Kept with every milestone that moves, and told to everybody who works on the orders."),
    )  # fmt: skip
    shown = forms.DateField(
        label=gettext_lazy("The day whose moves were shown"), required=False, widget=forms.HiddenInput,
        help_text=gettext_lazy("Another day is shown before it is saved."),
    )  # fmt: skip

    def __init__(self, *args: Any, instance: PurchaseLine, user: Any, **kwargs: Any) -> None:
        self.line, self.user, self.comes = instance, user, expected_day(instance, business_today())
        kwargs.setdefault("initial", {"day": self.comes, "reason": _reason(instance)})
        super().__init__(*args, **kwargs)

    @property
    def hits(self) -> list[Hit]:
        """What moves on the day in the form: the orders that the reader sees."""
        found = hits_of([self.line], self.user, business_today(), self.comes).get(self.line.pk, [])
        return [one for one in found if one.seen]

    @property
    def why_not(self) -> str:
        """Why an order of `hits` without a step stays as it is."""
        return nothing_moves()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        shown = data.pop("shown", None) or self.comes
        self.comes = data.get("day") or self.comes
        if self.comes != shown and any(one.steps for one in self.hits):
            self.add_error("day", _("On this day other milestones move: read below which, then confirm again."))
        return data
