"""Nobody is booked twice, no locked hour is rewritten: the database holds it, whatever path a write comes by."""

from django.db import migrations

from ordermgmt.lib.database import AppendOnly, RefuseWhen, RefuseWhere

_BOOKING, _WORKED = "fulfilment_capacitybooking", "fulfilment_workedhours"
_PERSON = "EXISTS (SELECT 1 FROM fulfilment_staffmember s WHERE s.calendar_id = NEW.work_centre_id)"
_OWN = (
    "EXISTS (SELECT 1 FROM fulfilment_assignment a JOIN fulfilment_staffmember s ON s.id = a.staff_id "
    "WHERE a.id = NEW.assignment_id AND a.order_id = NEW.order_id AND s.calendar_id = NEW.work_centre_id)"
)
_SUM = (
    "COALESCE((SELECT SUM(b.minutes) FROM fulfilment_capacitybooking b "
    "WHERE b.work_centre_id = NEW.work_centre_id AND b.day = NEW.day), 0)"
)
_BOOKED = (
    "COALESCE((SELECT d.booked FROM fulfilment_centreday d "
    "WHERE d.work_centre_id = NEW.work_centre_id AND d.day = NEW.day), 0)"
)
_REST = (
    "COALESCE((SELECT SUM(w.minutes) FROM fulfilment_workedhours w "
    "WHERE w.staff_id = NEW.staff_id AND w.day = NEW.day AND w.assignment_id <> NEW.assignment_id), 0)"
)
_LOCKED = "COALESCE((SELECT l.until FROM fulfilment_hourslock l ORDER BY l.id DESC LIMIT 1), '0001-01-01') >= NEW.day"
_SAME = (
    "EXISTS (SELECT 1 FROM fulfilment_assignment a "
    "WHERE a.id = NEW.assignment_id AND a.order_id = NEW.order_id AND a.staff_id = NEW.staff_id)"
)


def _moved(*columns: str) -> str:
    return " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)


def _both(table: str, name: str, condition: str, message: str) -> list[RefuseWhere]:
    return [RefuseWhere(table, f"{name}_{event.lower()}", event, condition, message) for event in ("INSERT", "UPDATE")]


class Migration(migrations.Migration):
    dependencies = [("fulfilment", "0020_service_staff")]

    operations = [
        *_both(
            "fulfilment_centreday", "staff_no_overload", f"NEW.overload > 0 AND {_PERSON}",
            "a person is not booked above the calendar",
        ),
        RefuseWhere(
            _BOOKING, "staff_booking_own", "INSERT",
            f"(NEW.assignment_id IS NOT NULL OR {_PERSON}) AND (NEW.assignment_id IS NULL OR NOT {_OWN})",
            "a person is booked by an assignment of that person and order",
        ),
        RefuseWhere(
            _BOOKING, "staff_booking_counted", "INSERT",
            f"NEW.assignment_id IS NOT NULL AND {_SUM} + NEW.minutes > {_BOOKED}",
            "a person is not booked twice: the day does not count it",
        ),
        RefuseWhen(
            _BOOKING, "staff_booking_kept", "UPDATE",
            "(OLD.assignment_id IS NOT NULL OR NEW.assignment_id IS NOT NULL) AND ("
            + _moved("order_id", "assignment_id", "work_centre_id", "day", "minutes")
            + ")",
            "a booking of a person is given back and made anew",
        ),
        *_both(_WORKED, "worked_hours_locked", _LOCKED, "the hours of this day are locked"),
        *_both(_WORKED, "worked_hours_a_day", f"{_REST} + NEW.minutes > 1440", "a day has 24 hours"),
        RefuseWhere(
            _WORKED, "worked_hours_own", "INSERT", f"NOT {_SAME}", "hours belong to the person and order of an assignment"
        ),
        RefuseWhen(
            _WORKED, "worked_hours_kept", "UPDATE", _moved("assignment_id", "order_id", "staff_id", "day"),
            "hours stay with their assignment and day",
        ),
        RefuseWhen(_WORKED, "worked_hours_not_deleted", "DELETE", "OLD.id = OLD.id", "hours are set to none, not deleted"),
        AppendOnly("fulfilment_hourslock"),
    ]  # fmt: skip
