"""Approving: rules as data, steps, separate people, splitting, deputies."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction

from changes.models import ApprovalGrant, ApprovalRule, ApprovalStep, ChangeRequest, Delegation
from changes.services import (
    Op,
    apply_change,
    approve_change,
    assess_change,
    delegate,
    next_step,
    refuse_change,
    save_rule,
)
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import assign_roles
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.factories.changes import agreed, approved, assessed, fresh, judged, more, submitted
from tests.factories.orders import line, person, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return started(line(quantity=10, supply="make"), line("SKU-1", 90, supply="make"))


def roles(change):
    return list(change.steps.filter(content_hash=change.content_hash).order_by("seq").values_list("role", flat=True))


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
        change = judged(submitted(order, more(order, 11), actor="pm"), by="pm")
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

    def test_beyond_a_limit_who_asked_does_not_judge_it(self, order):
        small = judged(submitted(order, more(order, 11), actor="pm"), by="pm")
        assert approve_change(small, actor=person("manager")).state == "approved"
        big = submitted(order, more(order, 20), actor="pm")
        with pytest.raises(TransitionRefused, match="somebody else judges"):
            assess_change(big, aspect="cost", level="none", actor=person("pm"))
        assert not big.assessments.exists()
        assert agreed(judged(big, by="pm2")).state == "approved"

    def test_a_limit_that_the_judgement_passes(self, order):
        change = judged(submitted(order, Op("line_date", order.order_lines[1].pk, "2999-01-01"), actor="pm"), days=30)
        with pytest.raises(TransitionRefused, match="somebody else judges"):
            approve_change(change, actor=person("manager"))
        assert agreed(judged(change, by="pm2", days=30)).state == "approved"

    def test_what_is_approved_can_still_be_refused(self, order):
        """Who asked for it may be gone, or it came from a file: somebody who approves ends it before it is applied."""
        change = approved(order, more(order, 11))
        with pytest.raises(PermissionDenied):
            refuse_change(change, reason="no", actor=person("pm"))
        assert refuse_change(change, reason="The customer stepped back.", actor=person("manager")).state == "refused"
        with pytest.raises(TransitionRefused):
            apply_change(change, actor=person("pm"))
        kept = Order.objects.get(pk=order.pk)
        assert (kept.open_changes, kept.pending_changes) == (0, 0)

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

    def test_a_rule_by_the_kind_of_operation(self, order):
        steps = [{"role": "sales_manager", "mode": "any", "due_days": 1}]
        rule = save_rule(name="Prices", kinds=["price", "discount"], steps=steps, actor=person("admin"))
        assert rule.sentence("EUR") == "It is about: Price, Discount %: Sales manager."
        assert "sales_manager" not in roles(assessed(order, more(order, 11)))
        assert "sales_manager" in roles(assessed(order, Op("price", order.order_lines[1].pk, "1.01")))
        with pytest.raises(ValidationError, match="not a kind"):
            save_rule(rule, kinds=["x"], steps=steps, actor=person("admin"))

    def test_all_of_a_group_stays_all_when_a_later_rule_asks_one(self, order):
        for name, mode, seq in (("All", "all", 1), ("One", "any", 2)):
            steps = [{"role": "sales_manager", "mode": "any", "due_days": 1}] * (seq - 1)
            save_rule(
                name=name, steps=[*steps, {"role": "finance", "mode": mode, "due_days": 4 - seq}], actor=person("admin")
            )
        change = assessed(order, more(order, 11))
        assert change.steps.get(role="finance").mode == "all"

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


class TestPages:
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
        assert "over 1,000 EUR (at the day's rate; also where none is known): Finance manager." in rule.sentence("EUR")
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


def test_the_end_of_work_in_progress_asks_manager_and_finance(admin):
    """Whatever the rules say: nobody else is kept as having agreed for finance."""
    order = started(line(quantity=10, supply="make"))
    ApprovalRule.objects.update(is_active=False)
    steps = [{"role": "sales_manager", "mode": "any", "due_days": 3}]
    save_rule(name="Ends", kinds=["terminate"], steps=steps, actor=admin)
    assert roles(assessed(order, more(order, 11))) == ["manager"]
    change = assessed(order, Op("terminate", after={"fee": "0"}))
    assert roles(change) == ["sales_manager", "manager", "finance"]
    apply_change(agreed(change), actor=person("pm"))
    ended = Order.objects.get(pk=order.pk)
    assert (ended.state, ended.termination_agreed_by) == ("cancelled", person("finance"))
