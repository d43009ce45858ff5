"""What people type about an object: comments and follow-up tasks."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.models import FollowUp

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

    _FollowUpModelForm = forms.ModelForm[FollowUp]
else:
    _FollowUpModelForm = forms.ModelForm


class CommentForm(forms.Form):
    """A remark."""

    text = forms.CharField(
        label=_("Comment"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Write @ and a colleague's full name to tell them. Everybody who may see this page reads it."),
    )


class FollowUpForm(_FollowUpModelForm):
    """Who does what by when."""

    class Meta:
        model = FollowUp
        fields = ["title", "due", "assignee"]
        widgets = {"due": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
        help_texts = {
            "title": _("In a few words, as it will stand in the list of tasks."),
            "due": _("On this day the person is reminded."),
            "assignee": _("Must be allowed to see what the task is about."),
        }

    def __init__(self, *args: Any, user: "User", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people: Any = get_user_model().objects
        self.fields["assignee"].queryset = people.visible_to(user).filter(is_active=True)  # type: ignore[attr-defined]
        self.fields["assignee"].initial = user.pk
        self.fields["due"].initial = timezone.localdate()
