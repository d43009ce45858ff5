"""What the warehouse types when it inspects before dispatch, and what is handed over with a service."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from fulfilment.models import Shipment
from fulfilment.models.criteria import Stage
from fulfilment.services import LineResult, open_to_inspect
from inventory.services import plain
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine

from . import LinesForm, QuantityField, ShipForm
from .criteria import FilesField, finding_fields, findings_of
from .keys import KeyField

_FIELDS = ("passed", "failed", "reason")


class InspectForm(LinesForm):
    """What passed and failed of each line that is about to leave, and what was found for each criterion."""

    photos = FilesField(
        label=gettext_lazy("Photos"), required=False,
        help_text=gettext_lazy("Pictures of what was found; several may be chosen."),
    )  # fmt: skip
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=300, required=False,
        help_text=gettext_lazy("What the next one should know: the instrument, the batch."),
    )  # fmt: skip
    key = KeyField()

    def __init__(self, *args: Any, instance: Order, **kwargs: Any) -> None:
        self.left = open_to_inspect(instance)
        super().__init__(*args, instance=instance, **kwargs)
        self.fields.update(finding_fields(instance, Stage.DISPATCH))
        self.order_fields([name for name in self.fields if name.startswith("criterion_")])

    def open_lines(self) -> list[OrderLine]:
        return [line for line in self.order.order_lines if line.pk in self.left]

    def line_fields(self, line: OrderLine) -> dict[str, forms.Field]:
        place = {"position": line.position}
        left = self.left[line.pk]
        reason = _("Reason, line %(position)s") % place
        return {
            f"passed_{line.pk}": QuantityField(
                _("Passed, line %(position)s") % place, left, _("%(open)s to be inspected") % {"open": plain(left)}
            ),
            f"failed_{line.pk}": QuantityField(_("Failed, line %(position)s") % place, None, _("what did not pass")),
            f"reason_{line.pk}": forms.CharField(
                label=reason, max_length=300, required=False, help_text=_("why, if anything failed"),
                widget=forms.TextInput(attrs={"aria-label": reason}),
            ),
        }  # fmt: skip

    @property
    def heads(self) -> list[str]:
        return [_("Passed"), pgettext("examined", "Failed"), _("Reason")]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        results = []
        for line in self.lines:
            passed, failed, reason = (data.get(f"{name}_{line.pk}") for name in _FIELDS)
            results.append(LineResult(line.pk, passed or ZERO, failed or ZERO, reason or ""))
        rest: dict[str, Any] = {name: data[name] for name in ("photos", "note", "key") if name in data}
        return {**rest, "results": results, "findings": findings_of(data)}


class DeliverForm(ShipForm):
    """How much of each service is performed, and what is handed over with it."""

    kind = Shipment.Kind.SERVICE
    carrier = None  # type: ignore[assignment]  # a service travels with nobody
    tracking_number = None  # type: ignore[assignment]  # as carrier
    inspected = None  # type: ignore[assignment]  # as carrier
    description = forms.CharField(
        label=gettext_lazy("What was delivered"), max_length=4000, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The results in a few sentences; printed on the hand-over note."),
    )  # fmt: skip
    files = FilesField(  # type: ignore[assignment]  # a field is no attribute of the form itself
        label=gettext_lazy("Files"), required=False,
        help_text=gettext_lazy("Reports, drawings, data: what the customer gets; several may be chosen."),
    )  # fmt: skip
    field_order = ("description", "files", "note")

    def line_fields(self, line: OrderLine) -> dict[str, forms.Field]:
        """As of goods, but nothing of a service is reserved or inspected."""
        found = super().line_fields(line)
        for one in found.values():
            one.help_text = pgettext("service", "%(open)s open") % {"open": plain(line.qty_to_ship)}
        return found
