"""What people type about plan templates: their steps are lines of text, one a step."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fulfilment.models import Milestone, PlanTemplate
from fulfilment.services import TemplateStep
from inventory.models import Product
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import users_with_role
from ordermgmt.company.services import business_today
from ordermgmt.lib.typed import whole
from orders.models import Order

from .plan import DATE

_PARTS = 6


def read_steps(text: str) -> list[TemplateStep]:
    """ "M2; Steel is there; material; 12; 1; M1" as a step. Raises ValidationError that names the line."""
    kinds = {str(value): value for value in Milestone.Kind.values}
    kinds |= {str(label).lower(): value for value, label in Milestone.Kind.choices}
    found = []
    for place, row in enumerate(text.replace("；", ";").splitlines(), start=1):
        if not row.strip():
            continue
        parts = [part.strip() for part in row.split(";")]
        parts += [""] * (_PARTS - len(parts))
        code, name, kind, days, weight, after = parts[:_PARTS]
        if len(parts) > _PARTS or not code or not name or len(code) > 30 or len(name) > 300:
            raise forms.ValidationError(
                _("Line %(place)s: write code; name; kind; days; weight; after.") % {"place": place}
            )
        if kind and kind.lower() not in kinds:
            text = _("Line %(place)s: “%(kind)s” is no kind: %(kinds)s.")
            known = ", ".join(str(label) for label in Milestone.Kind.labels)
            raise forms.ValidationError(text % {"place": place, "kind": kind[:30], "kinds": known})
        if not all(not one or whole(one, digits=4) is not None for one in (days, weight)):
            raise forms.ValidationError(
                _("Line %(place)s: days and weight are whole numbers from 0.") % {"place": place}
            )
        firsts = tuple(one.strip() for one in after.replace("，", ",").split(",") if one.strip())
        found.append(
            TemplateStep(
                code, name, kinds.get(kind.lower(), Milestone.Kind.WORK), int(days or 0), int(weight or 1), firsts
            )
        )
    return found


def steps_text(template: PlanTemplate) -> str:
    """The steps as they are typed."""
    rows = []
    for one in template.steps.prefetch_related("before"):
        after = ", ".join(first.code for first in one.before.all())
        rows.append(f"{one.code}; {one.name}; {one.get_kind_display()}; {one.days}; {one.weight}; {after}".rstrip("; "))
    return "\n".join(rows)


class PlanTemplateForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A plan that orders begin with."""

    steps = forms.CharField(
        label=gettext_lazy("Steps"), max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "font-monospace"}),
        help_text=gettext_lazy(
            "One a line: code; name; kind; days; weight; after. E.g. M2; Steel is there; material; 12; 1; M1. The days "
            "count from when what comes before is reached."
        ),
    )  # fmt: skip

    class Meta:
        model = PlanTemplate
        fields = ["name", "product", "kind", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["product"] = forms.CharField(
            label=gettext_lazy("SKU"), max_length=40, required=False,
            help_text=gettext_lazy("For orders of this product; empty for every order of the kind."),
        )  # fmt: skip
        self.order_fields(["name", "product", "kind", "is_active", "steps"])
        if self.instance.pk:
            self.initial["product"] = self.instance.product.sku if self.instance.product else ""
            self.initial["steps"] = steps_text(self.instance)

    def clean_product(self) -> Product | None:
        sku = self.cleaned_data["product"].strip()
        found = Product.objects.filter(sku=sku).first() if sku else None
        if sku and found is None:
            raise forms.ValidationError(_("There is no product with this SKU."))
        return found

    def clean_steps(self) -> list[TemplateStep]:
        return read_steps(self.cleaned_data["steps"])

    def _post_clean(self) -> None:
        """The verb checks the row: here it would be changed before it is locked."""


class ApplyPlanForm(forms.Form):
    """Which template, from when on."""

    takes = ("instance",)
    template = forms.ModelChoiceField(
        PlanTemplate.objects.none(), label=gettext_lazy("Template"), empty_label=None,
        help_text=gettext_lazy("Those for its products stand first."),
    )  # fmt: skip
    first = forms.DateField(
        label=gettext_lazy("First day"), widget=DATE, help_text=gettext_lazy("The dates of all steps count from it.")
    )
    owner = forms.ModelChoiceField(
        users_with_role(Role.PM), label=gettext_lazy("Owner"), required=False,
        help_text=gettext_lazy("Who sees to all of them; change single ones afterwards."),
    )  # fmt: skip
    code_prefix = forms.CharField(
        label=gettext_lazy("Prefix"), max_length=10, required=False,
        help_text=gettext_lazy("Put before the codes, where a template stands twice: A-"),
    )  # fmt: skip
    anyway = forms.BooleanField(
        label=gettext_lazy("Also if it ends after the promised date"), required=False,
        help_text=gettext_lazy("Only after you read by how many days."),
    )  # fmt: skip

    def __init__(self, *args: Any, instance: Order, **kwargs: Any) -> None:
        begin: dt.date = max(business_today(), instance.order_date)
        kwargs.setdefault("initial", {"first": begin, "owner": instance.project_manager_id})
        super().__init__(*args, **kwargs)
        self.fields["template"].queryset = PlanTemplate.objects.fitting(instance)  # type: ignore[attr-defined]  # a choice field
        self.fields["owner"].queryset = users_with_role(Role.PM)  # type: ignore[attr-defined]  # a choice field
