"""Judging: impact without a trace, three judgements, what moved is judged again, consent bound to what was judged."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from changes.services import (
    Op,
    apply_change,
    approve_change,
    assess_change,
    impact_of,
    next_step,
    reassess_change,
    record_consent,
    refuse_change,
    take_back_change,
)
from fulfilment.services import add_criterion
from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.templatetags.ui import day, quantity
from orders.models import Order, OrderLine
from orders.services import hold_order, resume_order
from tests.factories.billing import drafted
from tests.factories.changes import agreed, approved, assessed, fresh, judged, more, submitted
from tests.factories.orders import line, person, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return started(line(quantity=10, supply="make"), line("SKU-1", 90, supply="make"))


class TestImpact:
    def test_what_if_leaves_no_trace(self, order):
        before = (Order.objects.values().get(pk=order.pk), Event.objects.count())
        found = impact_of(
            order,
            [
                Op("quantity", order.order_lines[0].pk, "15"),
                Op("promised_date", after=str(order.promised_date + dt.timedelta(days=9))),
                Op("add", after={"description": "Crane", "quantity": "1", "unit_price": "70", "supply": "make"}),
            ],
        )
        unit = order.order_lines[0].unit_price
        assert found.net == 5 * unit + 70
        assert found.gross == found.net + found.tax
        assert found.days == 9
        assert (Order.objects.values().get(pk=order.pk), Event.objects.count()) == before
        assert order.order_lines[0].quantity == 10

    def test_the_date_of_a_line_counts_as_days(self, order):
        """The promise of a line is one, too: a limit of days is not dodged line by line."""
        first, second = order.order_lines
        days = [str(order.promised_date + dt.timedelta(days=more)) for more in (4, 30)]
        found = impact_of(order, [Op("line_date", first.pk, days[0]), Op("line_date", second.pk, days[1])])
        assert found.days == 30
        assert found.reasons == [f"Line 2 is promised for {day(dt.date.fromisoformat(days[1]))}."]
        sooner = str(order.promised_date - dt.timedelta(days=1))
        assert impact_of(order, [Op("line_date", first.pk, sooner)]).days == 0

    def test_cost_judged_of_applied_changes_lowers_the_margin_of_the_next(self, order):
        """Three small costs meet the limit of margin that one big one would."""
        first = submitted(order, more(order, 11))
        assess_change(first, aspect="cost", level="low", note="Extra work", cost=Decimal(500), actor=person("pm"))
        for aspect in ("schedule", "quality"):
            assess_change(fresh(first), aspect=aspect, level="none", actor=person("pm"))
        kept = fresh(first).margin_after
        apply_change(agreed(first), actor=person("pm"))
        order = Order.objects.get(pk=order.pk)
        assert impact_of(order, [more(order, 12)]).margin_before == kept
        assert assessed(order, more(order, 12)).margin_after < Decimal(100) - Decimal(50000) / order.net_total

    def test_a_fee_above_what_the_order_comes_to_by_now(self, client_of, pm, order):
        """The page of a request that no longer fits says so, and can still be taken back."""
        change = submitted(order, Op("terminate", after={"fee": str(order.net_total)}))
        apply_change(agreed(assessed(order, Op("price", order.order_lines[1].pk, "1"))), actor=person("pm"))
        client, url = client_of(pm), change.get_absolute_url()
        page = client.get(url)
        assert page.status_code == 200
        for verb in ("assess_cost", "assess_schedule", "assess_quality"):
            assert client.get(f"{url}do/{verb}/").status_code == 200
            client.post(f"{url}do/{verb}/", {"level": "none"})
        assert client_of(person("sales")).get(url).status_code == 200
        assert take_back_change(fresh(change), actor=person("sales")).state == "draft"
        edit = client_of(person("sales")).get(f"{url}edit/")
        assert edit.status_code == 200

    def test_stock_that_is_not_there_is_named(self):
        order = started(line(quantity=2), line("SKU-1", 1, supply="make"))
        found = impact_of(order, [Op("quantity", order.order_lines[0].pk, "500")])
        assert [one.sku for one in found.short] == ["SKU-1"]
        assert found.stock[0].more == 498

    def test_what_is_awaited_from_suppliers_is_named(self):
        from inventory.services import draft_purchase, order_purchase
        from tests.factories.purchases import offers, supplier

        order = started(line(quantity=2, supply="make"))
        row, who = order.order_lines[0], supplier()
        offers(who, row.product, 5)
        purchase = draft_purchase(who, lines=[{"product": row.product, "quantity": Decimal(9)}], actor=person("pm"))
        order_purchase(purchase, actor=person("pm"))
        assert [one.line.order for one in impact_of(order, [Op("quantity", row.pk, "1")]).purchases] == [purchase]
        assert impact_of(order, [Op("price", row.pk, "1")]).purchases == []

    def test_criteria_and_inspections_that_are_touched(self, order, client_of, pm):
        first, second = order.order_lines
        wide, other = (
            add_criterion(order, order_line=one, title=title, actor=pm)
            for one, title in ((first, "No scratches"), (second, "Polished"))
        )
        order = Order.objects.get(pk=order.pk)
        assert impact_of(order, [Op("quantity", first.pk, "12")]).criteria == [wide]
        assert impact_of(order, [Op("price", first.pk, "1")]).criteria == []
        assert impact_of(order, [Op("terminate", after={})]).criteria == [wide, other]
        OrderLine.objects.filter(pk=first.pk).update(qty_shipped=2, qty_accepted=1)
        assert impact_of(Order.objects.get(pk=order.pk), [Op("quantity", first.pk, "12")]).inspected == 1
        page = client_of(pm).get(submitted(order, Op("quantity", first.pk, "12")).get_absolute_url())
        assert "No scratches" in page.content.decode()
        assert "Polished" not in page.content.decode()

    def test_queries_are_the_same_for_many_lines(self):
        small = started(*[line(quantity=5, supply="make") for _ in range(2)])
        big = started(*[line(quantity=5, supply="make") for _ in range(40)])
        counts = []
        for one in (small, big):
            loaded = Order.objects.get(pk=one.pk)
            with CaptureQueriesContext(connection) as asked:
                impact_of(loaded, [Op("quantity", row.pk, "7") for row in loaded.order_lines])
            counts.append(len(asked))
        assert counts[0] == counts[1]


class TestJudging:
    def test_three_judgements_make_it_assessed(self, order):
        change = judged(submitted(order), days=3)
        assert (change.state, change.days, change.order_version) == (
            "assessed",
            3,
            Order.objects.get(pk=order.pk).version,
        )
        assert change.content_hash
        assert change.impact["net"] == format(change.net_change.normalize(), "f")

    def test_bad_input_and_rights(self, order):
        change = submitted(order)
        with pytest.raises(ValidationError, match="what the effect is"):
            assess_change(change, aspect="quality", level="high", actor=person("pm"))
        with pytest.raises(ValidationError, match="how strong"):
            assess_change(change, aspect="schedule", level="none", days=4, actor=person("pm"))
        for key, aspect in (("sales", "cost"), ("warehouse", "quality"), ("finance", "schedule"), ("manager", "cost")):
            with pytest.raises(PermissionDenied):
                assess_change(change, aspect=aspect, level="none", actor=person(key))
        with pytest.raises(TransitionRefused):
            assess_change(
                take_back_change(change, actor=person("sales")), aspect="cost", level="none", actor=person("pm")
            )

    def test_a_later_judgement_voids_the_approvals(self, order):
        change = assessed(order)
        approve_change(change, actor=person("manager"))
        assess_change(fresh(change), aspect="cost", level="low", note="more", cost=Decimal(5), actor=person("finance2"))
        assert next_step(fresh(change)).seq == 1
        assert fresh(change).assessments.filter(is_void=False).count() == 3


class TestJudgedAgain:
    def test_an_order_that_moved_is_judged_again(self, order):
        change = assessed(order, more(order, 11))
        hold_order(order, reason="wait", actor=person("pm"))
        with pytest.raises(TransitionRefused, match="on hold"):
            approve_change(change, actor=person("manager"))
        again = reassess_change(fresh(change), actor=person("pm"))
        assert (again.state, again.order_version) == ("assessed", Order.objects.get(pk=order.pk).version)
        assert approve_change(fresh(change), actor=person("manager")).state == "approved"
        with pytest.raises(TransitionRefused, match="did not move"):
            reassess_change(fresh(change), actor=person("pm"))
        resume_order(Order.objects.get(pk=order.pk), actor=person("pm"))
        assert reassess_change(fresh(change), actor=person("pm")).state == "assessed"
        assert next_step(fresh(change)).seq == 1

    def test_what_moved_is_the_order_and_not_its_requests(self, order):
        """Approving counts the order's requests anew; that moves nothing a judgement or an approval rests on."""
        change = approved(order, more(order, 11))
        drafted(Order.objects.get(pk=order.pk))
        with pytest.raises(TransitionRefused, match="moved") as refused:
            apply_change(fresh(change), actor=person("pm"))
        assert "requests" not in str(refused.value)
        assert "draft" in str(refused.value)

    def test_taken_back_voids_everything(self, order):
        change = approved(order, more(order, 11))
        take_back_change(change, actor=person("sales"))
        assert not fresh(change).assessments.filter(is_void=False).exists()
        assert set(fresh(change).steps.values_list("state", flat=True)) == {"void"}
        assert Order.objects.get(pk=order.pk).pending_changes == 0

    def test_consent_is_bound_to_the_content(self, order):
        change = assessed(order, more(order, 60))
        assert change.needs_consent
        given = {"given_by": "Mr Wang", "evidence": "mail"}
        with pytest.raises(ValidationError, match="ahead"):
            record_consent(change, given_on=dt.date(2999, 1, 1), actor=person("sales"), **given)
        with pytest.raises(PermissionDenied):
            record_consent(change, given_on=business_today(), actor=person("finance"), **given)
        first = record_consent(change, given_on=business_today(), actor=person("sales"), **given)
        assert record_consent(change, given_on=business_today(), actor=person("sales"), **given) == first
        hold_order(order, reason="wait", actor=person("pm"))
        again = reassess_change(fresh(change), actor=person("pm"))
        assert not again.consents.filter(content_hash=again.content_hash).exists()


class TestPages:
    def test_the_way_through_the_pages(self, client_of, pm, manager, finance, order):
        change = submitted(order, more(order, 20))
        url = change.get_absolute_url()
        client = client_of(pm)
        assert change.number in client.get("/").content.decode()
        for aspect in ("cost", "schedule", "quality"):
            address = f"{url}do/assess_{aspect}/"
            assert client.get(address).status_code == 200
            assert client.post(address, {"level": "none", "days": "3"}).status_code == 422
            assert client.post(address, {"level": "none"}).status_code == 302
        assert fresh(change).state == "assessed"
        assert change.number in client_of(manager).get("/").content.decode()
        page = client_of(manager).get(url).content.decode()
        assert "do/approve/" in page
        assert "do/approve/" not in client_of(finance).get(url).content.decode()
        assert client_of(pm).post(f"{url}do/approve/").status_code == 403
        assert client_of(manager).get(f"{url}do/approve/").status_code == 200
        assert client_of(manager).post(f"{url}do/approve/", {"note": "yes"}).status_code == 302
        assert client_of(manager).post(f"{url}do/approve/").status_code == 409
        assert client_of(finance).post(f"{url}do/approve/").status_code == 302
        assert fresh(change).state == "approved"
        assert "Margin" in page
        assert "Margin" not in client_of(person("sales")).get(url).content.decode()

    def test_the_page_says_who_judged_and_who_can_approve(self, client_of, finance, finance2, manager, order):
        change = submitted(order, more(order, 20))
        dialog = client_of(finance).get(f"{change.get_absolute_url()}do/assess_cost/").content.decode()
        assert "Whoever judges a change can&#x27;t approve it" in dialog
        assess_change(change, aspect="cost", level="low", note="Work done twice.", cost=Decimal(100), actor=finance)
        for aspect in ("schedule", "quality"):
            assess_change(fresh(change), aspect=aspect, level="none", actor=person("pm"))
        approve_change(fresh(change), actor=manager)
        url = change.get_absolute_url()
        page = client_of(finance).get(url).content.decode()
        assert "You judged it, so you can&#x27;t approve it." in page
        assert f"Who can approve: {finance2.name}" in page
        assert "do/approve/" not in page
        page = client_of(finance2).get(url).content.decode()
        assert "You judged it" not in page
        assert "do/approve/" in page
        finance2.is_active = False
        finance2.save()
        User.objects.with_role(Role.FINANCE).exclude(pk=finance.pk).update(is_active=False)
        assert "Nobody is left who could" in client_of(finance).get(url).content.decode()

    def test_the_judged_cost_is_in_the_margin_that_approvers_see(self, client_of, manager, order):
        change = submitted(order, more(order, 20))
        assess_change(
            change, aspect="cost", level="low", note="Work done twice.", cost=Decimal(200), actor=person("pm")
        )
        for aspect in ("schedule", "quality"):
            assess_change(fresh(change), aspect=aspect, level="none", actor=person("pm"))
        change = fresh(change)
        page = client_of(manager).get(change.get_absolute_url()).content.decode()
        assert "Judged on top of it" in page
        assert f"→ {quantity(change.margin_after)} %" in page
        assert Decimal(change.impact["margin_after"]) == change.margin_after

    def test_what_is_decided_keeps_its_impact_and_the_consent(self, client_of, manager, sales, order):
        change = agreed(assessed(order, more(order, 60)))
        apply_change(change, actor=person("pm"))
        page = client_of(sales).get(change.get_absolute_url()).content.decode()
        for text in ("Impact as it was judged", "Mr Wang", "letter", "Recorded by", day(business_today())):
            assert text in page, text
        told = client_of(sales).get(order.get_absolute_url()).content.decode()
        assert f"by Mr Wang on {day(business_today())} (letter)" in told
        assert "noted the change requests" not in told
        refused = assessed(Order.objects.get(pk=order.pk), more(order, 80))
        refuse_change(refused, reason="No.", actor=manager)
        page = client_of(manager).get(refused.get_absolute_url()).content.decode()
        assert "Impact as it was judged" in page
        assert "Margin" in page
        with translation.override("zh-hans"):
            event = Event.objects.filter(type="changes.judged").latest("pk")
            assert event.message == f"评估了变更 {refused.number} 的质量：无"

    def test_the_reason_for_the_days_is_kept_in_every_language(self, client_of, manager, order):
        later = str(order.promised_date + dt.timedelta(days=9))
        change = assessed(order, Op("promised_date", after=later))
        refuse_change(change, reason="No.", actor=manager)
        page = client_of(manager).get(change.get_absolute_url()).content.decode()
        assert "The promised date moves to" in page
        User.objects.filter(pk=manager.pk).update(language="zh-hans")
        page = client_of(manager).get(change.get_absolute_url()).content.decode()
        assert "The promised date moves to" not in page
        assert "承诺日期改为" in page
