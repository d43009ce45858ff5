"""Shapes of what people type about themselves and each other."""

from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ordermgmt.accounts.models import Department, Team, User
from ordermgmt.accounts.roles import LABELS, Role


def _rules() -> str:
    return " ".join(password_validators_help_texts())


password_rules = lazy(_rules, str)


def _zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(available_timezones()) if "/" in name or name == "UTC"]


class SignInForm(forms.Form):
    """E-mail address and password."""

    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("The address your invitation was sent to."),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        help_text=_("Nobody of the company ever asks you for it."),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """A code of the second factor."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        help_text=_("The six digits that your telephone shows now."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "inputmode": "text"}),
    )


class ForgotForm(forms.Form):
    """Where to send the link for a new password."""

    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("The address you sign in with; the link goes there."),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class NewPasswordForm(forms.Form):
    """A new password, typed twice."""

    password = forms.CharField(
        label=_("New password"),
        max_length=1000,
        strip=False,
        help_text=password_rules(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("New password, again"),
        max_length=1000,
        strip=False,
        help_text=_("Typed a second time, so that a slip is noticed now and not at the next sign-in."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", gettext("The two passwords differ."))
        return data


class AcceptForm(NewPasswordForm):
    """What an invited person tells about themselves."""

    field_order = ["name", "password", "again"]
    name = forms.CharField(
        label=_("Your name"), max_length=150, help_text=_("As your colleagues see it beside what you do.")
    )


class ChangePasswordForm(NewPasswordForm):
    """One's own new password."""

    field_order = ["old", "password", "again"]
    old = forms.CharField(
        label=_("Present password"),
        max_length=1000,
        strip=False,
        help_text=_("So that nobody changes it at a desk you left for a minute."),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(forms.Form):
    """The present password, asked before something that weakens or renews the protection."""

    password = forms.CharField(
        label=_("Present password"),
        max_length=1000,
        strip=False,
        help_text=_("So that nobody does this at a desk you left for a minute."),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # can't be subscripted at run time
    """How the application looks to one person."""

    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=_zones, help_text=_("Times are shown in it. Business days follow the company's.")
    )

    class Meta:
        model = User
        fields = ("name", "language", "time_zone", "theme", "density")
        help_texts: ClassVar[dict[str, Any]] = {
            "name": _("As your colleagues see it beside what you do."),
            "language": _("Of the pages and of mails to you. A customer's documents are in the customer's language."),
            "theme": _("Light, dark, or whatever your device is set to."),
            "density": _("Compact shows more rows on a screen."),
        }


ROLE_CHOICES = [(role.value, LABELS[role]) for role in Role]


class RolesForm(forms.Form):
    """Which roles a person holds."""

    takes = ("instance",)
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=ROLE_CHOICES,
        required=False,
        help_text=_("What the person may do. The permission table shows what each role holds."),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, instance: User, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"roles": sorted(instance.role_codes)})
        super().__init__(*args, **kwargs)


class TeamChoiceForm(forms.Form):
    """Which team a person belongs to."""

    takes = ("instance",)
    team = forms.ModelChoiceField(
        label=_("Team"),
        queryset=Team.objects.select_related("department"),
        required=False,
        help_text=_("Colleagues of a team see each other's customers and orders; managers see their department's."),
    )

    def __init__(self, *args: Any, instance: User, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"team": instance.team_id})
        super().__init__(*args, **kwargs)


class InviteForm(forms.Form):
    """Whom to invite."""

    email = forms.EmailField(
        label=_("E-mail address"), help_text=_("The invitation goes there, and it is the name to sign in with.")
    )
    name = forms.CharField(
        label=_("Name"), max_length=150, help_text=_("As colleagues see it; the person can correct it.")
    )
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=ROLE_CHOICES,
        help_text=_("What the person may do. The permission table shows what each role holds."),
        widget=forms.CheckboxSelectMultiple,
    )
    team = forms.ModelChoiceField(
        label=_("Team"),
        queryset=Team.objects.select_related("department"),
        required=False,
        help_text=_("Colleagues of a team see each other's customers and orders; managers see their department's."),
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, help_text=_("Of the invitation and of the first pages.")
    )


class DepartmentForm(forms.Form):
    """A department's name."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("Managers see the work of all teams of their department.")
    )


class TeamForm(forms.Form):
    """A team's name and place."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("Colleagues of a team see each other's customers and orders.")
    )
    department = forms.ModelChoiceField(
        label=_("Department"),
        queryset=Department.objects.all(),
        help_text=_("Managers see the work of all teams of their department."),
    )
