"""What people type when they ship, deliver, examine and put right."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fulfilment.models import Acceptance, GoodsReturnLine, Rectification, Shipment
from fulfilment.services import (
    LineResult,
    ReturnedPart,
    ready_quantities,
    ready_to_ship,
    remedies,
    returnable_lines,
    shippable_lines,
)
from inventory.services import plain
from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.company.services import business_today
from ordermgmt.lib.fields import DecimalField
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine

from .criteria import FilesField, finding_fields, findings_of
from .keys import KeyField

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class QuantityField(DecimalField):
    """A quantity of one line; empty means nothing."""

    def __init__(self, label: str, initial: Decimal | None, help_text: str) -> None:
        super().__init__(
            label=label, required=False, min_value=Decimal(0), max_digits=15, decimal_places=6,
            initial=None if initial is None else plain(initial), help_text=help_text,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "aria-label": label}),
        )  # fmt: skip


class LinesForm(forms.Form):
    """A form with a row of fields per order line, shown as a table."""

    takes = ("instance",)
    sent_once = True
    fields_template = "fulfilment/_line_fields.html"

    def __init__(self, *args: Any, instance: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = instance
        self.lines = self.open_lines()
        # Kept: to make the fields of a thousand lines anew for every look at the rows would take seconds.
        self.row_fields = {line.pk: self.line_fields(line) for line in self.lines}
        for fields in self.row_fields.values():
            self.fields.update(fields)

    def open_lines(self) -> list[OrderLine]:
        """The lines that have a row."""
        raise NotImplementedError

    def line_fields(self, line: OrderLine) -> dict[str, forms.Field]:
        """The fields of one row, by name."""
        raise NotImplementedError

    @property
    def heads(self) -> list[str]:
        """The headings of a row's fields."""
        raise NotImplementedError

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Each line with its bound fields under their headings, for the template."""
        return [
            {
                "line": line,
                "cells": list(zip(self.heads, (self[name] for name in self.row_fields[line.pk]), strict=True)),
            }
            for line in self.lines
        ]

    @property
    def others(self) -> list[forms.BoundField]:
        """The fields below the table."""
        in_rows = {name for fields in self.row_fields.values() for name in fields}
        return [bound for bound in self if bound.name not in in_rows]


class ShipForm(LinesForm):
    """How much of each line leaves now."""

    kind = Shipment.Kind.GOODS
    carrier = forms.CharField(
        label=gettext_lazy("Carrier"), max_length=80, required=False, help_text=gettext_lazy("Who takes it along.")
    )
    tracking_number = forms.CharField(
        label=gettext_lazy("Tracking number"), max_length=80, required=False,
        help_text=gettext_lazy("So that the customer can follow it; may be added later."),
    )  # fmt: skip
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=300, required=False,
        help_text=gettext_lazy("Printed on the delivery note."),
    )  # fmt: skip
    inspected = forms.BooleanField(
        label=gettext_lazy("Inspected before dispatch"),
        help_text=gettext_lazy("You looked at what leaves: kind, quantity, condition, packing."),
    )
    key = KeyField()

    def open_lines(self) -> list[OrderLine]:
        lines = shippable_lines(self.order, self.kind)
        self.ready = ready_to_ship(lines)
        return lines

    def __init__(self, *args: Any, instance: Order, **kwargs: Any) -> None:
        self.passed = ready_quantities(instance)
        super().__init__(*args, instance=instance, **kwargs)

    def line_fields(self, line: OrderLine) -> dict[str, forms.Field]:
        ready = self.ready[line.pk]
        label = _("Now, line %(position)s") % {"position": line.position}
        hint = _("%(open)s open, %(reserved)s reserved") % {
            "open": plain(line.qty_to_ship),
            "reserved": plain(line.qty_reserved),
        }
        if line.supply == OrderLine.Supply.MAKE:
            hint += ", " + _("%(made)s reported made") % {"made": plain(line.qty_produced)}
        if line.pk in self.passed:
            ready = min(ready, self.passed[line.pk])
            hint += ", " + _("%(passed)s inspected") % {"passed": plain(self.passed[line.pk])}
        return {f"quantity_{line.pk}": QuantityField(label, ready, hint)}

    @property
    def heads(self) -> list[str]:
        return [_("Now")]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        rest = {name: value for name, value in data.items() if not name.startswith("quantity_")}
        quantities = {line.pk: data.get(f"quantity_{line.pk}") or ZERO for line in self.lines}
        return {**rest, "quantities": quantities}


class AcceptForm(LinesForm):
    """What the customer accepted and rejected of each line, and what was found for each criterion."""

    examiner = forms.ChoiceField(
        label=gettext_lazy("Examined by"), choices=Acceptance.Examiner.choices, initial=Acceptance.Examiner.CUSTOMER,
        required=False, help_text=gettext_lazy("A third party needs its report as a file below."),
    )  # fmt: skip
    signed_by = forms.CharField(
        label=gettext_lazy("Signed by"), max_length=150, help_text=gettext_lazy("Who at the customer's says so.")
    )
    on = forms.DateField(
        label=gettext_lazy("Date"),
        widget=DATE,
        initial=business_today,
        help_text=gettext_lazy("When it was examined."),
    )
    evidence = forms.CharField(
        label=gettext_lazy("Evidence"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("How we know: a signed paper, a mail of that day, a test report."),
    )  # fmt: skip
    evidence_file = forms.FileField(
        label=gettext_lazy("Signed paper"), required=False, help_text=gettext_lazy("A scan or photo, if there is one.")
    )
    photos = FilesField(
        label=gettext_lazy("Photos"), required=False,
        help_text=gettext_lazy("Pictures of what was found; several may be chosen."),
    )  # fmt: skip
    key = KeyField()

    def __init__(self, *args: Any, instance: Order, **kwargs: Any) -> None:
        super().__init__(*args, instance=instance, **kwargs)
        self.fields.update(finding_fields(instance))

    def open_lines(self) -> list[OrderLine]:
        return [line for line in self.order.order_lines if line.qty_to_accept > 0]

    def line_fields(self, line: OrderLine) -> dict[str, forms.Field]:
        place = {"position": line.position}
        waiting = _("%(open)s wait for acceptance") % {"open": plain(line.qty_to_accept)}
        reason = _("Reason, line %(position)s") % place
        return {
            f"accepted_{line.pk}": QuantityField(_("Accepted, line %(position)s") % place, line.qty_to_accept, waiting),
            f"rejected_{line.pk}": QuantityField(_("Rejected, line %(position)s") % place, None, _("what did not pass")),
            f"reason_{line.pk}": forms.CharField(
                label=reason, max_length=300, required=False, help_text=_("why, if anything was rejected"),
                widget=forms.TextInput(attrs={"aria-label": reason}),
            ),
        }  # fmt: skip

    @property
    def heads(self) -> list[str]:
        return [_("Accepted"), _("Rejected"), _("Reason")]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        results = [
            LineResult(
                line.pk,
                data.get(f"accepted_{line.pk}") or ZERO,
                data.get(f"rejected_{line.pk}") or ZERO,
                data.get(f"reason_{line.pk}") or "",
            )
            for line in self.lines
        ]
        in_rows = ("accepted_", "rejected_", "reason_", "criterion_")
        rest = {name: value for name, value in data.items() if not name.startswith(in_rows)}
        rest["examiner"] = rest.get("examiner") or Acceptance.Examiner.CUSTOMER
        return {**rest, "results": results, "findings": findings_of(data)}


class ReturnForm(LinesForm):
    """What came back of each line, by what becomes of it."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, help_text=gettext_lazy("Why it came back, in a few words.")
    )
    on = forms.DateField(
        label=gettext_lazy("Date"), widget=DATE, initial=business_today,
        help_text=gettext_lazy("When it arrived here."),
    )  # fmt: skip
    key = KeyField()

    def open_lines(self) -> list[OrderLine]:
        return returnable_lines(self.order)

    def line_fields(self, line: OrderLine) -> dict[str, forms.Field]:
        hint = _("of %(open)s with the customer") % {"open": plain(line.qty_to_accept)}
        label = _("%(disposition)s, line %(position)s")
        return {
            f"{value}_{line.pk}": QuantityField(label % {"disposition": name, "position": line.position}, None, hint)
            for value, name in GoodsReturnLine.Disposition.choices
        }

    @property
    def heads(self) -> list[str]:
        return [str(label) for label in GoodsReturnLine.Disposition.labels]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kinds = GoodsReturnLine.Disposition.values
        parts = [
            ReturnedPart(line.pk, kind, data.get(f"{kind}_{line.pk}") or ZERO) for line in self.lines for kind in kinds
        ]
        rest: dict[str, Any] = {name: data[name] for name in ("reason", "on", "key") if name in data}
        return {**rest, "parts": parts}


class PlanForm(forms.Form):
    """How something is put right, by whom, until when."""

    takes = ("instance",)
    remedy = forms.ChoiceField(
        label=gettext_lazy("Remedy"), choices=Rectification.Remedy.choices,
        help_text=gettext_lazy("What is agreed with the customer."),
    )  # fmt: skip
    owner = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Owner"), help_text=gettext_lazy("Who sees to it; is told at once.")
    )
    due = forms.DateField(
        label=gettext_lazy("Due"),
        widget=DATE,
        help_text=gettext_lazy("Until when it is put right and delivered again."),
    )

    def __init__(self, *args: Any, instance: Rectification, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner, remedy = self.fields["owner"], self.fields["remedy"]
        remedy.choices = remedies(instance)  # type: ignore[attr-defined]  # a choice field
        remedy.initial = instance.remedy
        people = [Role.PM, Role.WAREHOUSE]
        if instance.came_back:  # a credit is finance's
            people.append(Role.FINANCE)
            remedy.help_text = _("What is agreed with the customer. A credit becomes work of finance.")
            self.fields["due"].help_text = _("Until when it is credited or with the customer again.")
        owner.queryset = users_with_role(*people)  # type: ignore[attr-defined]  # a choice field


class ResultForm(forms.Form):
    """What was done, and what becomes of rejected goods that are replaced."""

    takes = ("instance",)
    result = forms.CharField(
        label=gettext_lazy("Result"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What was done, so that the next examination knows where to look."),
    )  # fmt: skip
    faulty = forms.ChoiceField(
        label=gettext_lazy("Rejected goods"), required=False,
        choices=[("", gettext_lazy("Stay with the customer")), *GoodsReturnLine.Disposition.choices],
        help_text=gettext_lazy("What becomes of them; the new ones leave the stock with a delivery note of their own."),
    )  # fmt: skip

    cost = DecimalField(
        label=gettext_lazy("Cost"), required=False, min_value=ZERO, max_digits=15, decimal_places=2,
        help_text=gettext_lazy("Work and material it took us, in the order's currency; empty: none."),
    )  # fmt: skip

    def clean_cost(self) -> Decimal:
        return self.cleaned_data["cost"] or ZERO

    def __init__(self, *args: Any, instance: Rectification, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not instance.replaces_goods:
            del self.fields["faulty"]


class SendForm(forms.Form):
    """What was done, and with whom the goods travel."""

    result = forms.CharField(
        label=gettext_lazy("Result"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What was done: repaired how, or new goods from where."),
    )  # fmt: skip
    carrier = forms.CharField(
        label=gettext_lazy("Carrier"), max_length=80, required=False, help_text=gettext_lazy("Who takes it along.")
    )
    tracking_number = forms.CharField(
        label=gettext_lazy("Tracking number"), max_length=80, required=False,
        help_text=gettext_lazy("So that the customer can follow it; may be added later."),
    )  # fmt: skip
    cost = DecimalField(
        label=gettext_lazy("Cost"), required=False, min_value=ZERO, max_digits=15, decimal_places=2,
        help_text=gettext_lazy("Work and material it took us, in the order's currency; empty: none."),
    )  # fmt: skip

    def clean_cost(self) -> Decimal:
        return self.cleaned_data["cost"] or ZERO


class DefectForm(forms.Form):
    """One thing that is wrong."""

    text = forms.CharField(
        label=gettext_lazy("Defect"), max_length=500, help_text=gettext_lazy("What is wrong, and where.")
    )


class ReasonForm(forms.Form):
    """Why something is taken back."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, help_text=gettext_lazy("Why, for the order's history.")
    )


class TrackForm(forms.Form):
    """With whom a shipment travels."""

    takes = ("instance",)
    carrier = forms.CharField(
        label=gettext_lazy("Carrier"), max_length=80, help_text=gettext_lazy("Who takes it along.")
    )
    tracking_number = forms.CharField(
        label=gettext_lazy("Tracking number"), max_length=80, required=False,
        help_text=gettext_lazy("So that the customer can follow it."),
    )  # fmt: skip

    def __init__(self, *args: Any, instance: Shipment, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"carrier": instance.carrier, "tracking_number": instance.tracking_number})
        super().__init__(*args, **kwargs)


class ArrivalForm(forms.Form):
    """Proof of delivery."""

    delivered_on = forms.DateField(
        label=gettext_lazy("Arrived on"), widget=DATE, initial=business_today,
        help_text=gettext_lazy("The day the customer took it."),
    )  # fmt: skip
    received_by = forms.CharField(
        label=gettext_lazy("Received by"), max_length=150, help_text=gettext_lazy("Who signed for it.")
    )
    proof = forms.FileField(
        label=gettext_lazy("Proof of delivery"), required=False,
        help_text=gettext_lazy("A photo of the goods in place or of the signed note, or its PDF."),
    )  # fmt: skip


class ProofForm(forms.Form):
    """The proof that was missing when the arrival was confirmed."""

    proof = forms.FileField(
        label=gettext_lazy("Proof of delivery"),
        help_text=gettext_lazy("A photo of the goods in place or of the signed note, or its PDF."),
    )
