"""Numbers that a bank's text names, found among many."""

import datetime as dt
import random
from decimal import Decimal

from billing.services.bank_matching import Named, _Item, names


def test_what_is_named_is_found_as_if_every_number_were_held_against_the_text():
    chance = random.Random(5)  # noqa: S311
    numbers = ["INV-2026-00017", "INV-2026-0001", "7", "4711", "A/12 b", "2026 00017", "客户-88123"]
    items = [
        _Item(pk, pk, "EUR", dt.date(2026, 1, 1), Decimal(1), pk, tuple(chance.sample(numbers, chance.randint(0, 3))))
        for pk in range(60)
    ]
    parts = [*numbers, "inv202600017", "A12B", "x7", " ", "RE", "-", "00017", "88123"]
    index = Named(items)
    for _text in range(300):
        text = "".join(chance.choice(parts) for _part in range(chance.randint(0, 6)))
        assert index.in_text(text) == [one for one in items if names(text, one.numbers)], text
