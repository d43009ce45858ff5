"""What people type about criteria, and the fields in which a round says what it found."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from fulfilment.models import AgreedCriterion, CriterionTemplate
from fulfilment.models.criteria import Stage
from fulfilment.services import Found, tolerance
from inventory.models import Product
from ordermgmt.lib.fields import DecimalField, FoundSelect
from orders.models import Order

from .keys import KeyField

_SAID = ["stage", "title", "method", "unit", "minimum", "maximum"]


class _Criterion(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What both forms share: without a word on the stage it is examined at acceptance."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stage"].required = False

    def clean_stage(self) -> str:
        return self.cleaned_data["stage"] or Stage.ACCEPTANCE

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        least, most = data.get("minimum"), data.get("maximum")
        if least is not None and most is not None and least > most:
            self.add_error("minimum", _("The smallest value is above the largest."))
        return data


class CriterionTemplateForm(_Criterion):
    """A criterion that new orders begin with."""

    class Meta:
        model = CriterionTemplate
        fields = [*_SAID, "product", "kind", "is_active"]
        widgets = {"product": FoundSelect(attrs={"data-autocomplete": "/inventory/products/autocomplete/"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["product"].queryset = Product.objects.filter(is_active=True)  # type: ignore[attr-defined]


class CriterionForm(_Criterion):
    """One more criterion of an order."""

    takes = ("instance",)
    sent_once = True
    key = KeyField()

    class Meta:
        model = AgreedCriterion
        fields = ["order_line", *_SAID]

    def __init__(self, data: Any = None, files: Any = None, *, instance: Order) -> None:
        super().__init__(data, files, instance=AgreedCriterion(order=instance))
        self.fields["order_line"].queryset = instance.lines.all()  # type: ignore[attr-defined]


class TermForm(forms.Form):
    """After how many days silence is a yes."""

    days = forms.IntegerField(
        label=gettext_lazy("Days"), min_value=1, max_value=365, initial=14,
        help_text=gettext_lazy("Calendar days from the last delivery; the order's people are warned before."),
    )  # fmt: skip


class FilesInput(forms.ClearableFileInput):
    """A file field that takes several at once."""

    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return files.getlist(name) if hasattr(files, "getlist") else files.get(name)


class FilesField(forms.FileField):
    """Several files, each checked as one; an empty list where there is none."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        return [super(FilesField, self).clean(one, initial) for one in data or [] if one]


def finding_fields(order: Order, stage: str = Stage.ACCEPTANCE) -> dict[str, forms.Field]:
    """A field per criterion of a stage, "criterion_<id>": a value where it is measured, else passed or failed."""
    found = AgreedCriterion.objects.filter(order=order, stage=stage).select_related("order_line")
    return {f"criterion_{one.pk}": _finding_field(one) for one in found}


def _finding_field(criterion: AgreedCriterion) -> forms.Field:
    place = _("line %(position)s") % {"position": criterion.order_line.position} if criterion.order_line else ""
    label = " · ".join(part for part in (criterion.title, place) if part)
    if criterion.is_measured:
        parts = (_("Passes: %(range)s") % {"range": tolerance(criterion)}, criterion.method)
        return DecimalField(
            label=label, required=False, max_digits=12, decimal_places=6, help_text=" · ".join(p for p in parts if p),
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        )  # fmt: skip
    choices = [("", _("Not examined")), ("yes", _("Passed")), ("no", pgettext("examined", "Failed"))]
    hint = criterion.method or _("Whether it passed in this round.")
    return forms.ChoiceField(label=label, required=False, choices=choices, help_text=hint)


def findings_of(data: dict[str, Any]) -> list[Found]:
    """What the fields of a round say."""
    found = []
    for name, value in data.items():
        if not name.startswith("criterion_") or value in (None, ""):
            continue
        pk = int(name.removeprefix("criterion_"))
        found.append(Found(pk, value=value) if isinstance(value, Decimal) else Found(pk, passed=value == "yes"))
    return found
