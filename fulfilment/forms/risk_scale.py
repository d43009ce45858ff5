"""The words and bounds of the company's two scales of risk."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from fulfilment.models import RiskLevel, RiskScale

_AXES = RiskLevel.Axis


class RiskScaleForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """From which scores on a risk weighs, and what each step means: fields "probability_1", "probability_1_zh", …"""

    class Meta:
        model = RiskScale
        fields = ["middle_from", "high_from"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.levels = list(RiskLevel.objects.order_by("axis", "-value"))
        for one in self.levels:
            for name, language in (("name", ""), ("name_zh", "_zh")):
                asked = RiskLevel._meta.get_field(name)
                label = _("%(scale)s %(step)s, in Chinese") if language else _("%(scale)s %(step)s")
                self.fields[f"{one.axis}_{one.value}{language}"] = forms.CharField(
                    label=label % {"scale": _AXES(one.axis).label, "step": one.value}, max_length=120,
                    required=not language, initial=getattr(one, name), help_text=str(getattr(asked, "help_text", "")),
                )  # fmt: skip

    def scales(self) -> list[tuple[str, list[tuple[int, Any, Any]]]]:
        """Each scale with its steps from the highest down: the number and the two fields."""
        return [
            (
                str(axis.label),
                [(one.value, self[f"{axis}_{one.value}"], self[f"{axis}_{one.value}_zh"]) for one in self.levels if one.axis == axis],
            )
            for axis in _AXES
        ]  # fmt: skip

    def values(self) -> dict[str, Any]:
        """What was typed, as `save_risk_scale` takes it."""
        data = self.cleaned_data
        levels = {
            (one.axis, one.value): (data[f"{one.axis}_{one.value}"], data[f"{one.axis}_{one.value}_zh"])
            for one in self.levels
        }
        return {"middle_from": data["middle_from"], "high_from": data["high_from"], "levels": levels}
