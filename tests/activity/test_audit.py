"""The audit: who may read it, filters, differences; and that the pages' invariants notice what breaks them."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from customers.models import Customer
from customers.services import edit_customer
from ordermgmt.activity.events import EventType, register
from ordermgmt.activity.models import Delivery, Event, WorkState
from ordermgmt.activity.services import record
from ordermgmt.lib.database import declared_triggers

CHANGED = register(EventType("tests.audited", "changed it"))


@pytest.fixture
def customer(sales):
    return Customer.objects.get(owner=sales)


@pytest.fixture
def event(sales, customer):
    return record(CHANGED, customer, actor=sales, before={"name": "Before & Co"}, after={"name": customer.name})


def test_works(client_of, manager, event):
    client = client_of(manager)
    assert "changed it" in client.get("/activity/audit/").content.decode()
    page = client.get(f"/activity/audit/{event.pk}/").content.decode()
    assert "Before &amp; Co" in page


@pytest.mark.parametrize("who", ["sales", "finance", "pm", "warehouse"])
def test_others_may_not(request, client_of, event, who):
    client = client_of(request.getfixturevalue(who))
    assert client.get("/activity/audit/").status_code == 403
    assert client.get(f"/activity/audit/{event.pk}/").status_code == 403
    assert client.get("/activity/operations/").status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=tests.audited", True),
        ("type=activity.denied", False),
        ("root_type=customers.customer&type=tests.audited", True),
        ("source=page&type=tests.audited", False),
        ("since=2999-01-01", False),
        ("q=%00", True),
        ("type=nonsense", False),
        ("since=nonsense", False),
    ],
)
def test_filters(client_of, admin, event, query, found):
    answer = client_of(admin).get(f"/activity/audit/?{query}")
    assert answer.status_code == 200
    assert (f"/activity/audit/{event.pk}/" in answer.content.decode()) is found


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_export(client_of, admin, event, kind):
    assert client_of(admin).get(f"/activity/audit/?export={kind}&type=tests.audited").status_code == 200


def test_p29_huge_id(client_of, admin):
    assert client_of(admin).get("/activity/audit/99999999999999999999999999/").status_code == 404


def test_post_changes_nothing(client_of, admin, event):
    before = Event.objects.count()
    client_of(admin).post("/activity/audit/", {"action": "delete", "selected": event.pk})
    assert client_of(admin).post(f"/activity/audit/{event.pk}/").status_code == 405
    assert Event.objects.count() == before


# --- invariants ------------------------------------------------------------------------------------------------


def broken(*codes: str) -> str:
    """What check_invariants prints; "" when all is well."""
    out = io.StringIO()
    try:
        call_command("check_invariants", *codes, stdout=out)
    except CommandError:
        return out.getvalue()
    assert out.getvalue() == ""
    return ""


def test_all_is_well_on_the_seed(db):
    assert broken("A", "Q", "N") == ""


def test_list(db):
    out = io.StringIO()
    call_command("check_invariants", "--list", stdout=out)
    assert "A2" in out.getvalue()


def test_a2_every_rule_of_the_migrations_is_in_force(db):
    """SQLite loses triggers with an altered table: `RestoreTriggers` must stand behind such a migration."""
    assert broken("A2") == ""
    assert "activity_event_append_only_delete" in declared_triggers()


def test_a2_missing_trigger_is_noticed(db):
    table = " ON activity_event" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER activity_event_append_only_delete{table}")
    assert "activity_event_append_only_delete" in broken("A2")


def test_a1_unknown_type_and_page_without_request_id_are_noticed(sales, customer):
    common = {"subject_type": "customers.customer", "root_type": "customers.customer", "root_id": customer.pk}
    Event.objects.create(type="tests.never_registered", source="command", **common)
    Event.objects.create(type="tests.audited", source="page", **common)
    assert broken("A1").count("A1 ") == 2


def test_a3_change_past_the_service_is_noticed(sales, customer):
    edit_customer(customer, actor=sales, version=customer.version, name="第一工业有限公司")
    assert broken("A3") == ""
    Customer.objects.filter(pk=customer.pk).update(name="第二工业有限公司")
    assert "第二工业有限公司" in broken("A3")


def test_a5_secret_is_noticed(sales, customer):
    record(CHANGED, customer, actor=sales, password="x")
    assert "password" in broken("A5")


def test_q1_silent_death_is_noticed(sales, event):
    Delivery.objects.create(event=event, effect="tests.effect", state=WorkState.FAILED)
    assert "tests.effect" in broken("Q1")


def test_refused_write_leaves_all_well(sales, customer):
    with transaction.atomic():
        record(CHANGED, customer, actor=sales)
    assert broken("A1") == ""
