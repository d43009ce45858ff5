"""Numbers under everything that can happen: eight processes, rollbacks, kill -9; and nobody changes what is issued."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, connections, transaction

from billing import services
from billing.models import Invoice, InvoiceLine
from ordermgmt.documents.models import NumberSeries
from ordermgmt.lib.invariants import violations
from tests.factories import billing

ROOT = Path(__file__).resolve().parents[2]

#: One process: issues its drafts one by one; every fifth is rolled back after its number was taken.
ISSUER = """
import json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = os.environ["NUMBERS_DATABASE"]
django.setup()
from django.db import transaction
from billing import services
from billing.models import Invoice
keys = json.loads(sys.argv[1])
for place, key in enumerate(keys):
    draft = Invoice.objects.get(pk=key)
    try:
        with transaction.atomic():
            services.issue_invoice(draft, actor=draft.created_by)
            if place % 5 == 4:
                raise RuntimeError
    except RuntimeError:
        pass
    print(key, flush=True)
"""


def _process(keys):
    environment = os.environ | {"NUMBERS_DATABASE": connection.settings_dict["NAME"], "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", ISSUER, json.dumps(keys)], env=environment, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_eight_processes_of_fifty_with_rollbacks_and_kills():
    first = billing.drafted()
    keys = [first.pk] + [billing.drafted().pk for _ in range(399)]
    connections.close_all()
    processes = [_process(keys[place::8]) for place in range(8)]
    killed = 0
    for process in processes[:3]:  # three die in the middle of it, wherever they are
        for _ in range(7):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait()
        killed += 1
    for process in processes[3:]:
        process.communicate(timeout=240)
        assert process.returncode == 0
    time.sleep(0.5)
    left = list(Invoice.objects.drafts().values_list("pk", flat=True))
    second = _process(left)  # what was left over is issued after all, but for every fifth
    second.communicate(timeout=240)
    issued = list(Invoice.objects.issued().order_by("sequence").values_list("sequence", "issue_date", "number"))
    assert killed == 3
    assert [sequence for sequence, _day, _number in issued] == list(range(1, len(issued) + 1))
    assert [day for _sequence, day, _number in issued] == sorted(day for _sequence, day, _number in issued)
    assert len({number for *_rest, number in issued}) == len(issued) >= 5 * 40
    assert not Invoice.objects.drafts().filter(number__isnull=False).exists()
    assert [one for one in violations() if one.invariant.code in ("N1", "N2", "N3", "N5", "M1", "M3")] == []


CHANGES = {
    "form": lambda client, one: client.post(
        f"{one.get_absolute_url()}edit/", {"version": one.version, "payment_days": 1}
    ),
    "grid": lambda client, one: client.post(
        f"/billing/entry/{one.reference}/save/", "{}", content_type="application/json"
    ),
    "delete": lambda client, one: client.post(f"{one.get_absolute_url()}do/delete/", {"version": one.version}),
    "bulk": lambda client, one: client.post(
        "/billing/work/drafts/", {"action": "issue", "selected": [one.pk], "confirmed": "1"}
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("way", CHANGES)
def test_no_page_changes_what_is_issued(client_of, finance2, way):
    invoice = billing.issued()
    before = Invoice.objects.filter(pk=invoice.pk).values().get()
    CHANGES[way](client_of(finance2), invoice)
    assert Invoice.objects.filter(pk=invoice.pk).values().get() == before


@pytest.mark.django_db
def test_the_admin_is_no_way_round(client_of, admin):
    invoice = billing.issued()
    assert client_of(admin).post(f"/admin/billing/invoice/{invoice.pk}/change/", {"due": "1"}).status_code == 404


def _saved(invoice):
    invoice.due = 1
    invoice.save()


ORM = {
    "save": _saved,
    "update": lambda invoice: Invoice.objects.filter(pk=invoice.pk).update(customer_name="x"),
    "bulk update": lambda invoice: Invoice.objects.bulk_update([_with(invoice, note="x")], ["note"]),
    "delete": lambda invoice: Invoice.objects.filter(pk=invoice.pk).delete(),
    "line": lambda invoice: InvoiceLine.objects.filter(invoice=invoice).update(net=1),
    "sql update": lambda invoice: _sql("UPDATE billing_invoice SET issue_date = '2020-01-01' WHERE id = %s", invoice),
    "sql delete": lambda invoice: _sql("DELETE FROM billing_invoicetax WHERE invoice_id = %s", invoice),
    "progress": lambda invoice: _sql("UPDATE billing_invoice SET retention_percent = 1 WHERE id = %s", invoice),
}


def _with(invoice, **values):
    for name, value in values.items():
        setattr(invoice, name, value)
    return invoice


def _sql(statement, invoice):
    with connection.cursor() as cursor:
        cursor.execute(statement, [invoice.pk])


@pytest.mark.django_db
def test_a_number_lost_at_the_end_of_a_series_is_missed():
    issued = billing.issued()
    NumberSeries.objects.filter(key=issued.series, period=issued.period).update(last=3)
    assert services.number_gaps() == [(issued.series, issued.period, 1, 3, [2, 3])]


@pytest.mark.django_db
@pytest.mark.parametrize("way", ORM)
def test_no_statement_changes_what_is_issued(way):
    invoice = billing.issued()
    before = Invoice.objects.filter(pk=invoice.pk).values().get()
    with pytest.raises(DatabaseError), transaction.atomic():
        ORM[way](Invoice.objects.get(pk=invoice.pk))
    assert Invoice.objects.filter(pk=invoice.pk).values().get() == before
    assert services.number_gaps()[0][4] == []
