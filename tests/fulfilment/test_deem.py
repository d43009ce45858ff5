"""Acceptance by silence after the agreed days, the certificate, and what rectifying cost (ACC-3, ACC-5)."""

import datetime as dt
import io
from decimal import Decimal

import pypdf
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from fulfilment.models import Acceptance, AcceptanceCertificate, AcceptanceTerm, Rectification
from fulfilment.services import (
    agree_term,
    complete_rectification,
    confirm_arrival,
    deem_due,
    deemed_on,
    open_criteria,
    start_rectification,
)
from fulfilment.tasks import ask_certificate, deem, make_certificate
from ordermgmt.activity.models import Event, Job
from ordermgmt.documents.services import read_file
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.services import hold_order
from tests.factories.fulfilment import examine, fresh, ship
from tests.factories.orders import customer_b, line, person, started

pytestmark = pytest.mark.django_db


def waiting(days=10, **header):
    """Shipped today, accepted after so many days of silence."""
    order = started(line(supply="make", quantity=4), **header)
    agree_term(order, days=days, actor=person("pm"))
    ship(order)
    return fresh(order)


def after(days):
    return timezone.localdate() + dt.timedelta(days=days)


class TestDeem:
    def test_warned_once_then_accepted_once(self):
        order = waiting()
        assert deemed_on(order) == after(10)
        assert deem_due(after(6)) == (0, 0)
        assert deem_due(after(7)) == (1, 0)
        assert deem_due(after(8)) == (0, 0), "told once"
        assert Event.objects.filter(type="fulfilment.deemed_soon").count() == 1
        assert deem_due(after(10)) == (0, 1)
        assert deem_due(after(11)) == (0, 0)
        kept = Acceptance.objects.get(order=order)
        assert "No objection until" in kept.evidence
        assert fresh(order).state == "accepted"
        assert not list(violations("STA"))

    def test_in_the_language_of_the_order(self):
        order = waiting(language="zh-hans")
        deem_due(after(10))
        assert "无异议" in Acceptance.objects.get(order=order).evidence

    def test_nothing_without_days_on_hold_or_in_rectification(self, pm):
        plain = started(line(supply="make", quantity=1))
        ship(plain)
        held, rejected = waiting(), waiting()
        hold_order(held, reason="the customer called", actor=pm)
        examine(rejected, 1)
        deem()
        assert deem_due(after(400)) == (0, 0)
        assert {fresh(one).state for one in (plain, held)} == {"shipped"}

    def test_the_days_begin_again_after_a_rectification(self, pm):
        order = waiting()
        examine(order, 1)
        task = Rectification.objects.get()
        start_rectification(task, remedy="repair", owner=pm, due=timezone.localdate(), actor=pm)
        complete_rectification(task, result="polished", actor=pm)
        done = timezone.now() + dt.timedelta(days=5)
        Rectification.objects.filter(pk=task.pk).update(done_at=done)
        assert deemed_on(fresh(order)) == timezone.localdate(done) + dt.timedelta(days=10)

    def test_counted_from_the_part_that_arrived_last(self, monkeypatch, pm, warehouse):
        order = started(line(supply="make", quantity=2))
        agree_term(order, days=14, actor=pm)
        begin = timezone.now()
        parts = []
        for left in (0, 4):
            monkeypatch.setattr(timezone, "now", lambda left=left: begin + dt.timedelta(days=left))
            parts.append(ship(order, 1))
        monkeypatch.setattr(timezone, "now", lambda: begin + dt.timedelta(days=20))
        by_air, by_sea = ((begin + dt.timedelta(days=days)).date() for days in (5, 19))
        confirm_arrival(parts[1], delivered_on=by_air, received_by="Mr Wang", actor=warehouse)
        confirm_arrival(parts[0], delivered_on=by_sea, received_by="Mr Wang", actor=warehouse)
        assert deemed_on(fresh(order)) == by_sea + dt.timedelta(days=14)

    @pytest.mark.parametrize("days", [0, -1, 366])
    def test_refused_days(self, pm, days):
        order = started(line(supply="make"))
        with pytest.raises(ValidationError) as refused:
            agree_term(order, days=days, actor=pm)
        assert list(refused.value.error_dict) == ["days"]
        with pytest.raises(IntegrityError), transaction.atomic():
            AcceptanceTerm.objects.create(order=order, days=days if days >= 0 else 0)

    def test_agreed_in_the_browser(self, client_of, pm, pm2, warehouse, sales2):
        order = started(line(supply="make", quantity=2), customer=customer_b(), actor=sales2)
        address = f"/orders/{order.number}/do/agree_term/"
        client = client_of(pm)
        assert client.get(address).status_code == 200
        assert not AcceptanceTerm.objects.exists(), "looking changes nothing"
        assert client.post(address, {"days": "0"}).status_code == 422
        assert client.post(address, {"days": "14"}).status_code == 302
        assert client.post(address, {"days": "14"}).status_code == 302
        assert Event.objects.filter(type="fulfilment.term_agreed").count() == 1, "the same again is no news"
        assert "Accepted after 14 days of silence." in client.get(order.get_absolute_url()).content.decode()
        assert client_of(pm2).get(address).status_code == 404
        assert client_of(warehouse).get(address).status_code == 403
        with pytest.raises(PermissionDenied):
            agree_term(order, days=3, actor=warehouse)
        ship(order)
        examine(order)
        with pytest.raises(TransitionRefused):
            agree_term(order, days=3, actor=pm)


class TestCertificate:
    def made(self, order):
        event = Event.objects.filter(type="orders.accepted", root_id=order.pk).get()
        for _twice in range(2):
            ask_certificate(event)
        job = Job.objects.get(key=f"fulfilment.certificate:{order.pk}")
        for _twice in range(2):
            make_certificate(job, lambda *_args: None)
        return AcceptanceCertificate.objects.get(order=order)

    @pytest.mark.parametrize(("language", "word"), [("en", "Certificate of acceptance"), ("zh-hans", "验收证书")])
    def test_made_once_in_the_orders_language_without_a_price(self, language, word):
        order = waiting(language=language)
        examine(order)
        kept = self.made(order)
        text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(read_file(kept.file))).pages)
        assert word in text.replace("\n", "")
        assert order.number in text
        assert "Mr Wang" in text
        assert str(order.order_lines[0].unit_price.quantize(Decimal("0.01"))) not in text
        with pytest.raises(IntegrityError), transaction.atomic():
            AcceptanceCertificate.objects.all().delete()

    def test_only_for_those_who_see_the_order(self, client_of, pm, pm2, admin):
        order = waiting()
        address = f"/fulfilment/orders/{order.number}/certificate/"
        assert client_of(pm).get(address).status_code == 404, "not accepted yet"
        examine(order)
        self.made(order)
        assert b"".join(client_of(pm).get(address).streaming_content).startswith(b"%PDF")
        assert "Certificate of acceptance" in client_of(pm).get(order.get_absolute_url()).content.decode()
        for stranger in (pm2, admin):
            assert client_of(stranger).get(address).status_code == 404


class TestCost:
    def test_kept_with_the_result_and_shown_to_who_may_see_costs(self, client_of, pm, warehouse):
        order = waiting()
        examine(order, 1)
        task = Rectification.objects.get()
        start_rectification(task, remedy="credit", owner=pm, due=timezone.localdate(), actor=pm)
        address = f"/fulfilment/rectifications/{task.pk}/do/complete/"
        client = client_of(pm)
        assert client.post(address, {"result": "kept for a credit", "cost": "-1"}).status_code == 422
        with pytest.raises(ValidationError):
            complete_rectification(task, result="x", cost=Decimal(-1), actor=pm)
        assert client.post(address, {"result": "kept for a credit", "cost": "1234.50"}).status_code == 302
        task = Rectification.objects.get()
        assert task.cost == Decimal("1234.5")
        assert open_criteria(order) == []
        assert "1,234.50" in client.get(order.get_absolute_url()).content.decode()
        assert "1,234.50" not in client_of(warehouse).get(order.get_absolute_url()).content.decode()
