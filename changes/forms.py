"""What people type about change requests."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from changes.models import (
    ApprovalRule,
    ApprovalRuleStep,
    Assessment,
    ChangeReason,
    ChangeRequest,
    Delegation,
    Operation,
    PurchaseDecision,
)
from changes.models.approval import APPROVERS
from changes.services import plain, spare
from fulfilment.models import Risk
from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import LABELS
from ordermgmt.accounts.services import users_with_role
from ordermgmt.lib.fields import DecimalField, IntegerField
from ordermgmt.lib.money import ZERO
from orders.models import Order

_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ChangeForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """The head of a request and what changes beside the lines. `order` decides which risks are offered."""

    promised_date = forms.DateField(
        label=gettext_lazy("Promised date"), required=False, widget=_DATE,
        help_text=gettext_lazy("The new date for the whole order; leave it as it is if the date stays."),
    )  # fmt: skip
    lines_follow = forms.BooleanField(
        label=gettext_lazy("Lines promised for the old date move along"), required=False, initial=True,
        help_text=gettext_lazy("Lines with another date, or one typed above, keep theirs."),
    )  # fmt: skip
    delivery_address = forms.CharField(
        label=gettext_lazy("Delivery address"), required=False, max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}), help_text=gettext_lazy("Where what is still open goes."),
    )  # fmt: skip
    billing_address = forms.CharField(
        label=gettext_lazy("Billing address"), required=False, max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}), help_text=gettext_lazy("Printed on invoices that are still to come."),
    )  # fmt: skip
    plan_parts = IntegerField(
        label=gettext_lazy("New instalments"), required=False, min_value=1, max_value=60,
        help_text=gettext_lazy("So many equal monthly instalments over what is not invoiced; empty keeps the plan."),
    )  # fmt: skip
    plan_first = forms.DateField(
        label=gettext_lazy("First instalment"), required=False, widget=_DATE,
        help_text=gettext_lazy("The day the first of them is due."),
    )  # fmt: skip
    terminate = forms.BooleanField(
        label=gettext_lazy("End the order"),
        required=False,
        help_text=gettext_lazy("What is shipped or invoiced stays, the rest is given up; nothing else changes then."),
    )
    fee = DecimalField(
        label=gettext_lazy("Fee for ending it"), required=False, min_value=ZERO, max_digits=15, decimal_places=4,
        help_text=gettext_lazy("Net, in the order's currency; finance invoices it. Empty for none."),
    )  # fmt: skip

    class Meta:
        model = ChangeRequest
        fields = ["reason", "source", "contact", "wished_date", "risk", "text"]
        widgets = {"wished_date": _DATE, "text": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, data: Any = None, *, order: Order, instance: ChangeRequest | None = None) -> None:
        super().__init__(data, instance=instance or ChangeRequest(order=order))
        text = self.fields["text"]
        later = _("A draft may do without it; to submit it, it is needed.")
        text.help_text = f"{text.help_text} {later}"
        kept = instance.reason_id if instance else 0
        self.fields["reason"].queryset = (  # type: ignore[attr-defined]
            ChangeReason.objects.filter(is_active=True) | ChangeReason.objects.filter(pk=kept)
        )
        self.fields["risk"].queryset = Risk.objects.filter(order=order)  # type: ignore[attr-defined]
        self.fields["source"].choices = ChangeRequest.Source.choices[:2]  # type: ignore[attr-defined]
        self.fields["source"].initial = ChangeRequest.Source.STAFF

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        parts, first = cleaned.get("plan_parts"), cleaned.get("plan_first")
        if bool(parts) != bool(first):
            self.add_error("plan_first" if parts else "plan_parts", gettext_lazy("Give both, or neither."))
        return cleaned

    def head(self) -> dict[str, Any]:
        """The request's own fields."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields if name in self.cleaned_data}

    def beside_lines(self) -> dict[str, Any]:
        """What changes beside the lines, as `operations_from` takes it."""
        data = self.cleaned_data
        found: dict[str, Any] = {
            name: data[name] for name in ("promised_date", "delivery_address", "billing_address") if name in data
        }
        found["lines_follow"] = bool(data.get("lines_follow"))
        if data.get("plan_parts") and data.get("plan_first"):
            found["payment_plan"] = {"parts": str(data["plan_parts"]), "first": data["plan_first"]}
        if data.get("terminate"):
            found["terminate"] = {"fee": data.get("fee") or ZERO}
        return found


class RiskChangeForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A request that a risk makes necessary: why, and in which words; what changes is written on its own page."""

    takes = ("instance", "user")

    class Meta:
        model = ChangeRequest
        fields = ["reason", "text"]
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, data: Any = None, files: Any = None, *, instance: Risk, user: User) -> None:
        super().__init__(data, files, instance=ChangeRequest(order=instance.order))
        self.fields["reason"].queryset = ChangeReason.objects.filter(is_active=True)  # type: ignore[attr-defined]  # a choice field
        told = [instance.title, instance.outcome, instance.contingency]
        if instance.state == Risk.State.HAPPENED:
            self.initial["reason"] = self.fields["reason"].queryset.filter(code="RISK").first()  # type: ignore[attr-defined]  # a choice field
            told += self._toll(instance, sees_cost=user.has_perm("orders.view_cost"))
        self.initial["text"] = ". ".join(part.strip(" .") for part in told if part.strip())

    def _toll(self, risk: Risk, *, sees_cost: bool) -> list[str]:
        """What it took, in words; the cost only for who sees costs."""
        days = ngettext("%(n)s day lost", "%(n)s days lost", risk.days) % {"n": risk.days} if risk.days else ""
        cost = f"{plain(risk.cost)} {risk.order.currency}" if risk.cost and sees_cost else ""
        return [days, _("Cost: %(cost)s") % {"cost": cost} if cost else ""]


class ReasonForm(forms.Form):
    """A verb that must say why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Everybody concerned reads it."),
    )  # fmt: skip


class ChangeReasonForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A reason of the company's list."""

    takes = ("instance",)

    class Meta:
        model = ChangeReason
        fields = ["code", "name", "name_zh", "is_active"]

    def __init__(self, data: Any = None, files: Any = None, *, instance: ChangeReason | None = None) -> None:
        super().__init__(data, files, instance=instance)


class NoteForm(forms.Form):
    """A decision, with a remark if it needs one."""

    note = forms.CharField(
        label=gettext_lazy("Remark"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept with the approval."),
    )  # fmt: skip


class AssessForm(forms.Form):
    """One judgement: none, or how strong, with figures and a note."""

    level = forms.ChoiceField(
        label=gettext_lazy("Effect"), choices=Assessment.Level.choices, initial=Assessment.Level.NONE,
        help_text=gettext_lazy("None, or how strong it is; rules ask by it."),
    )  # fmt: skip
    cost = DecimalField(
        label=gettext_lazy("Extra cost"), min_value=ZERO, max_digits=15, decimal_places=2, initial=0, required=False,
        help_text=gettext_lazy("On top of the cost of the lines, in the order's currency: work done twice, fees."),
    )  # fmt: skip
    days = IntegerField(
        label=gettext_lazy("Days"), min_value=0, max_value=3650, initial=0, required=False,
        help_text=gettext_lazy("By how many days it delays the order, as you see it."),
    )  # fmt: skip
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What the people who decide should know; needed where there is an effect."),
    )  # fmt: skip

    def clean_cost(self) -> Any:
        return self.cleaned_data["cost"] or ZERO

    def clean_days(self) -> int:
        return self.cleaned_data["days"] or 0


class ConsentForm(forms.Form):
    """The customer's yes with its evidence."""

    given_by = forms.CharField(
        label=pgettext_lazy("consent", "Given by"),
        max_length=150,
        help_text=gettext_lazy("The person at the customer who agreed."),
    )
    given_on = forms.DateField(label=gettext_lazy("Given on"), widget=_DATE, help_text=gettext_lazy("When they did."))
    evidence = forms.CharField(
        label=gettext_lazy("Evidence"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Letter, mail or signed paper; put the file itself on this page."),
    )  # fmt: skip


class DecisionForm(forms.Form):
    """What was decided on a purchase."""

    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=200, help_text=gettext_lazy("Why, or what was agreed with the supplier.")
    )


class TakeOffForm(DecisionForm):
    """So much less of it."""

    takes = ("instance",)
    quantity = DecimalField(
        label=gettext_lazy("Take off"), max_digits=15, decimal_places=6,
        help_text=gettext_lazy("In the unit of the purchase; at most what no order counts on."),
    )  # fmt: skip
    field_order = ["quantity", "note"]

    def __init__(self, data: Any = None, files: Any = None, *, instance: PurchaseDecision | None = None) -> None:
        super().__init__(data, files)
        if instance is not None:
            self.fields["quantity"].initial = plain(min(instance.less, spare(instance.line)))


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A rule with up to three steps."""

    takes = ("instance",)
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Kinds of operation"), choices=Operation.Kind.choices, required=False,
        widget=forms.SelectMultiple(attrs={"size": 5}),
        help_text=gettext_lazy("Counts whenever a request does one of these, whatever it comes to."),
    )  # fmt: skip

    class Meta:
        model = ApprovalRule
        fields = [
            "name", "is_active", "amount_over", "share_over", "days_over", "margin_under", "quality_from",
            "kinds", "needs_consent",
        ]  # fmt: skip

    def __init__(self, data: Any = None, files: Any = None, *, instance: ApprovalRule | None = None) -> None:
        super().__init__(data, files, instance=instance)
        known = list(instance.steps.all()) if instance and instance.pk else []
        roles = [("", "–"), *((role.value, LABELS[role]) for role in APPROVERS)]
        for place in (1, 2, 3):
            step = known[place - 1] if len(known) >= place else None
            self.fields[f"role_{place}"] = forms.ChoiceField(
                label=_("Step %(n)s: who") % {"n": place}, choices=roles, required=place == 1,
                initial=step.role if step else "", help_text=gettext_lazy("Asked after the step before."),
            )  # fmt: skip
            self.fields[f"mode_{place}"] = forms.ChoiceField(
                label=_("Step %(n)s: how many") % {"n": place}, choices=ApprovalRuleStep.Mode.choices, required=False,
                initial=step.mode if step else "any",
                help_text=gettext_lazy("One of them is enough, or all who see the order."),
            )  # fmt: skip
            self.fields[f"days_{place}"] = IntegerField(
                label=_("Step %(n)s: days") % {"n": place}, min_value=0, max_value=365, required=False,
                initial=step.due_days if step else 3, help_text=gettext_lazy("Within which it should be decided."),
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        steps = [
            {
                "role": role,
                "mode": cleaned.pop(f"mode_{n}", "") or "any",
                "due_days": cleaned.pop(f"days_{n}", None) or 0,
            }
            for n in (1, 2, 3)
            if (role := cleaned.pop(f"role_{n}", ""))
        ]
        cleaned = {name: value for name, value in cleaned.items() if name in self.Meta.fields}
        self.cleaned_data = cleaned | {"steps": steps}
        return self.cleaned_data


class DelegationForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Who decides in one's place, and for how long."""

    class Meta:
        model = Delegation
        fields = ["deputy", "since", "until", "reason"]
        widgets = {"since": _DATE, "until": _DATE}

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data, instance=Delegation(owner=user))
        self.fields["deputy"].queryset = users_with_role(*APPROVERS).exclude(pk=user.pk)  # type: ignore[attr-defined]
