"""Numbers: without gap or duplicate, also where every fifth transaction fails (P05); they never fall (N4)."""

import datetime as dt
import random
import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, connections, transaction

from ordermgmt.documents.models import NumberSeries
from ordermgmt.documents.services import take_number


@pytest.mark.django_db
def test_counts_from_one_per_series_and_period():
    with transaction.atomic():
        assert [take_number("a"), take_number("a"), take_number("b"), take_number("a", period="2026")] == [1, 2, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_refuses_outside_a_transaction():
    with pytest.raises(RuntimeError):
        take_number("a")


@pytest.mark.django_db
def test_n5_dates_do_not_decrease():
    with transaction.atomic():
        take_number("a", on=dt.date(2026, 5, 2))
        take_number("a", on=dt.date(2026, 5, 2))
        with pytest.raises(ValueError, match="2026-05-02"):
            take_number("a", on=dt.date(2026, 5, 1))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "deed",
    [lambda rows: rows.update(last=0), lambda rows: rows.update(key="b"), lambda rows: rows.delete()],
    ids=["lowered", "renamed", "deleted"],
)
def test_n4_never_falls_in_the_database(deed):
    with transaction.atomic():
        take_number("a")
    with pytest.raises(DatabaseError), transaction.atomic():
        deed(NumberSeries.objects.filter(key="a"))


@pytest.mark.django_db(transaction=True)
def test_rollback_gives_the_number_back():
    class Broken(Exception):
        pass

    @transaction.atomic
    def fail() -> None:
        take_number("a")
        raise Broken

    with pytest.raises(Broken):
        fail()
    with transaction.atomic():
        assert take_number("a") == 1


def race(take: Callable[[], int], *, threads: int = 8, times: int = 50) -> list[int]:
    """The numbers that were committed by threads of which every fifth transaction raises after taking one."""
    numbers: list[int] = []
    ready = threading.Barrier(threads)
    lock = threading.Lock()

    def work(seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311
        ready.wait()
        for _time in range(times):
            try:
                with transaction.atomic():
                    number = take()
                    if dice.random() < 0.2:
                        raise ZeroDivisionError
                with lock:
                    numbers.append(number)
            except ZeroDivisionError:
                continue
        connections.close_all()

    running = [threading.Thread(target=work, args=(seed,)) for seed in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sorted(numbers)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_p05_numbers_under_rollback():
    with transaction.atomic():
        take_number("seen")
    NumberSeries.objects.create(key="raced")
    numbers = race(lambda: take_number("raced"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 250


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_p05_positive_control_without_the_lock_numbers_are_given_twice():
    """max + 1 without a lock: if this did not go wrong, the test above would show nothing."""
    NumberSeries.objects.create(key="unlocked")

    def unlocked() -> int:
        last = NumberSeries.objects.get(key="unlocked").last
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.001)")
            cursor.execute(
                "UPDATE documents_numberseries SET last = GREATEST(last, %s) WHERE key = 'unlocked'", [last + 1]
            )
        return last + 1

    numbers = race(unlocked)
    assert len(set(numbers)) < len(numbers)
