"""What must always hold of changes (C1 to C4)."""

from collections.abc import Iterable, Iterator

from django.db.models import Exists, F, OuterRef, Q

from changes.models import ApprovalGrant, ApprovalStep, ChangeRequest
from ordermgmt.lib.invariants import invariant
from orders.models import Order, OrderAmendment

from .applying import SOURCE
from .replaying import replay

_BOUND = Q(step__content_hash=OuterRef("content_hash"))


@invariant("C1", "what is applied was approved earlier, for this content, by others than who asked or judged")
def _approved() -> Iterator[object]:
    applied = ChangeRequest.objects.filter(state="applied")
    grants = ApprovalGrant.objects.filter(step__change=OuterRef("pk")).filter(_BOUND)
    yield from applied.exclude(Exists(grants))
    yield from applied.filter(
        Exists(grants.filter(Q(user=OuterRef("requested_by")) | Q(at__gt=OuterRef("applied_at"))))
    )
    open_steps = ApprovalStep.objects.filter(change=OuterRef("pk"), content_hash=OuterRef("content_hash"))
    yield from applied.filter(Exists(open_steps.exclude(state="granted")))
    judges = ApprovalGrant.objects.filter(step__change__assessments__assessor=F("user"))
    yield from judges.filter(step__change__state="applied", step__content_hash=F("step__change__content_hash"))


@invariant("C2", "each applied change amended its order once, and nothing else did")
def _once() -> Iterator[object]:
    made = OrderAmendment.objects.filter(source=SOURCE, source_id=OuterRef("pk"), order=OuterRef("order"))
    yield from ChangeRequest.objects.filter(state="applied").exclude(Exists(made))
    applied = ChangeRequest.objects.filter(state="applied", pk=OuterRef("source_id"))
    yield from OrderAmendment.objects.exclude(Exists(applied))


@invariant("C3", "a change was applied on the version of the order that it was approved for")
def _version() -> Iterable[object]:
    right = OrderAmendment.objects.filter(
        source=SOURCE, source_id=OuterRef("pk"), version=OuterRef("order_version") + 1
    ).filter(version=OuterRef("applied_version"))
    return ChangeRequest.objects.filter(state="applied").exclude(Exists(right))


@invariant("C4", "replaying the changes over the baseline gives the present order")
def _replayed() -> Iterator[object]:
    changed = Order.objects.filter(Exists(OrderAmendment.objects.filter(order=OuterRef("pk"))))
    for order in changed.select_related("tax_profile").order_by("pk").iterator(chunk_size=200):
        yield from replay(order)
