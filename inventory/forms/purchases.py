"""What people type about purchase orders: a head, lines, confirmed dates, what came, what goes back."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from inventory.models import Product, PurchaseLine, PurchaseOrder, Supplier, Warehouse
from inventory.services import Came, plain
from ordermgmt.company.services import default_seller
from ordermgmt.lib.fields import DecimalField, FoundSelect

from . import CurrencyInput, KeyField, QuantityInput

_DATE = forms.DateInput(attrs={"type": "date"})


class PurchaseForm(forms.Form):
    """The head of a purchase order."""

    supplier = forms.ModelChoiceField(
        Supplier.objects.filter(is_active=True),
        label=_("Supplier"),
        help_text=_("Who delivers; type a part of the name."),
        widget=FoundSelect(attrs={"data-autocomplete": "/inventory/suppliers/autocomplete/"}),
    )
    warehouse = forms.ModelChoiceField(
        Warehouse.objects.filter(is_active=True), label=_("To warehouse"), required=False,
        help_text=_("Where the goods are put; empty: the default one."),
    )  # fmt: skip
    currency = CurrencyInput(required=False, help_text=_("Three letters; empty: the supplier's."))
    tolerance = DecimalField(
        label=_("Over-delivery %"), min_value=Decimal(0), max_value=Decimal(100), decimal_places=2,
        initial=lambda: default_seller().receipt_tolerance,
        help_text=_("So much more than ordered may be received of a line, in percent."),
    )  # fmt: skip
    note = forms.CharField(
        label=_("Note"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Goes to the supplier with the order."),
    )  # fmt: skip
    key = KeyField()

    def __init__(self, *args: Any, supplier: Supplier | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if supplier is not None:
            self.fields["supplier"].initial = supplier.pk


class PurchaseLineForm(forms.Form):
    """One more line of a draft."""

    product = forms.ModelChoiceField(
        Product.objects.select_related("unit"),
        label=_("Product"),
        help_text=_("Type a part of its number or name."),
        widget=FoundSelect(attrs={"data-autocomplete": "/inventory/products/autocomplete/"}),
    )
    quantity = QuantityInput(label=_("Quantity"), min_value=Decimal(0), help_text=_("In the product's unit."))
    unit_price = DecimalField(
        label=_("Unit price"), required=False, min_value=Decimal(0), max_digits=15, decimal_places=6,
        help_text=_("Without tax; empty: the supplier's price for this quantity."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    needed_by = forms.DateField(
        label=_("Needed by"), required=False, widget=_DATE, help_text=_("When we need it; tells the supplier too.")
    )
    key = KeyField()


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("Kept in the timeline."))


class LinesForm(forms.Form):
    """A row of fields per line of a purchase order."""

    takes = ("instance",)
    sent_once = True
    fields_template = "inventory/_purchase_fields.html"

    def __init__(self, *args: Any, instance: PurchaseOrder, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = instance
        self.lines = list(self.chosen(instance))
        # Kept: to make the fields of a thousand lines anew for every look at the rows would take seconds.
        self.row_fields = {line.pk: self.line_fields(line) for line in self.lines}
        for fields in self.row_fields.values():
            self.fields.update(fields)

    def chosen(self, order: PurchaseOrder) -> Any:
        """The lines that have a row."""
        return order.lines.filter(open__gt=0).select_related("product__unit")

    def line_fields(self, line: PurchaseLine) -> dict[str, forms.Field]:
        """The fields of one row, by name."""
        raise NotImplementedError

    heads: tuple[Any, ...] = ()

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


def _quantity(label: str, initial: Any, hint: str) -> QuantityInput:
    return QuantityInput(label=label, initial=initial, required=False, min_value=Decimal(0), help_text=hint)


class ConfirmForm(LinesForm):
    """The day that the supplier promised for each line."""

    heads = (_("Promised"),)
    reference = forms.CharField(
        label=_("Supplier's reference"), max_length=60, required=False, help_text=_("The number of their confirmation.")
    )

    def line_fields(self, line: PurchaseLine) -> dict[str, forms.Field]:
        label = _t("Promised, line %(line)s") % {"line": line.position}
        day = date_format(line.needed_by, "SHORT_DATE_FORMAT") if line.needed_by else ""
        needed = _t("needed by %(day)s") % {"day": day} if day else ""
        # Only what they promised stands there already: our own wish would be recorded as their word by one click.
        found = forms.DateField(label=label, required=False, initial=line.confirmed_on, widget=_DATE, help_text=needed)
        return {f"date_{line.pk}": found}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        dates = {line.pk: data.get(f"date_{line.pk}") for line in self.lines}
        return {"reference": data.get("reference", ""), "dates": dates}


class ReceiveForm(LinesForm):
    """What came: taken, refused and why."""

    heads = (_("Taken"), _("Refused goods"), _("Why refused"))
    received_on = forms.DateField(
        label=pgettext_lazy("goods", "Received on"),
        required=False,
        widget=_DATE,
        help_text=_("Empty: today. Suppliers are judged by it."),
    )
    delivery_note = forms.CharField(
        label=_("Delivery note"), max_length=60, required=False, help_text=_("The supplier's number on the paper.")
    )
    key = KeyField()

    def line_fields(self, line: PurchaseLine) -> dict[str, forms.Field]:
        place = {"line": line.position}
        hint = _t("%(open)s open") % {"open": plain(line.open)}
        return {
            f"accepted_{line.pk}": _quantity(_t("Taken, line %(line)s") % place, plain(line.open), hint),
            f"rejected_{line.pk}": _quantity(_t("Refused, line %(line)s") % place, None, ""),
            f"reason_{line.pk}": forms.CharField(
                label=_t("Why refused, line %(line)s") % place, max_length=200, required=False
            ),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        came = {
            line.pk: Came(
                data.get(f"accepted_{line.pk}") or Decimal(0), data.get(f"rejected_{line.pk}") or Decimal(0),
                data.get(f"reason_{line.pk}") or "",
            )
            for line in self.lines
        }  # fmt: skip
        return {name: data.get(name) for name in ("received_on", "key")} | {
            "delivery_note": data.get("delivery_note") or "", "came": came,
        }  # fmt: skip


class ReturnForm(LinesForm):
    """What goes back."""

    heads = (_("Goes back"),)
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("Kept in the timeline."))
    awaited = forms.BooleanField(
        label=_("They deliver it again"), required=False, initial=True,
        help_text=_("Else it is given up and no longer awaited."),
    )  # fmt: skip
    key = KeyField()

    def chosen(self, order: PurchaseOrder) -> Any:
        return order.lines.filter(received__gt=0).select_related("product__unit")

    def line_fields(self, line: PurchaseLine) -> dict[str, forms.Field]:
        label = _t("Goes back, line %(line)s") % {"line": line.position}
        hint = _t("%(received)s received") % {"received": plain(line.received)}
        return {f"quantity_{line.pk}": _quantity(label, None, hint)}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        quantities = {line.pk: data.get(f"quantity_{line.pk}") or Decimal(0) for line in self.lines}
        return {name: data.get(name) for name in ("reason", "awaited", "key")} | {"quantities": quantities}


class SendForm(forms.Form):
    """To whom a purchase order is sent by mail."""

    takes = ("instance",)
    sent_once = True
    to = forms.EmailField(
        label=_("To"), required=False,
        help_text=_("The supplier's own address if left empty. The document is attached, in the supplier's language."),
    )  # fmt: skip
    message = forms.CharField(
        label=_("Message"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Stands above the usual sentences, in the language you write it in."),
    )  # fmt: skip
    key = KeyField()

    def __init__(self, *args: Any, instance: PurchaseOrder, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].initial = instance.supplier.email
