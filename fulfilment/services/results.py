"""What an examination says of one order line."""

from dataclasses import dataclass
from decimal import Decimal

from ordermgmt.lib.money import ZERO


@dataclass(frozen=True)
class LineResult:
    """What became of one order line (by id), in its unit; a rejected quantity needs its reason."""

    line_id: int
    accepted: Decimal = ZERO
    rejected: Decimal = ZERO
    reason: str = ""
