"""Forms of saved reports."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

from reports.models import SavedReport, Subscription

if TYPE_CHECKING:
    _SavedForm = forms.ModelForm[SavedReport]
    _SubscriptionForm = forms.ModelForm[Subscription]
else:
    _SavedForm = _SubscriptionForm = forms.ModelForm


class SaveForm(_SavedForm):
    """Under which name, and whether colleagues find it."""

    class Meta:
        model = SavedReport
        fields: ClassVar[list[str]] = ["name", "is_shared"]


class SubscribeForm(_SubscriptionForm):
    """How often and as what."""

    class Meta:
        model = Subscription
        fields: ClassVar[list[str]] = ["every", "file_format"]
        widgets: ClassVar[dict[str, Any]] = {
            name: forms.Select(attrs={"class": "form-select"}) for name in ("every", "file_format")
        }
