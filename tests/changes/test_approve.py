"""Judging and approving: impact without a trace, rules as data, steps, separate people, what moved, splitting, deputies."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from changes.models import ApprovalGrant, ApprovalRule, ApprovalStep, ChangeRequest, Delegation
from changes.services import (
    Op,
    apply_change,
    approve_change,
    assess_change,
    delegate,
    impact_of,
    next_step,
    reassess_change,
    record_consent,
    save_rule,
    take_back_change,
)
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import assign_roles
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order
from orders.services import hold_order, resume_order
from tests.factories.changes import agreed, approved, assessed, fresh, judged, more, submitted
from tests.factories.orders import line, person, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return started(line(quantity=10, supply="make"), line("SKU-1", 90, supply="make"))


def roles(change):
    return list(change.steps.filter(content_hash=change.content_hash).order_by("seq").values_list("role", flat=True))


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
        assert [one.order for one in impact_of(order, [Op("quantity", row.pk, "1")]).purchases] == [purchase]
        assert impact_of(order, [Op("price", row.pk, "1")]).purchases == []

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


class TestApproving:
    def test_a_small_one_by_a_manager(self, order):
        change = assessed(order, more(order, 11))
        assert roles(change) == ["manager"]
        done = approve_change(change, note="fine", actor=person("manager"))
        assert done.state == "approved"
        assert Order.objects.get(pk=order.pk).pending_changes == 1
        assert list(violations(["A3", "T6"])) == []
        with pytest.raises(TransitionRefused):
            approve_change(done, actor=person("manager"))

    def test_a_bigger_one_in_steps(self, order):
        change = assessed(order, more(order, 20))
        assert roles(change) == ["manager", "finance"]
        with pytest.raises(TransitionRefused, match="waits for"):
            approve_change(change, actor=person("finance"))
        assert approve_change(change, actor=person("manager")).state == "assessed"
        with pytest.raises(TransitionRefused):
            approve_change(fresh(change), actor=person("manager"))
        assert approve_change(fresh(change), actor=person("finance")).state == "approved"

    def test_three_small_ones_do_not_dodge_the_limit(self, order):
        seen = []
        for quantity in (13, 14, 15):
            change = assessed(order, more(order, quantity))
            seen.append(roles(change))
        assert seen[0] == ["manager"]
        assert seen[1] == ["manager", "finance"]
        assert "finance" in seen[2]

    def test_p18_never_who_asked_or_judged_whatever_their_roles(self, order):
        asking = person("pm")
        change = judged(submitted(order, actor="pm"), by="pm")
        assign_roles(asking, roles=[Role.PM, Role.MANAGER, Role.FINANCE, Role.ADMIN], actor=person("admin"))
        with pytest.raises(TransitionRefused, match="asked for a change"):
            approve_change(change, actor=person("pm"))
        other = assessed(order, more(order, 12))
        with pytest.raises(TransitionRefused, match="judged a change"):
            approve_change(other, actor=person("pm"))
        step = next_step(other)
        for user in (person("pm"), person("sales")):
            with pytest.raises(DatabaseError), transaction.atomic():
                ApprovalGrant.objects.create(step=step, user=user)

    def test_no_way_around_in_the_database(self, order):
        change = assessed(order)
        for deed in (
            lambda: ChangeRequest.objects.filter(pk=change.pk).update(state="approved"),
            lambda: ApprovalStep.objects.filter(change=change).update(state="granted"),
            lambda: ApprovalStep.objects.create(
                change=change,
                content_hash=change.content_hash,
                seq=9,
                role="sales",
                due_on=business_today(),
                state="granted",
            ),
            lambda: change.steps.all().delete(),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():  # noqa: PT012  # one of the two is refused
                deed()
                ChangeRequest.objects.filter(pk=change.pk).update(state="approved")
        approve_change(change, actor=person("manager"))
        with pytest.raises(DatabaseError), transaction.atomic():
            ApprovalGrant.objects.all().delete()

    def test_c1_five_ways_around_that_were_open(self, order):
        """Rows rewritten past the verbs: each alone is refused, and so the request never becomes approved."""
        change = assessed(order, more(order, 20))
        waiting = next_step(change)
        finance, manager, pm = person("finance"), person("manager"), person("pm")
        forged = "0" * 64
        step = {"change": change, "due_on": business_today()}
        ways = {
            "the step that waits is deleted": lambda: change.steps.filter(seq=2)._raw_delete("default"),
            "the step is moved to another content": lambda: change.steps.update(content_hash=forged),
            "the step is given to another role": lambda: change.steps.filter(pk=waiting.pk).update(role="finance"),
            "granted by somebody who is not asked": lambda: ApprovalGrant.objects.create(step=waiting, user=finance),
            "granted for somebody who delegated nothing": lambda: ApprovalGrant.objects.create(
                step=waiting, user=finance, behalf=manager
            ),
            "granted before its turn": lambda: ApprovalGrant.objects.create(step=change.steps.get(seq=2), user=finance),
            "who judged makes it void and grants": lambda: (
                change.assessments.update(is_void=True),
                assign_roles(pm, roles=[Role.PM, Role.MANAGER], actor=person("admin")),
                ApprovalGrant.objects.create(step=waiting, user=pm),
            ),
            "a judgement is deleted": lambda: change.assessments.all()._raw_delete("default"),
            "a judgement is given to somebody else": lambda: change.assessments.update(assessor=finance),
            "another content for what was judged": lambda: ChangeRequest.objects.filter(pk=change.pk).update(
                content_hash=forged
            ),
            "a step of somebody who approves nothing": lambda: ApprovalStep.objects.create(
                content_hash=change.content_hash, seq=9, role="sales", **step
            ),
        }
        open_ways = []
        for name, deed in ways.items():
            try:
                with transaction.atomic():
                    deed()
            except DatabaseError:
                continue
            open_ways.append(name)
        assert open_ways == []
        assert agreed(change).state == "approved"

    def test_c1_what_was_approved_stays(self, order):
        change = approved(order, more(order, 60))
        assert change.needs_consent
        for name, value in {"order_version": 99, "needs_consent": False, "net_change": 1, "content_hash": "1"}.items():
            with pytest.raises(DatabaseError), transaction.atomic():
                ChangeRequest.objects.filter(pk=change.pk).update(**{name: value})

    def test_a_step_beside_those_that_the_rules_ask_is_seen(self, order):
        change = assessed(order, more(order, 11))
        ApprovalStep.objects.create(
            change=change, content_hash=change.content_hash, seq=2, role="finance", due_on=business_today()
        )
        with pytest.raises(TransitionRefused, match="moved"):
            approve_change(fresh(change), actor=person("manager"))

    def test_days_are_summed_over_the_changes(self, order):
        day = order.promised_date
        seen = []
        for shift in (4, 8, 12):
            operation = Op("promised_date", after=str(day + dt.timedelta(days=shift)))
            change = assessed(Order.objects.get(pk=order.pk), operation)
            seen.append((change.days, "finance" in roles(change)))
            apply_change(agreed(change), actor=person("pm"))
        assert seen == [(4, False), (4, False), (4, True)]

    def test_a_swap_of_equal_value_is_no_change_of_nothing(self, order):
        first = order.order_lines[0]
        new = {"description": "Crane", "quantity": "1", "unit_price": str(first.net), "supply": "make"}
        change = assessed(order, Op("remove", first.pk), Op("add", after=new))
        assert (change.net_change, change.moved) == (0, 2 * first.net)
        assert "finance" in roles(change)

    def test_all_of_a_group_stays_all_when_a_later_rule_asks_one(self, order):
        for name, mode, seq in (("All", "all", 1), ("One", "any", 2)):
            steps = [{"role": "sales_manager", "mode": "any", "due_days": 1}] * (seq - 1)
            save_rule(
                name=name, steps=[*steps, {"role": "finance", "mode": mode, "due_days": 4 - seq}], actor=person("admin")
            )
        change = assessed(order, more(order, 11))
        assert change.steps.get(role="finance").mode == "all"

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

    def test_taken_back_voids_everything(self, order):
        change = approved(order, more(order, 11))
        take_back_change(change, actor=person("sales"))
        assert not fresh(change).assessments.filter(is_void=False).exists()
        assert set(fresh(change).steps.values_list("state", flat=True)) == {"void"}
        assert Order.objects.get(pk=order.pk).pending_changes == 0

    def test_all_of_a_group(self, order):
        rule = ApprovalRule.objects.get(name="Bigger changes")
        save_rule(
            rule, name=rule.name, share_over=Decimal(5), actor=person("admin"),
            steps=[{"role": "finance", "mode": "all", "due_days": 2}],
        )  # fmt: skip
        change = assessed(order, more(order, 20))
        assert roles(change) == ["finance", "manager"]
        assert approve_change(fresh(change), actor=person("finance")).state == "assessed"
        with pytest.raises(TransitionRefused, match="agreed already"):
            approve_change(fresh(change), actor=person("finance"))
        approve_change(fresh(change), actor=person("finance2"))
        assert next_step(fresh(change)).role == "manager"
        assert approve_change(fresh(change), actor=person("manager")).state == "approved"

    def test_a_deputy_with_dates(self, order):
        today = business_today()
        given = {"since": today, "until": today, "reason": "leave"}
        with pytest.raises(ValidationError, match="may not approve"):
            delegate(deputy=person("sales"), actor=person("manager"), **given)
        with pytest.raises(ValidationError, match="over"):
            delegate(deputy=person("finance"), actor=person("manager"), **given | {"until": today - dt.timedelta(1)})
        change = assessed(order, more(order, 11))
        with pytest.raises(TransitionRefused, match="waits for"):
            approve_change(change, actor=person("finance2"))
        delegate(deputy=person("finance2"), actor=person("manager"), **given)
        assert approve_change(change, actor=person("finance2")).state == "approved"
        grant = ApprovalGrant.objects.get()
        assert (grant.user, grant.behalf) == (person("finance2"), person("manager"))
        Delegation.objects.update(ended=True)

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

    def test_rules_are_explained_and_edited(self, client_of, admin, manager, sales):
        page = client_of(sales).get("/changes/rules/").content.decode()
        assert "They come to over 5 % of the order or the delay is over 10 days" in page
        assert client_of(sales).get("/changes/rules/new/").status_code == 403
        client = client_of(admin)
        form = {
            "name": "Dear ones",
            "is_active": "on",
            "amount_over": "1000",
            "role_1": "finance_manager",
            "mode_1": "any",
            "days_1": "2",
        }
        assert client.post("/changes/rules/new/", form | {"role_1": ""}).status_code == 422
        assert client.post("/changes/rules/new/", form | {"role_2": "finance_manager"}).status_code == 422
        assert client.post("/changes/rules/new/", form).status_code == 302
        rule = ApprovalRule.objects.get(name="Dear ones")
        assert "over 1,000: Finance manager." in rule.sentence()
        address = f"/changes/rules/{rule.pk}/do/edit/"
        assert client.get(address).status_code == 200
        assert client.post(address, form | {"amount_over": "", "days_over": "7"}).status_code == 302
        assert ApprovalRule.objects.get(pk=rule.pk).days_over == 7
        assert client_of(manager).get(address).status_code == 403

    def test_delegations_page(self, client_of, manager, finance):
        client, today = client_of(manager), str(business_today())
        form = {"deputy": str(finance.pk), "since": today, "until": today, "reason": "leave"}
        assert client.post("/changes/delegations/new/", form | {"until": "2000-01-01"}).status_code == 422
        assert client.post("/changes/delegations/new/", form).status_code == 302
        row = Delegation.objects.get()
        assert finance.name in client.get("/changes/delegations/").content.decode()
        assert client_of(finance).post(f"/changes/delegations/{row.pk}/do/end/").status_code == 404
        assert client.post(f"/changes/delegations/{row.pk}/do/end/").status_code == 302
        assert Delegation.objects.get().ended


def test_the_factory_agrees_for_everybody(order):
    assert agreed(assessed(order, more(order, 60))).state == "approved"
