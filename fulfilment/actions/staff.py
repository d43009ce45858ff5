"""What can be done to staff, their assignments and their absences."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from fulfilment import services
from fulfilment.forms.staff import AbsenceForm, RateForm, ReplaceForForm, ReplaceStaffForm
from fulfilment.models import Assignment, CorrectiveAction
from fulfilment.services.assigned import coming, remaining
from ordermgmt.company.services import business_today
from ordermgmt.lib.actions import Action, ActionSet
from ordermgmt.lib.fsm import Blocker

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def _to_come(one: Assignment) -> list[Blocker]:
    if remaining([one], business_today())[one.pk]:
        return services.booking_blocked(one.order)
    return [Blocker(_("Nothing of it is to come any more."))]


def _replace(one: Assignment, *, actor: "User", **data: Any) -> list[Assignment]:
    return services.replace_staff(one.order, old=one.staff, actor=actor, **data)


def _replacing(_one: Any) -> list[str]:
    return [
        _("all work of this person on the order from that day on moves to the other one"),
        _("both people, the salesperson and the project manager are told"),
    ]


def _somebody_works(action: CorrectiveAction) -> list[Blocker]:
    if coming(action.order, business_today()):
        return []
    return [Blocker(_("Nobody is assigned to what is to come of this order."), action.order.get_absolute_url())]


STAFF_ACTIONS = ActionSet(
    Action(
        "absence", gettext_lazy("Enter an absence"), services.add_absence, permission="fulfilment.set_staff",
        form=AbsenceForm, icon="calendar-off", done=gettext_lazy("The absence is entered."),
    ),
    Action(
        "rate", gettext_lazy("Set a cost rate"), services.set_cost_rate, permission="fulfilment.set_cost_rate",
        form=RateForm, icon="calculator", done=gettext_lazy("The rate is set."),
    ),
)  # fmt: skip

ABSENCE_ACTIONS = ActionSet(
    Action(
        "remove", gettext_lazy("Remove"), services.remove_absence, permission="fulfilment.set_staff", danger=True,
        done=gettext_lazy("The absence is taken back."),
        icon="trash", consequences=lambda one: [_("The day follows the weekly shifts again.")],
    )
)  # fmt: skip

ASSIGNMENT_ACTIONS = ActionSet(
    Action(
        "replace", pgettext_lazy("person", "Replace"), _replace, permission="fulfilment.assign_staff", form=ReplaceStaffForm,
        allowed=_to_come, consequences=_replacing, icon="replace", primary=True,
        done=gettext_lazy("The work has moved; everybody concerned is told."),
    ),
    Action(
        "release", gettext_lazy("Release"), services.release_assignment, permission="fulfilment.assign_staff",
        allowed=_to_come, danger=True, icon="user-off", done=gettext_lazy("The time is free again."),
        consequences=lambda one: [_("what is to come is free again; what was worked stays"), _("the person is told")],
    ),
)  # fmt: skip

REPLACE_FOR = Action(
    "replace", gettext_lazy("Replace the person"), services.replace_for, transition="complete",
    permission="fulfilment.assign_staff", form=ReplaceForForm, allowed=_somebody_works, consequences=_replacing,
    icon="replace", done=gettext_lazy("The work has moved; everybody concerned is told."),
)  # fmt: skip

__all__ = ["ABSENCE_ACTIONS", "ASSIGNMENT_ACTIONS", "REPLACE_FOR", "STAFF_ACTIONS"]
