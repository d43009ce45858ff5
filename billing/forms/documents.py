"""Drafting, issuing and crediting documents."""

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice
from billing.services import REFERENCES, credit_of, credited_before, early_of
from customers.forms import early_faults
from customers.models import EarlyMode
from ordermgmt.lib.fields import DecimalField
from ordermgmt.lib.money import ZERO
from ordermgmt.lib.typed import storable
from orders.models import OrderLine

from .parts import ReferencesForm, date_input, plain


class IssueForm(forms.Form):
    """The date of an invoice that is issued."""

    on = forms.DateField(
        label=_("Invoice date"), required=False, widget=date_input(),
        help_text=_("Today if left empty. Never in the future, nor before the last invoice: numbers follow dates."),
    )  # fmt: skip


class MailForm(forms.Form):
    """To whom a document is sent by mail."""

    takes = ("instance",)
    sent_once = True

    to = forms.EmailField(
        label=_("To"), required=False, max_length=254,
        help_text=_("The customer's own address if left empty. The kept PDF is attached."),
    )  # fmt: skip
    message = forms.CharField(
        label=_("Message"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Stands above the usual sentences, in the language you write it in."),
    )  # fmt: skip
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, instance: Invoice | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid.uuid4().hex
        if instance is not None:
            self.fields["to"].initial = instance.customer.email


class ReasonForm(forms.Form):
    """Why something is taken back."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Shown on the timeline and kept in the audit, so write it for a reader of next year."),
    )  # fmt: skip


class CreditForm(ReasonForm):
    """A credit note: the reason, and how much of each line; all that is left unless changed."""

    takes = ("instance",)
    sent_once = True

    key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def __init__(self, *args: Any, instance: Invoice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid.uuid4().hex
        self.fields["reason"].help_text = _t("Printed on the credit note.")
        taken, _nets = credited_before(instance)
        # Sent again, it asks for what is credited already: it leads there, whatever is left by now.
        key = self.data.get("key", "")
        again = storable(key) and credit_of(instance, key) is not None
        self.lines = []
        for line in instance.lines.all():
            left = line.quantity - taken[line.pk]
            if left > 0 and not again:
                name = f"line_{line.pk}"
                self.lines.append(line)
                self.fields[name] = DecimalField(
                    label=f"{line.position} · {line.description}", min_value=ZERO, max_value=left, initial=plain(left),
                    required=False, max_digits=19, decimal_places=6,
                    help_text=_t("Quantity to credit, at most %(left)s. 0 leaves the line as it is.")
                    % {"left": plain(left)},
                )  # fmt: skip
        self.whole = {line.pk: line.quantity - taken[line.pk] for line in instance.lines.all()}

    def clean(self) -> dict[str, Any]:
        """Gives the service `quantities`: None for all that is left."""
        data = super().clean() or {}
        wanted = {line.pk: data.pop(f"line_{line.pk}", None) or ZERO for line in self.lines}
        whole = all(wanted[line.pk] == self.whole[line.pk] for line in self.lines)
        data["quantities"] = None if whole else {key: value for key, value in wanted.items() if value}
        return data


_EARLY = ("early_percent", "early_days", "early_mode")
_DRAFT_FIELDS = (
    "version", "delivery_date", *REFERENCES, "payment_days", "language", "retention_percent", "retention_until", "note",
)  # fmt: skip


class DraftForm(ReferencesForm):
    """The header of a draft, and the quantity of each order line it may bill."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    delivery_date = forms.DateField(
        label=_("Delivery date"), required=False, widget=date_input(),
        help_text=_("The day or the end of the period of the supply; the invoice date if left empty."),
    )  # fmt: skip
    payment_days = forms.IntegerField(
        label=_("Days to pay"), min_value=0, max_value=3650,
        help_text=_("Counted from the invoice date, for what no instalment plan covers."),
    )  # fmt: skip
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, help_text=_("The language in which the document is printed.")
    )
    retention_percent = DecimalField(
        label=_("Retention in percent"), required=False, max_digits=9, decimal_places=6,
        min_value=Decimal("0.000001"), max_value=Decimal("99.999999"),
        help_text=_("Of the total: billed now, kept back until the day beside it or its release."),
    )  # fmt: skip
    retention_until = forms.DateField(
        label=_("Retention until"), required=False, widget=date_input(),
        help_text=_("The end of the defects period; until then it is never overdue."),
    )  # fmt: skip
    early_percent = DecimalField(
        label=_("Early-payment discount %"), required=False, max_digits=8, decimal_places=6,
        min_value=Decimal("0.000001"), max_value=Decimal("99.999999"),
        help_text=_("Comes off an invoice that is paid within the days beside it. Empty: none."),
    )  # fmt: skip
    early_days = forms.IntegerField(
        label=_("Paid within days"), required=False, min_value=0, max_value=3650,
        help_text=_("From the invoice date; fewer than the days to pay."),
    )  # fmt: skip
    early_mode = forms.ChoiceField(
        label=_("Taken off"), required=False, choices=EarlyMode.choices,
        help_text=_("Ask your tax adviser which of them your law wants."),
    )  # fmt: skip
    note = forms.CharField(
        label=_("Note on the document"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Printed below the sums."),
    )  # fmt: skip

    def __init__(self, *args: Any, invoice: Invoice, order_lines: list[OrderLine], **kwargs: Any) -> None:
        present = {line.order_line_id: line.quantity for line in invoice.lines.all()}
        early = early_of(invoice)
        offered = {f"early_{name}": getattr(early, name) for name in ("percent", "days", "mode")} if early else {}
        kwargs.setdefault("initial", {name: getattr(invoice, name) for name in _DRAFT_FIELDS} | offered)
        super().__init__(*args, **kwargs)
        by_percent = invoice.progress_percent is not None
        composed = invoice.bills_order_lines or (invoice.kind == Invoice.Kind.PROFORMA and any(present))
        self.order_lines = order_lines if composed and not by_percent else []
        if by_percent:
            self.fields["percent"] = DecimalField(
                label=_t("Progress in percent"), max_digits=9, decimal_places=6, min_value=Decimal("0.000001"),
                max_value=100, initial=plain(invoice.progress_percent or ZERO),
                help_text=_t("Cumulative: so much of every line is billed once this is issued."),
            )  # fmt: skip
        for line in self.order_lines:
            self.fields[f"line_{line.pk}"] = DecimalField(
                label=f"{line.position} · {line.description}", min_value=ZERO, max_value=line.qty_to_invoice,
                initial=plain(present.get(line.pk, ZERO)), required=False, max_digits=19, decimal_places=6,
                help_text=_t("%(left)s %(unit)s can be invoiced.")
                % {"left": plain(line.qty_to_invoice), "unit": line.unit},
            )  # fmt: skip

    def header_fields(self) -> list[forms.BoundField]:
        """The fields of the document itself."""
        names = (
            "percent", "delivery_from", "delivery_date", "tax_point", "payment_days", "language", "contract_reference",
            "buyer_reference", *_EARLY, "retention_percent", "retention_until", "note",
        )  # fmt: skip
        return [self[name] for name in names if name in self.fields]

    def clean(self) -> dict[str, Any]:
        """A retention has a percentage and a day, a discount a percentage and its days."""
        data = super().clean() or {}
        percent, until = data.get("retention_percent"), data.get("retention_until")
        if percent is not None and until is None and "retention_until" not in self.errors:
            self.add_error("retention_until", _t("Say until when it is kept back."))
        if until is not None and percent is None and "retention_percent" not in self.errors:
            self.add_error("retention_percent", _t("Say how much is kept back."))
        for name, text in early_faults(data).items():
            self.add_error(name, text)
        return data

    def early(self) -> tuple[Decimal | None, int | None, str]:
        """What comes off who pays early."""
        percent, days, mode = (self.cleaned_data[name] for name in _EARLY)
        return percent, days, mode or EarlyMode.INCLUDED

    def line_fields(self) -> list[forms.BoundField]:
        """One quantity per order line."""
        return [self[f"line_{line.pk}"] for line in self.order_lines]

    def quantities(self) -> dict[int, Decimal] | None:
        """Wished quantities by order line key; None where the document bills no lines."""
        if not self.order_lines:
            return None
        return {line.pk: self.cleaned_data.get(f"line_{line.pk}") or ZERO for line in self.order_lines}


class InvoiceQuantityForm(forms.Form):
    """What a new draft for an order bills."""

    basis = forms.ChoiceField(
        label=_("What to invoice"),
        choices=[
            ("open", _("Everything that is not invoiced")), ("shipped", _("What is shipped and not invoiced")),
            ("accepted", _("What is accepted and not invoiced")), ("progress", _("Progress up to a percentage")),
        ],
        help_text=_("Single quantities can be changed on the draft."),
    )  # fmt: skip
    percent = DecimalField(
        label=_("Progress in percent"), required=False, max_digits=9, decimal_places=6, min_value=Decimal("0.000001"),
        max_value=100,
        help_text=_("Cumulative: so much of every line is billed once this is issued. Only for progress."),
    )  # fmt: skip
    proforma = forms.BooleanField(
        label=_("As a proforma"), required=False,
        help_text=_("To be sent ahead: without a number, it asks for nothing and counts nowhere."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Progress needs its percentage."""
        data = super().clean() or {}
        if data.get("basis") == "progress" and data.get("percent") is None and "percent" not in self.errors:
            self.add_error("percent", _t("Say how far the work has come."))
        return data

    def chosen(self) -> dict[str, Any]:
        """What `draft_invoice` is to bill."""
        data = self.cleaned_data
        what = {"percent": data["percent"]} if data["basis"] == "progress" else {"basis": data["basis"]}
        return what | {"proforma": data["proforma"]}


class BasisForm(forms.Form):
    """What is billed of the ticked orders."""

    basis = forms.ChoiceField(
        label=_("What to invoice"),
        choices=[
            ("shipped", _("What is shipped and not invoiced")), ("accepted", _("What is accepted and not invoiced")),
            ("open", _("Everything that is not invoiced")),
        ],
        help_text=_("One invoice per order, drafted and issued at once."),
    )  # fmt: skip
