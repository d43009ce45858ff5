"""How well suppliers keep what they promise: figures from the lines of their purchase orders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, Max, Min, Q, Sum

from inventory.models import PurchaseLine
from ordermgmt.lib.money import HUNDRED, ZERO

_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class SupplierRecord:
    """Promised against actual over the lines of a supplier that came in full and had a promised day.

    A line is late when all of it came after its promised day (calendar days). `worst` and `earliest` are days.
    """

    lines: int = 0
    late: int = 0
    on_time: int = 0
    early: int = 0
    late_days: int = 0
    worst: int = 0
    earliest: int = 0
    received: Decimal = ZERO
    rejected: Decimal = ZERO
    refusing: int = 0

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
        return _percent(self.rejected, self.received + self.rejected) if self.refusing else None


def _percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return (Decimal(part) * HUNDRED / whole).quantize(_HUNDREDTH, ROUND_HALF_UP) if whole else None


def supplier_records(supplier_ids: Iterable[int]) -> dict[int, SupplierRecord]:
    """The record of each of the suppliers (by key); those without a line are absent. One query."""
    rows = PurchaseLine.objects.filter(order__supplier_id__in=list(supplier_ids)).order_by()
    inspected = Q(receipts__isnull=False)
    found = rows.values("order__supplier_id").annotate(
        lines=Count("pk", filter=Q(days_late__isnull=False)), late=Count("pk", filter=Q(days_late__gt=0)),
        on_time=Count("pk", filter=Q(days_late=0)), early=Count("pk", filter=Q(days_late__lt=0)),
        late_days=Sum("days_late", filter=Q(days_late__gt=0)), worst=Max("days_late"), earliest=Min("days_late"),
    )  # fmt: skip
    came = rows.filter(inspected).distinct().values_list("order__supplier_id", "pk", "received", "rejected")
    quantities: dict[int, list[Decimal]] = {}
    for supplier, _pk, received, rejected in came.iterator(chunk_size=5000):
        sums = quantities.setdefault(supplier, [ZERO, ZERO, ZERO])
        sums[0], sums[1], sums[2] = sums[0] + received, sums[1] + rejected, sums[2] + 1
    return {row["order__supplier_id"]: _record(row, quantities.get(row["order__supplier_id"])) for row in found}


def _record(row: Mapping[str, Any], sums: list[Decimal] | None) -> SupplierRecord:
    received, rejected, refusing = sums or (ZERO, ZERO, ZERO)
    figures = {name: row[name] or 0 for name in ("lines", "late", "on_time", "early", "late_days")}
    return SupplierRecord(
        **figures, worst=max(0, row["worst"] or 0), earliest=max(0, -(row["earliest"] or 0)), received=received,
        rejected=rejected, refusing=int(refusing),
    )  # fmt: skip


def supplier_record(supplier_id: int) -> SupplierRecord:
    """The record of one supplier."""
    return supplier_records([supplier_id]).get(supplier_id, SupplierRecord())
