"""What is examined in the demo company: before goods leave, at acceptance, and what was wrong."""

from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile

from fulfilment.models import AgreedCriterion, Defect, Rectification
from fulfilment.services import (
    Found,
    LineResult,
    add_criterion,
    correct_defect,
    guarded_lines,
    inspect_order,
    note_defect,
)
from ordermgmt.accounts.models import User
from orders.models import Order

#: Every so many-th order has its criteria agreed.
_EVERY = 3


def agree(order: Order, *, chinese: bool, actor: User) -> None:
    """A width that is measured before the first made line leaves, or a target of the first service."""
    if order.pk % _EVERY:
        return
    for line in order.order_lines:
        if line.supply == "make":
            add_criterion(
                order, order_line=line, stage="dispatch", title="宽度" if chinese else "Width", unit="mm",
                method="卡尺，抽检三件" if chinese else "Caliper, three pieces", minimum=Decimal("99.5"),
                maximum=Decimal("100.5"), actor=actor,
            )  # fmt: skip
            return
        if line.supply == "service":
            add_criterion(
                order, order_line=line, title="停机时间" if chinese else "Downtime", unit="h", maximum=Decimal(4),
                method="现场记录" if chinese else "Site log", actor=actor,
            )  # fmt: skip
            return


def inspect(order: Order, goods: dict[int, Decimal], *, key: str, chinese: bool, actor: User) -> None:
    """Inspects what is about to leave, where a criterion asks for it."""
    asked = {pk: quantity for pk, quantity in goods.items() if pk in guarded_lines(order)}
    if not asked:
        return
    criteria = AgreedCriterion.objects.filter(order=order, stage="dispatch")
    inspect_order(
        order, results=[LineResult(pk, quantity) for pk, quantity in asked.items()],
        findings=[Found(one.pk, Decimal("100.1")) for one in criteria], note="批次合格" if chinese else "Batch in order",
        key=f"{key}-inspection", actor=actor,
    )  # fmt: skip


def findings(order: Order, *, good: bool) -> list[Found]:
    """What a round of acceptance measures."""
    criteria = AgreedCriterion.objects.filter(order=order, stage="acceptance")
    return [Found(one.pk, Decimal("3.5" if good else "6")) for one in criteria]


def report(order: Order, *, chinese: bool) -> SimpleUploadedFile:
    """The file that is handed over with a service."""
    text = f"{order.number}\n" + ("安装与调试报告\n" if chinese else "Report on installation and start-up\n")
    return SimpleUploadedFile(f"{order.number}-report.txt", text.encode(), content_type="text/plain")


def note(task: Rectification, *, chinese: bool, actor: User) -> None:
    """Two things that are wrong."""
    for text in ("表面划伤", "螺栓松动") if chinese else ("Scratch on the surface", "Loose bolt"):
        note_defect(task, text=text, actor=actor)


def correct(task: Rectification, *, actor: User) -> None:
    """Whatever was wrong is corrected."""
    for one in Defect.objects.filter(found_in=task.found_in_id, corrected=False):
        correct_defect(one, actor=actor)
