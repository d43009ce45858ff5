"""How well suppliers keep what they promise: figures from the lines of their purchase orders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, Max, Min, Q, Sum

from inventory.models import PurchaseLine, Receipt, ReceiptLine
from ordermgmt.lib.money import HUNDRED, ZERO

_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class SupplierRecord:
    """Promised against actual over the lines of a supplier that came in full and had a promised day.

    A line is late when all of it came after its promised day (calendar days). `worst` and `earliest` are days. `taken` and `rejected`
    are quantities of receipts booked here; None where there is none.
    """

    lines: int = 0
    late: int = 0
    on_time: int = 0
    early: int = 0
    late_days: int = 0
    worst: int = 0
    earliest: int = 0
    taken: Decimal | None = None
    rejected: Decimal = ZERO

    @property
    def on_time_rate(self) -> Decimal | None:
        """Percent of the lines that came by their day, early ones included; None without a line."""
        return _percent(self.lines - self.late, self.lines)

    @property
    def mean_delay(self) -> Decimal | None:
        """Days late on average, over the late lines; None without one."""
        return (Decimal(self.late_days) / self.late).quantize(_HUNDREDTH, ROUND_HALF_UP) if self.late else None

    @property
    def reject_rate(self) -> Decimal | None:
        """Percent refused of what came; None where no receipt was inspected here."""
        return None if self.taken is None else _percent(self.rejected, self.taken + self.rejected)


def _percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return (Decimal(part) * HUNDRED / whole).quantize(_HUNDREDTH, ROUND_HALF_UP) if whole else None


def supplier_records(supplier_ids: Iterable[int]) -> dict[int, SupplierRecord]:
    """The record of each of the suppliers (by key); those without a line are absent. Two queries."""
    wanted = list(supplier_ids)
    rows = PurchaseLine.objects.filter(order__supplier_id__in=wanted).order_by().values("order__supplier_id")
    found = rows.annotate(
        lines=Count("pk", filter=Q(days_late__isnull=False)), late=Count("pk", filter=Q(days_late__gt=0)),
        on_time=Count("pk", filter=Q(days_late=0)), early=Count("pk", filter=Q(days_late__lt=0)),
        late_days=Sum("days_late", filter=Q(days_late__gt=0)), worst=Max("days_late"), earliest=Min("days_late"),
    )  # fmt: skip
    came = ReceiptLine.objects.filter(line__order__supplier_id__in=wanted, receipt__kind=Receipt.Kind.RECEIPT)
    sums = came.order_by().values_list("line__order__supplier_id").annotate(taken=Sum("accepted"), out=Sum("rejected"))
    inspected = {supplier: (taken, out) for supplier, taken, out in sums}
    return {row["order__supplier_id"]: _record(row, inspected.get(row["order__supplier_id"])) for row in found}


def _record(row: Mapping[str, Any], inspected: tuple[Decimal, Decimal] | None) -> SupplierRecord:
    figures = {name: row[name] or 0 for name in ("lines", "late", "on_time", "early", "late_days")}
    taken, rejected = inspected or (None, ZERO)
    return SupplierRecord(
        **figures, worst=max(0, row["worst"] or 0), earliest=max(0, -(row["earliest"] or 0)), taken=taken,
        rejected=rejected,
    )  # fmt: skip


def supplier_record(supplier_id: int) -> SupplierRecord:
    """The record of one supplier."""
    return supplier_records([supplier_id]).get(supplier_id, SupplierRecord())
