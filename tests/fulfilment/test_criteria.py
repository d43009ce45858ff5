"""Criteria of acceptance: templates, what is agreed, and rounds until every one passed (ACC-1, ACC-2)."""

import datetime as dt
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from changes.services import Op
from fulfilment.models import Acceptance, AcceptancePhoto, AgreedCriterion, CriterionTemplate, Finding, Rectification
from fulfilment.services import (
    Found,
    LineResult,
    ReturnedPart,
    add_criterion,
    complete_rectification,
    drop_criterion,
    open_criteria,
    record_acceptance,
    return_goods,
    save_criterion_template,
    start_rectification,
    take_over_criteria,
    waive_acceptance,
)
from ordermgmt.activity.services import work_off
from ordermgmt.lib.fsm import TransitionRefused
from tests.factories.changes import applied
from tests.factories.fulfilment import fresh, ship
from tests.factories.orders import customer_b, line, person, placed, started

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60


def shipped(**header):
    order = started(line(supply="make", quantity=4), **header)
    ship(order)
    return fresh(order)


def two_lines():
    order = started(line(supply="make", quantity=4), line("SKU-2", 2, supply="make"))
    ship(order)
    return fresh(order)


def back(order):
    """The whole second line comes back, for a credit."""
    part = ReturnedPart(order.order_lines[1].pk, "scrap", Decimal(2))
    return_goods(order, parts=[part], reason="wrong colour", key=uuid4().hex, actor=person("warehouse"))
    task = Rectification.objects.get(return_line__isnull=False)
    start_rectification(task, remedy="credit", owner=person("pm"), due=timezone.localdate(), actor=person("pm"))


def width(order, **more):
    """A measured criterion of the only line: 9.5 to 10.5 mm."""
    fields = {"title": "Width", "unit": "mm", "minimum": Decimal("9.5"), "maximum": Decimal("10.5")} | more
    return add_criterion(order, order_line=order.order_lines[0], actor=person("pm"), **fields)


def examine(order, *found, good=4, bad=0, actor="pm", **more):
    results = [LineResult(order.order_lines[0].pk, Decimal(good), Decimal(bad), "too wide" if bad else "")]
    return record_acceptance(
        order, results=results, findings=found, signed_by="Mr Wang", evidence="report", key=uuid4().hex,
        actor=person(actor), **more,
    )  # fmt: skip


class TestTemplates:
    def template(self, **more):
        return save_criterion_template(None, actor=person("pm"), **({"title": "No scratches"} | more))

    def test_a_placed_order_takes_over_what_fits_its_lines_once(self, pm):
        own = self.template(title="Width", product=line()["product"], minimum=Decimal(9), unit="mm")
        kind = self.template()
        self.template(title="Hours kept", kind="service")
        self.template(title="Old", is_active=False)
        order = placed(line(supply="make"), line("SKU-2", 2, supply="make"))
        assert len(take_over_criteria(order, actor=pm)) == 3
        agreed = AgreedCriterion.objects.filter(order=order)
        assert sorted(agreed.values_list("order_line__position", "template")) == sorted(
            [(1, own.pk), (1, kind.pk), (2, kind.pk)]
        )
        assert take_over_criteria(order, actor=pm) == []
        save_criterion_template(own, title="Width of the plate", actor=pm)
        assert agreed.get(template=own).title == "Width", "what is agreed stays as it was agreed"

    def test_a_line_that_a_change_adds_begins_with_them(self):
        own = self.template(title="Width", product=line("SKU-2")["product"], minimum=Decimal(9), unit="mm")
        kind = self.template(stage="dispatch")
        order = started(line(supply="make"))
        work_off()
        drop_criterion(AgreedCriterion.objects.get(), actor=person("pm"))
        more = {"product": own.product_id, "quantity": "3", "supply": "make", "unit_price": "5"}
        applied(order, Op("add", after=more))
        agreed = AgreedCriterion.objects.values_list("order_line__position", "template")
        assert sorted(agreed) == [(2, own.pk), (2, kind.pk)], "what was dropped of an older line stays so"

    def test_pages(self, client_of, pm, sales):
        client = client_of(pm)
        data = {"title": "Weight", "kind": "goods", "minimum": "2", "maximum": "1", "is_active": "on"}
        answer = client.post("/fulfilment/criteria/new/", data)
        assert answer.status_code == 422
        assert answer.context["form"].errors == {"minimum": ["The smallest value is above the largest."]}
        assert client.post("/fulfilment/criteria/new/", data | {"maximum": "3"}).status_code == 302
        kept = CriterionTemplate.objects.get()
        assert "2 – 3" in client.get("/fulfilment/criteria/").content.decode()
        address = f"/fulfilment/criteria/{kept.pk}/edit/"
        assert client.get(address).status_code == 200
        assert client.post(address, data | {"title": "Mass", "maximum": "3"}).status_code == 302
        kept.refresh_from_db()
        assert kept.title == "Mass"
        for place in ("/fulfilment/criteria/", "/fulfilment/criteria/new/", address):
            assert client_of(sales).get(place).status_code == 403
        with pytest.raises(PermissionDenied):
            save_criterion_template(None, title="x", actor=sales)

    def test_the_list_costs_the_same_for_one_and_for_many(self, client_of, pm):
        def cost():
            with CaptureQueriesContext(
                connection,
            ) as seen:
                assert client.get("/fulfilment/criteria/").status_code == 200
            return len(seen)

        client = client_of(pm)
        self.template(product=line()["product"])
        client.get("/fulfilment/criteria/")
        few = cost()
        for number in range(12):
            self.template(title=f"No {number}", product=line("SKU-2")["product"])
        assert cost() == few


class TestAgree:
    def test_refused_with_a_sentence(self, pm, warehouse):
        order = shipped()
        other = shipped().order_lines[0]
        with pytest.raises(ValidationError, match="above the largest"):
            width(order, maximum=Decimal(1))
        with pytest.raises(ValidationError, match="does not belong"):
            add_criterion(order, title="x", order_line=other, actor=pm)
        with pytest.raises(PermissionDenied):
            add_criterion(order, title="x", actor=warehouse)
        examine(order)
        with pytest.raises(TransitionRefused, match="over"):
            add_criterion(order, title="x", actor=pm)

    def test_dropped_once_and_never_after_a_round(self, pm, warehouse):
        order = shipped()
        first, second = width(order), width(order, title="Height")
        with pytest.raises(PermissionDenied):
            drop_criterion(first, actor=warehouse)
        drop_criterion(first, actor=pm)
        with pytest.raises(TransitionRefused, match="gone"):
            drop_criterion(first, actor=pm)
        examine(order, Found(second.pk, Decimal(10)), good=1)
        with pytest.raises(TransitionRefused, match="examined"):
            drop_criterion(second, actor=pm)

    def test_in_the_browser(self, client_of, pm, pm2, warehouse, sales2):
        order = shipped()
        client = client_of(pm)
        address = f"/orders/{order.number}/do/add_criterion/"
        data = {"title": "Width", "minimum": "9.5", "order_line": order.order_lines[0].pk, "key": "k"}
        assert client.get(address).status_code == 200
        assert client.post(address, data | {"title": ""}).status_code == 422
        turned = client.post(address, data | {"maximum": "1"})
        assert turned.context["form"].errors == {"minimum": ["The smallest value is above the largest."]}
        assert client.post(address, data).status_code == 302
        criterion = AgreedCriterion.objects.get()
        page = client.get(order.get_absolute_url()).content.decode()
        assert "≥ 9.5" in page
        drop = f"/fulfilment/criteria/{criterion.pk}/do/drop/"
        assert client_of(pm2).get(drop).status_code == 404
        assert client_of(sales2).get(drop).status_code == 404
        assert client_of(warehouse).get(drop).status_code == 403
        assert client_of(warehouse).get(address).status_code == 403
        assert client.get(drop).status_code == 200
        assert AgreedCriterion.objects.exists(), "looking changes nothing"
        assert client.post(drop).status_code == 302
        assert not AgreedCriterion.objects.exists()


class TestRounds:
    @pytest.mark.parametrize(
        ("value", "passed"), [("9.5", True), ("10.5", True), ("9.499999", False), ("10.500001", False)]
    )
    def test_the_tolerance_decides_its_ends_included(self, value, passed):
        order = shipped()
        criterion = width(order)
        examine(order, Found(criterion.pk, Decimal(value), passed=not passed), good=3, bad=1)
        assert Finding.objects.get().passed is passed

    def test_failed_in_two_rounds_until_it_passes(self, pm, warehouse):
        order = shipped()
        criterion, papers = width(order), add_criterion(order, title="Papers complete", actor=pm)
        with pytest.raises(ValidationError) as refused:
            examine(order, Found(criterion.pk, Decimal(11)))
        assert list(refused.value.error_dict) == [f"criterion_{criterion.pk}", f"criterion_{papers.pk}"]
        assert not Acceptance.objects.exists()
        for number in (1, 2):
            order = fresh(order)
            found = [Found(criterion.pk, Decimal(11)), Found(papers.pk, passed=True)]
            assert examine(order, *found, good=3 if number == 1 else 0, bad=1, actor="manager").round == number
            assert fresh(order).state == "rectification"
            task = Rectification.objects.open().get()
            soon = timezone.localdate() + dt.timedelta(days=3)
            start_rectification(task, remedy="repair", owner=warehouse, due=soon, actor=pm)
            complete_rectification(task, result="filed down", actor=pm)
            assert [one.pk for one in open_criteria(order)] == [criterion.pk]
        order = fresh(order)
        with pytest.raises(ValidationError, match="not passed yet"):
            examine(order, good=1, actor="manager")
        examine(order, Found(criterion.pk, Decimal(10)), good=1, actor="manager")
        assert fresh(order).state == "accepted"
        assert list(Finding.objects.filter(criterion=criterion).values_list("passed", flat=True)) == [
            False, False, True
        ]  # fmt: skip

    def test_a_concession_stands_for_a_pass(self, pm):
        order = shipped()
        criterion = width(order)
        examine(order, Found(criterion.pk, Decimal(11)), good=3, bad=1)
        task = Rectification.objects.get()
        start_rectification(task, remedy="concession", owner=pm, due=timezone.localdate(), actor=pm)
        complete_rectification(task, result="taken for a lower price", actor=pm)
        assert open_criteria(order) == []
        examine(fresh(order), good=1, actor="manager")
        assert fresh(order).state == "accepted"

    def test_what_came_back_whole_is_not_examined(self, pm):
        order = two_lines()
        add_criterion(order, order_line=order.order_lines[1], title="Width", actor=pm)
        back(order)
        examine(fresh(order))
        assert fresh(order).state == "accepted"

    def test_a_return_does_not_accept_what_was_never_examined(self, pm, manager):
        order = two_lines()
        criterion = width(order)
        examine(order)  # the other line waits, so that the width may still be measured
        back(fresh(order))
        assert fresh(order).state == "shipped"
        assert [one.pk for one in open_criteria(fresh(order))] == [criterion.pk]
        waive_acceptance(fresh(order), reason="seen on the site", actor=manager)
        assert fresh(order).state == "accepted"

    def test_a_third_party_needs_its_report(self):
        order = shipped()
        with pytest.raises(ValidationError) as refused:
            examine(order, examiner="third")
        assert list(refused.value.error_dict) == ["evidence_file"]
        report = SimpleUploadedFile("report.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")
        assert examine(order, examiner="third", evidence_file=report).examiner == "third"
        with pytest.raises(IntegrityError), transaction.atomic():
            Acceptance.objects.create(
                order=order, round=9, on=timezone.localdate(), signed_by="x", evidence="x", key="x", examiner="third",
                recorded_by=person("pm"),
            )  # fmt: skip

    def test_a_criterion_of_another_order(self):
        foreign = width(shipped())
        with pytest.raises(ValidationError, match="does not belong"):
            examine(shipped(), Found(foreign.pk, Decimal(10)))

    def test_findings_and_photos_are_never_rewritten(self):
        order = shipped()
        picture = SimpleUploadedFile("a.png", PNG, "image/png")
        examine(order, Found(width(order).pk, Decimal(10)), photos=[picture])
        for rows in (Finding.objects.all(), AcceptancePhoto.objects.all(), Acceptance.objects.all()):
            assert rows.exists()
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.delete()
        with pytest.raises(IntegrityError), transaction.atomic():
            Finding.objects.update(passed=True, value=None)

    def test_in_the_browser_with_pictures(self, client_of, pm, sales2, pm2):
        order = shipped(customer=customer_b(), actor=person("sales2"))
        criterion, papers = width(order), add_criterion(order, title="Papers complete", actor=pm)
        pk, client = order.order_lines[0].pk, client_of(pm)
        address = f"/orders/{order.number}/do/record_acceptance/"
        form = client.get(address).content.decode()
        assert "Passes: 9.5 – 10.5 mm" in form
        data = {
            f"accepted_{pk}": "4", "signed_by": "Mr Wang", "evidence": "report", "on": str(timezone.localdate()),
            "key": "form-1", "examiner": "us", f"criterion_{criterion.pk}": "11", f"criterion_{papers.pk}": "yes",
        }  # fmt: skip
        answer = client.post(address, data)
        assert answer.status_code == 422
        assert "failed: say what is rejected" in answer.content.decode()
        data[f"criterion_{criterion.pk}"] = "10"
        evil = SimpleUploadedFile("photo.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png")
        paper = SimpleUploadedFile("note.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")
        for wrong in (evil, paper):
            assert client.post(address, data | {"photos": [wrong]}).status_code == 422
        assert not Acceptance.objects.exists()
        pictures = [SimpleUploadedFile(name, PNG, "image/png") for name in ("a.png", "b.png")]
        assert client.post(address, data | {"photos": pictures}).status_code == 302
        assert fresh(order).state == "accepted"
        page = client.get(order.get_absolute_url()).content.decode()
        assert "b.png" in page
        assert "We ourselves" in page
        photo = AcceptancePhoto.objects.first()
        shown = client.get(f"/fulfilment/acceptances/photos/{photo.pk}/")
        assert b"".join(shown.streaming_content) == PNG
        assert client_of(pm2).get(f"/fulfilment/acceptances/photos/{photo.pk}/").status_code == 404
