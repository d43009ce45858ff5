"""Where a request stands, in one sentence: whom or what it waits for."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from changes.models import Assessment, ChangeRequest
from ordermgmt.lib.templatetags.ui import day

State = ChangeRequest.State
#: So many people who can approve are named.
_NAMED = 5


def waits_for(context: Mapping[str, Any]) -> str:
    """What a request waits for, from what its page holds already; nothing where nobody has to do anything."""
    change = context["change"]
    answer = {
        State.DRAFT: _draft, State.SUBMITTED: _submitted, State.ASSESSED: _assessed, State.APPROVED: _approved,
        State.APPLIED: _applied,
    }.get(change.state)  # fmt: skip
    return answer(context) if answer else ""


def _draft(context: Mapping[str, Any]) -> str:
    return _("%(name)s writes on it; nobody else sees it.") % {"name": context["change"].requested_by.name}


def _submitted(context: Mapping[str, Any]) -> str:
    done = {one.aspect for one in context["judged"]}
    left = [str(label) for aspect, label in Assessment.Aspect.choices if aspect not in done]
    return _("Waits to be judged: %(aspects)s.") % {"aspects": _(", ").join(left)}


def _assessed(context: Mapping[str, Any]) -> str:
    if context["stale"]:
        return _("Waits to be judged again: the order moved.")
    asked = next((one for one in context["steps"] if one.state == "waiting"), None)
    if asked is None:
        return ""
    values = {"role": asked.role_label, "day": day(asked.due_on)}
    found = [_("Waits for the approval of: %(role)s, by %(day)s.") % values]
    if context["able"]:
        names = [one.name for one in context["able"][:_NAMED]] + ["…"] * (len(context["able"]) > _NAMED)
        found.append(_("Who can approve: %(names)s.") % {"names": _(", ").join(names)})
    else:
        text = _(
            "Nobody is left who could: whoever asks for or judges a change can't approve it. An administrator can give "
            "the role %(role)s to somebody else, or the request is taken back and judged by others."
        )
        found.append(text % values)
    return " ".join(found + _apart(context))


def _apart(context: Mapping[str, Any]) -> list[str]:
    """Why the reader, who else could decide, can't."""
    if context["apart"] == "asked":
        return [_("You asked for it, so you can't approve it.")]
    return [_("You judged it, so you can't approve it.")] if context["apart"] == "judged" else []


def _approved(context: Mapping[str, Any]) -> str:
    if context["stale"]:
        return _("Waits to be judged again: the order moved.")
    if context["change"].needs_consent and not context["consent"]:
        return _("Waits for the customer's consent.")
    return _("Waits to be applied by the project manager.")


def _applied(context: Mapping[str, Any]) -> str:
    found = []
    if unread := [one.asked for one in context["told"] if not one.acknowledged_at]:
        found.append(_("Not acknowledged yet: %(people)s.") % {"people": _(", ").join(unread)})
    if left := sum(1 for one in context["purchases"]["decisions"] if one.is_open):
        found.append(
            ngettext("%(n)s purchase waits for a decision.", "%(n)s purchases wait for a decision.", left) % {"n": left}
        )
    return " ".join(found)
