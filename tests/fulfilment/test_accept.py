"""Acceptance per line, rectification, and the way back (ACC narrow)."""

import datetime as dt
from decimal import Decimal
from unittest import mock
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from fulfilment.models import Acceptance, AcceptanceLine, Rectification
from fulfilment.services import (
    LineResult,
    complete_rectification,
    deliver_service,
    record_acceptance,
    start_rectification,
)
from ordermgmt.lib.fsm import TransitionRefused
from tests.factories.fulfilment import examine, fresh, ship
from tests.factories.orders import customer_b, line, started

pytestmark = pytest.mark.django_db
SOON = timezone.localdate() + dt.timedelta(days=5)


def shipped(*lines, **header):
    order = started(*(lines or [line(supply="make", quantity=4)]), **header)
    ship(order)
    return fresh(order)


class TestRecord:
    def test_everything_passed_accepts_the_order(self, pm):
        order = shipped()
        acceptance = examine(order)
        order = fresh(order)
        assert (order.state, acceptance.round) == ("accepted", 1)
        assert order.order_lines[0].qty_accepted == 4

    def test_a_part_leaves_the_order_shipped(self, pm):
        order = shipped()
        pk = order.order_lines[0].pk
        record_acceptance(
            order, results=[LineResult(pk, Decimal(3))], signed_by="W", evidence="note", key="a", actor=pm
        )
        assert fresh(order).state == "shipped"
        record_acceptance(
            order, results=[LineResult(pk, Decimal(1))], signed_by="W", evidence="note", key="b", actor=pm
        )
        assert fresh(order).state == "accepted"

    def test_something_rejected_starts_the_rectification(self, pm):
        order = shipped()
        examine(order, 1)
        order = fresh(order)
        assert order.state == "rectification"
        task = Rectification.objects.get()
        assert (task.quantity, task.reason, task.state) == (1, "scratched", "open")
        assert (order.order_lines[0].qty_accepted, order.order_lines[0].qty_rejected) == (3, 1)

    def test_the_same_form_twice_is_one_record(self, pm):
        order = shipped()
        pk = order.order_lines[0].pk
        for _time in range(2):
            record_acceptance(
                order, results=[LineResult(pk, Decimal(2))], signed_by="W", evidence="note", key="a", actor=pm
            )
        assert Acceptance.objects.count() == 1
        assert fresh(order).order_lines[0].qty_accepted == 2

    def test_no_round_lies_before_the_delivery_or_the_round_before(self, pm, warehouse, manager):
        today = timezone.localdate()
        order = shipped(order_date=today - dt.timedelta(days=30))
        pk = order.order_lines[0].pk

        def examined(days: int, key: str, accepted: int = 4, rejected: int = 0) -> Acceptance:
            result = LineResult(pk, Decimal(accepted), Decimal(rejected), "dented" if rejected else "")
            return record_acceptance(
                order, results=[result], signed_by="W", evidence="note", key=key, on=today - dt.timedelta(days=days),
                actor=manager,
            )  # fmt: skip

        with pytest.raises(ValidationError, match="shipped or delivered on") as refused:
            examined(1, "a")
        assert list(refused.value.error_dict) == ["on"]
        with mock.patch.object(timezone, "now", return_value=timezone.now() - dt.timedelta(days=9)):
            order = shipped(order_date=today - dt.timedelta(days=30))
        pk = order.order_lines[0].pk
        examined(2, "b", 3, 1)
        task = start_rectification(Rectification.objects.get(), remedy="repair", owner=warehouse, due=SOON, actor=pm)
        complete_rectification(task, result="polished", actor=pm)
        with pytest.raises(ValidationError, match="round before"):
            examined(3, "c", 1)
        assert examined(2, "d", 1).round == 2

    def test_wrong_results_are_refused_at_their_field(self, pm):
        order = shipped()
        pk = order.order_lines[0].pk
        for result, name in (
            (LineResult(pk, Decimal(5)), f"accepted_{pk}"),
            (LineResult(pk, Decimal(3), Decimal(2), "bad"), f"accepted_{pk}"),
            (LineResult(pk, Decimal(-1)), f"accepted_{pk}"),
            (LineResult(pk, Decimal("0.5")), f"accepted_{pk}"),
            (LineResult(pk, Decimal(3), Decimal(1), " "), f"reason_{pk}"),
        ):
            with pytest.raises(ValidationError) as refused:
                record_acceptance(order, results=[result], signed_by="W", evidence="note", key=uuid4().hex, actor=pm)
            assert list(refused.value.error_dict) == [name]
        for results in ([], [LineResult(pk)], [LineResult(999999, Decimal(1))]):
            with pytest.raises(ValidationError):
                record_acceptance(order, results=results, signed_by="W", evidence="note", key=uuid4().hex, actor=pm)
        assert not Acceptance.objects.exists()

    def test_the_form_says_at_once_that_a_colleague_records_it(self, client_of, pm, pm2, manager):
        order = started(line("SVC-1", 2, supply="service"))
        deliver_service(order, quantities={order.order_lines[0].pk: Decimal(2)}, key="k", actor=pm)
        url = f"/orders/{order.number}/do/record_acceptance/"
        page = client_of(pm).get(url).content.decode()
        assert "so a colleague records the acceptance. Ask" in page
        assert manager.name in page
        assert pm2.name not in page.split("Ask")[1][:200], "who does not see the order is no help"
        assert "disabled" in page
        assert "so a colleague records" not in client_of(manager).get(url).content.decode()

    def test_not_by_whoever_reported_completion(self, pm, manager):
        order = started(line(supply="make", quantity=1))
        from fulfilment.services import ship_order

        pk = order.order_lines[0].pk
        ship_order(order, quantities={pk: Decimal(1)}, key="k", actor=pm)
        with pytest.raises(TransitionRefused, match="colleague"):
            examine(order)
        examine(order, actor="manager")
        assert fresh(order).state == "accepted"

    def test_a_manager_may_record_that_something_is_rejected(self, manager):
        order = shipped()
        examine(order, 1, actor="manager")
        assert fresh(order).state == "rectification"
        assert not manager.has_perm("fulfilment.rectify_order"), "putting it right stays with the project managers"

    def test_nobody_without_the_right(self, sales, warehouse, finance):
        order = shipped()
        result = [LineResult(order.order_lines[0].pk, Decimal(4))]
        for actor in (sales, warehouse, finance):
            with pytest.raises(PermissionDenied):
                record_acceptance(order, results=result, signed_by="W", evidence="note", key=uuid4().hex, actor=actor)

    def test_only_a_shipped_order(self, pm):
        order = started()
        with pytest.raises(TransitionRefused):
            record_acceptance(
                order, results=[LineResult(order.order_lines[0].pk, Decimal(1))], signed_by="W", evidence="n", key="a",
                actor=pm,
            )  # fmt: skip

    def test_what_was_examined_is_never_rewritten(self, pm):
        acceptance = examine(shipped())
        for rows in (Acceptance.objects.filter(pk=acceptance.pk), AcceptanceLine.objects.filter(acceptance=acceptance)):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.delete()
        with pytest.raises(IntegrityError), transaction.atomic():
            AcceptanceLine.objects.filter(acceptance=acceptance).update(accepted=1)


class TestRectify:
    def task(self):
        order = shipped()
        examine(order, 1)
        return Rectification.objects.get()

    def test_until_it_passes_in_the_next_round(self, pm, warehouse, manager):
        task = start_rectification(self.task(), remedy="repair", owner=warehouse, due=SOON, actor=pm)
        assert task.state == "in_work"
        complete_rectification(task, result="polished", actor=pm)
        order = fresh(task.order)
        assert (order.state, order.acceptance_round) == ("shipped", 1)
        assert examine(order, actor="manager").round == 2
        assert fresh(order).state == "accepted"

    def test_every_task_must_be_done(self, pm, warehouse):
        order = shipped(line(supply="make", quantity=2), line("SKU-2", 3, supply="make"))
        examine(order, 1, 2)
        first, second = Rectification.objects.order_by("pk")
        for task, state in ((first, "rectification"), (second, "shipped")):
            start_rectification(task, remedy="redo", owner=warehouse, due=SOON, actor=pm)
            complete_rectification(task, result="done again", actor=pm)
            assert fresh(order).state == state

    def test_order_of_steps_and_second_time(self, pm, warehouse):
        task = self.task()
        with pytest.raises(TransitionRefused):
            complete_rectification(task, result="too early", actor=pm)
        with pytest.raises(ValidationError):
            start_rectification(task, remedy="repair", owner=warehouse, due=dt.date(2020, 1, 1), actor=pm)
        start_rectification(task, remedy="repair", owner=warehouse, due=SOON, actor=pm)
        start_rectification(task, remedy="replace", owner=pm, due=SOON, actor=pm)
        with pytest.raises(ValidationError):
            complete_rectification(task, result=" ", actor=pm)
        complete_rectification(task, result="replaced", actor=pm)
        for verb in (
            lambda: complete_rectification(task, result="again", actor=pm),
            lambda: start_rectification(task, remedy="repair", owner=pm, due=SOON, actor=pm),
        ):
            with pytest.raises(TransitionRefused):
                verb()
        assert fresh(task.order).order_lines[0].qty_rejected == 0

    def test_nobody_without_the_right(self, sales, warehouse):
        task = self.task()
        for actor in (sales, warehouse):
            with pytest.raises(PermissionDenied):
                start_rectification(task, remedy="repair", owner=warehouse, due=SOON, actor=actor)
            with pytest.raises(PermissionDenied):
                complete_rectification(task, result="x", actor=actor)

    def test_the_database_holds_the_steps(self):
        task = self.task()
        with pytest.raises(IntegrityError), transaction.atomic():
            Rectification.objects.filter(pk=task.pk).update(state="done")


class TestPages:
    def data(self, order, accepted="4", rejected="", reason="", **more):
        pk = order.order_lines[0].pk
        return {
            f"accepted_{pk}": accepted, f"rejected_{pk}": rejected, f"reason_{pk}": reason, "signed_by": "Mr Wang",
            "evidence": "signed note", "on": str(timezone.localdate()), "key": "form-1",
        } | more  # fmt: skip

    def test_the_whole_way_in_the_browser_forms(self, client_of, pm, manager, warehouse):
        order, client = shipped(), client_of(pm)
        address = f"/orders/{order.number}/do/record_acceptance/"
        assert client.get(f"/fulfilment/orders/{order.number}/accept/", follow=True).status_code == 200
        assert client.post(address, self.data(order, "3", "1", "")).status_code == 422
        paper = SimpleUploadedFile(
            "note.pdf", b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n", "application/pdf"
        )
        assert client.post(address, self.data(order, "3", "1", "dented", evidence_file=paper)).status_code == 302
        acceptance = Acceptance.objects.get()
        page = client.get(order.get_absolute_url()).content.decode()
        assert "dented" in page
        paper = client.get(f"/fulfilment/acceptances/{acceptance.pk}/evidence/")
        assert b"".join(paper.streaming_content).startswith(b"%PDF")
        assert "dented" in client.get("/").content.decode()
        task = Rectification.objects.get()
        place = f"/fulfilment/rectifications/{task.pk}/do"
        assert client.get(f"{place}/plan/").status_code == 200
        plan = {"remedy": "repair", "owner": warehouse.pk, "due": str(SOON)}
        assert client.post(f"{place}/plan/", plan).status_code == 302
        assert client.post(f"{place}/complete/", {"result": "straightened"}).status_code == 302
        assert client.post(f"{place}/complete/", {"result": "straightened"}).status_code == 409
        assert fresh(order).state == "shipped"
        assert client.get("/fulfilment/rectifications/?state=done").status_code == 200

    def test_p27_only_real_papers_are_kept(self, client_of, pm):
        order = shipped()
        evil = SimpleUploadedFile(
            "photo.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "image/png"
        )
        response = client_of(pm).post(
            f"/orders/{order.number}/do/record_acceptance/", self.data(order, evidence_file=evil)
        )
        assert response.status_code == 422
        assert not Acceptance.objects.exists()

    def test_colleague_is_404_and_missing_right_403(self, client_of, sales, sales2, pm2):
        order = shipped(customer=customer_b(), actor=sales2)
        address = f"/orders/{order.number}/do/record_acceptance/"
        assert client_of(pm2).get(address).status_code == 404
        assert client_of(sales).get(address).status_code == 404
        assert client_of(sales2).get(address).status_code == 403
        examine(order, 1)
        task = Rectification.objects.get()
        for name in ("plan", "complete"):
            assert client_of(pm2).get(f"/fulfilment/rectifications/{task.pk}/do/{name}/").status_code == 404
            assert client_of(sales2).get(f"/fulfilment/rectifications/{task.pk}/do/{name}/").status_code == 403
