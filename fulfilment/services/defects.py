"""What exactly is wrong with rejected goods or services, one thing at a time, until each is corrected."""

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import Defect, Rectification
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from orders.services import locked

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: The remedies that really mend something: with the others the customer takes it as it is.
_MENDING = (Rectification.Remedy.REPAIR, Rectification.Remedy.REPLACE, Rectification.Remedy.REDO)


def open_defects(rectification: Rectification) -> list[Blocker]:
    """Why this can't be reported as put right: what is still wrong; empty where nothing is, or it is taken as it is."""
    if rectification.found_in_id is None or rectification.remedy not in _MENDING:
        return []
    left = Defect.objects.filter(found_in=rectification.found_in_id).open()
    return [Blocker(_("Still to be corrected: %(text)s") % {"text": one.text}) for one in left[:20]]


@transaction.atomic
def note_defect(rectification: Rectification, *, text: str, actor: "User") -> Defect:
    """Notes one thing that is wrong with what was rejected; the same again is the one that stands there.

    Raises PermissionDenied, TransitionRefused (it is put right already), ValidationError at "text".
    """
    require(actor, "fulfilment.note_defect")
    order = locked(rectification.order)
    rectification = Rectification.objects.select_related("order_line", "found_in__acceptance").get(pk=rectification.pk)
    if rectification.found_in is None:
        raise TransitionRefused([Blocker(_("It came back: its return says why."))])
    if rectification.state == Rectification.State.DONE:
        raise TransitionRefused([Blocker(_("It is put right already: reject it in the next round."))])
    text = text.strip()
    if known := Defect.objects.filter(found_in=rectification.found_in, text=text, corrected=False).first():
        return known
    defect = Defect(
        order=order, order_line=rectification.order_line, found_in=rectification.found_in, text=text,
        found_on=rectification.found_in.acceptance.on, recorded_by=actor,
    )  # fmt: skip
    defect.full_clean(exclude=["order", "order_line", "found_in", "recorded_by"])
    defect.save()
    record(events.DEFECT_FOUND, defect, root=order, actor=actor, line=rectification.order_line.position, text=text)
    return defect


@transaction.atomic
def correct_defect(defect: Defect, *, actor: "User") -> Defect:
    """Reports a defect as corrected today. Raises PermissionDenied, TransitionRefused (it is)."""
    require(actor, "fulfilment.rectify_order")
    order = locked(defect.order)
    defect = Defect.objects.select_for_update(no_key=True, of=("self",)).select_related("order_line").get(pk=defect.pk)
    if defect.corrected:
        raise TransitionRefused([Blocker(_("This defect is corrected already."))])
    today = business_today()
    if today < defect.found_on:
        raise ValidationError(_("It can't be corrected before it was found."))
    was = snapshot(defect)
    defect.corrected, defect.corrected_on = True, today
    defect.save(update_fields=["corrected", "corrected_on"])
    record(
        events.DEFECT_CORRECTED, defect, root=order, actor=actor, before=was, after=snapshot(defect),
        line=defect.order_line.position, text=defect.text,
    )  # fmt: skip
    return defect
