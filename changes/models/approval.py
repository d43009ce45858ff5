"""Who must agree to what: rules as data, the steps they lead to, grants by stored people, delegations with dates."""

from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from ordermgmt.accounts.roles import LABELS, Role
from ordermgmt.lib.money import AmountField, RateField

from .change import ChangeRequest
from .judging import Assessment
from .operation import Operation

if TYPE_CHECKING:
    import datetime as dt

    from ordermgmt.accounts.models import User

#: Roles that a rule may name: those that hold the right to approve.
APPROVERS = (Role.SALES_MANAGER, Role.MANAGER, Role.FINANCE, Role.FINANCE_MANAGER)


def _figure(value: Decimal) -> str:
    return f"{value.normalize():,f}"


class ApprovalRule(models.Model):
    """When an approval is needed: any one of the conditions given is enough; a rule without one always counts.

    Amounts, shares and days are summed over all open and applied changes of the order, so that many small changes do not
    pass below a limit that one big one would meet.
    """

    name = models.CharField(_("name"), max_length=80, unique=True, help_text=_("How people call this rule."))
    is_active = models.BooleanField(_("in force"), default=True, help_text=_("A rule that is off asks for nothing."))
    amount_over = AmountField(
        _("net change over"), null=True, blank=True,
        help_text=_(
            "What the order's changes move, up and down alike, in the company's currency; an order in another is converted at the rate of the day."
        ),
    )  # fmt: skip
    share_over = RateField(
        _("percent of the order over"),
        null=True,
        blank=True,
        help_text=_("The same sum as a share of the first version."),
    )
    days_over = models.PositiveIntegerField(
        _("days over"),
        null=True,
        blank=True,
        help_text=_("Delay of the promised date by all changes of the order together, computed or judged."),
    )
    margin_under = RateField(
        _("margin under"), null=True, blank=True, help_text=_("Percent of the net that is left after the change.")
    )
    quality_from = models.CharField(
        _("effect on quality from"), max_length=8, choices=Assessment.Level, blank=True,
        help_text=_("As judged by the assessor; empty: quality does not count."),
    )  # fmt: skip
    kinds = models.JSONField(
        _("kinds of operation"), default=list, blank=True,
        help_text=_("Counts whenever a request does one of these, whatever it comes to."),
    )  # fmt: skip
    needs_consent = models.BooleanField(
        _("the customer must agree"), default=False, help_text=_("It is applied only with the customer's recorded yes.")
    )

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    def conditions(self, currency: str) -> list[str]:
        """The conditions in words; `currency` is the company's own."""
        found = []
        if self.amount_over is not None:
            text = _t(
                "the changes of an order come to over %(n)s %(currency)s (at the day's rate; also where none is known)"
            )
            found.append(text % {"n": _figure(self.amount_over), "currency": currency})
        if self.share_over is not None:
            found.append(_t("they come to over %(n)s %% of the order") % {"n": _figure(self.share_over)})
        if self.days_over is not None:
            found.append(_t("the delay is over %(n)s days") % {"n": self.days_over})
        if self.margin_under is not None:
            found.append(_t("the margin falls under %(n)s %%") % {"n": _figure(self.margin_under)})
        if self.quality_from:
            level = self.get_quality_from_display()
            found.append(_t("the effect on quality is judged “%(level)s” or stronger") % {"level": level})
        if self.kinds:
            names = _t(", ").join(str(Operation.Kind(kind).label) for kind in self.kinds)
            found.append(_t("it is about: %(kinds)s") % {"kinds": names})
        return found

    def sentence(self, currency: str) -> str:
        """The whole rule in one sentence; `currency` is the company's own."""
        conditions = self.conditions(currency)
        when = _t(" or ").join(conditions) if conditions else _t("always")
        who = _t(", then ").join(str(step) for step in self.steps.all()) or _t("nobody")
        text = _t("%(when)s: %(who)s") % {"when": when, "who": who}
        if self.needs_consent:
            text += _t("; the customer must agree")
        return text[:1].upper() + text[1:] + _t(".")


class ApprovalRuleStep(models.Model):
    """Whose agreement a rule asks for, in which order, and within how many days."""

    class Mode(models.TextChoices):
        ANY = "any", _("one of them")
        ALL = "all", _("all of them")

    rule = models.ForeignKey(ApprovalRule, models.CASCADE, related_name="steps")
    seq = models.PositiveSmallIntegerField(_("step"))
    role = models.CharField(_("role"), max_length=20, choices=[(role.value, LABELS[role]) for role in APPROVERS])
    mode = models.CharField(_("how many"), max_length=4, choices=Mode, default=Mode.ANY)
    due_days = models.PositiveSmallIntegerField(_("days to decide"), default=3)

    class Meta:
        ordering = ["seq", "pk"]
        constraints = [models.UniqueConstraint(fields=["rule", "seq"], name="approval_rule_step_once")]

    def __str__(self) -> str:
        name = str(LABELS[Role(self.role)])
        return _t("all of %(role)s") % {"role": name} if self.mode == self.Mode.ALL else name


class ApprovalStepQuerySet(models.QuerySet["ApprovalStep"]):
    """Reads over the steps of requests."""

    def waiting(self) -> Self:
        """Of the present content, not decided."""
        return self.filter(state=ApprovalStep.State.WAITING, content_hash=F("change__content_hash"))


class ApprovalStep(models.Model):
    """One agreement that a request needs for exactly one content (`content_hash`)."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        GRANTED = "granted", _("Granted")
        VOID = "void", _("Void")

    change = models.ForeignKey(ChangeRequest, models.PROTECT, related_name="steps")
    content_hash = models.CharField(max_length=64)
    seq = models.PositiveSmallIntegerField()
    role = models.CharField(_("role"), max_length=20)
    mode = models.CharField(max_length=4, choices=ApprovalRuleStep.Mode, default=ApprovalRuleStep.Mode.ANY)
    rules = models.CharField(_("because of"), max_length=500, blank=True)
    due_on = models.DateField(_("due"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    reminded_on = models.DateField(null=True, blank=True)

    objects = ApprovalStepQuerySet.as_manager()

    class Meta:
        ordering = ["change", "seq", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["change", "content_hash", "seq"], name="approval_step_place_once"),
            models.UniqueConstraint(fields=["change", "content_hash", "role"], name="approval_step_role_once"),
        ]
        indexes = [models.Index(fields=["state", "role"], name="approval_step_by_role")]

    def __str__(self) -> str:
        return f"{self.change_id} {self.seq} {self.role}"

    @property
    def role_label(self) -> str:
        """Who is asked, in words."""
        return str(LABELS[Role(self.role)])

    def is_late(self, today: "dt.date") -> bool:
        """Whether the days to decide are over."""
        return self.state == self.State.WAITING and self.due_on < today


class ApprovalGrant(models.Model):
    """One person's yes to one step, by the stored id; append-only. `behalf` is who delegated it."""

    step = models.ForeignKey(ApprovalStep, models.PROTECT, related_name="grants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="change_grants")
    behalf = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="change_grants_by_others"
    )
    note = models.CharField(_("remark"), max_length=500, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["step", "user"], name="approval_grant_once")]

    def __str__(self) -> str:
        return f"{self.step_id} {self.user_id}"


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """Reads over delegations."""

    def visible_to(self, user: "User") -> Self:
        """One's own and those to oneself; whoever reads the audit sees all."""
        if user.has_perm("activity.view_audit"):
            return self
        return self.filter(Q(owner=user) | Q(deputy=user))

    def active(self, on: "dt.date") -> Self:
        """In force on a day."""
        return self.filter(since__lte=on, until__gte=on, ended=False)


class Delegation(models.Model):
    """For some days somebody decides in another's place; never about what the other one asked for."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="delegations", verbose_name=_("for")
    )
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="deputyships", verbose_name=_("deputy"),
        help_text=_("Somebody with the right to approve changes."),
    )  # fmt: skip
    since = models.DateField(_("from"), help_text=_("The first day."))
    until = models.DateField(_("until"), help_text=_("The last day."))
    reason = models.CharField(_("reason"), max_length=200, help_text=_("For example leave; kept in the audit."))
    ended = models.BooleanField(_("ended early"), default=False)
    made_at = models.DateTimeField(auto_now_add=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(owner=F("deputy")), name="delegation_to_somebody_else"),
            models.CheckConstraint(
                condition=Q(since__lte=F("until")), name="delegation_days_in_order",
                violation_error_message=_("The last day lies before the first."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.owner} → {self.deputy}"
