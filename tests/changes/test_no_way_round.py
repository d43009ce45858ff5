"""Every way to change a placed order without an approval is tried: addresses, bulk, import, shell, SQL. None works.

There is no API and no admin site: their addresses answer 404.
"""

import json

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django_fsm import TransitionNotAllowed

from changes.imports import save_change
from changes.models import ApprovalGrant, ApprovalStep, Assessment, ChangeRequest, Consent
from changes.services import Op, amendment_of, apply_change, approve_change, assess_change, next_step, operations_of
from ordermgmt.company.services import business_today
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.importing import Context, Group, Row
from ordermgmt.lib.invariants import violations
from orders.models import Order, OrderAmendment, OrderLine
from orders.services import Amendment, amend_order, edit_order
from tests.factories.changes import approved, assessed, fresh, more, submitted
from tests.factories.orders import line, made, person, started

pytestmark = pytest.mark.django_db
REFUSED = (DatabaseError, TransitionRefused, TransitionNotAllowed, PermissionDenied, StaleVersion, AttributeError)


@pytest.fixture
def order():
    return started(line(quantity=10, supply="make"), line("SKU-1", 90, supply="make"))


def kept(order):
    row = Order.objects.get(pk=order.pk)
    return row.content_hash(), row.version, OrderAmendment.objects.filter(order=order).count()


def tried(ways):
    """The names of the ways that went through."""
    through = []
    for name, way in ways.items():
        try:
            with transaction.atomic():
                way()
        except REFUSED:
            continue
        through.append(name)
    return through


def sql(text, *values):
    def run():
        with connection.cursor() as cursor:
            cursor.execute(text, values)

    return run


def test_by_address(client_of, order, pm, sales, manager, warehouse, admin):
    change = assessed(order, more(order, 12))
    url, before = change.get_absolute_url(), kept(order)
    for user, address, allowed in (
        (pm, f"{url}do/apply/", {409}), (admin, f"{url}do/apply/", {403, 404}), (sales, f"{url}do/approve/", {403}),
        (pm, f"{url}do/approve/", {403}), (warehouse, f"{url}do/approve/", {403}), (sales, f"{url}do/apply/", {403}),
    ):  # fmt: skip
        assert client_of(user).post(address, {"note": "x"}).status_code in allowed, (user, address)
    body = json.dumps({"version": fresh(change).version, "header": {"reason": change.reason_id}, "lines": []})
    for user, address in (
        (sales, f"{url}save/"), (manager, f"{url}save/"), (pm, f"{url}save/"), (sales, f"/orders/{order.number}/save/"),
        (sales, f"/orders/{order.number}/edit/"),
    ):  # fmt: skip
        answer = client_of(user).post(address, body, content_type="application/json")
        assert answer.status_code in (302, 403, 404, 405, 409, 422), (user, address, answer.status_code)
    bulk = {"action": "apply", "selected": [change.pk], "pk": [change.pk], "ids": [change.pk]}
    for address in ("/changes/", "/changes/bulk/", "/changes/bulk/apply/", "/changes/register/"):
        assert client_of(pm).post(address, bulk).status_code in (302, 403, 404, 405), address
    for address in ("/api/", "/api/changes/", "/admin/", "/admin/changes/changerequest/"):
        assert client_of(admin).get(address).status_code == 404
        assert client_of(admin).post(address, bulk).status_code == 404
    assert (kept(order), fresh(change).state) == (before, "assessed")


def test_by_import(order):
    """A file asks, and nothing more: whatever columns it brings, the request waits to be judged."""
    before = kept(order)
    row = {
        "source_key": "X-1", "order": order.number, "reason": "SCOPE", "text": "More", "before": order.net_total,
        "after": order.net_total + 5000, "state": "applied", "approved_by": "manager", "applied_at": "2020-01-01",
    }  # fmt: skip
    for _time in range(2):
        save_change(Context("tests", person("admin")), Group("X-1", [Row("row 1", row, {})]))
    change = ChangeRequest.objects.get()
    assert (change.state, change.source, change.steps.count()) == ("submitted", "import", 0)
    now = kept(order)
    assert (now[0], now[2]) == (before[0], before[2])


def test_by_shell(order):
    change, other = (
        assessed(order, more(order, 12)),
        started(line(quantity=3, supply="make"), line("SKU-1", 5, supply="make")),
    )
    foreign = approved(other, more(other, 4))
    order, pm = Order.objects.get(pk=order.pk), person("pm")
    before, row = kept(order), order.order_lines[0]

    def saved(instance, **values):
        def run():
            for name, value in values.items():
                setattr(instance, name, value)
            instance.save()

        return run

    def bulk():
        row.quantity = 99
        OrderLine.objects.bulk_update([row], ["quantity"])

    amendment = amendment_of(order, operations_of(change))
    amend = {"version": order.version, "actor": pm}
    ways = {
        "apply": lambda: apply_change(change, actor=pm),
        "approve by who asked": lambda: approve_change(change, actor=person("sales")),
        "approve by who judged": lambda: approve_change(change, actor=pm),
        "the transition itself": lambda: (fresh(change).apply(), None),
        "the state": saved(fresh(change), state="applied"),
        "amend for what is not approved": lambda: amend_order(
            order, amendment, source="changes.changerequest", source_id=change.pk, **amend
        ),
        "amend for another order's request": lambda: amend_order(
            order, amendment, source="changes.changerequest", source_id=foreign.pk, **amend
        ),
        "amend without a source": lambda: amend_order(order, amendment, source="shell", source_id=1, **amend),
        "amend nothing to gain a window": lambda: amend_order(
            order, Amendment(), source="changes.changerequest", source_id=change.pk, **amend
        ),
        "edit": lambda: edit_order(order, version=order.version, header={}, actor=person("sales"), lines=[]),
        "save a line": saved(OrderLine.objects.get(pk=row.pk), quantity=99),
        "bulk_update": bulk,
        "bulk_create": lambda: OrderLine.objects.bulk_create(
            [OrderLine(order=order, position=9, description="x", quantity=1, unit_price=1)]
        ),
        "delete": lambda: OrderLine.objects.filter(pk=row.pk).delete(),
        "save the head": saved(Order.objects.get(pk=order.pk), delivery_address="Elsewhere"),
        "update the total": lambda: Order.objects.filter(pk=order.pk).update(net_total=1),
        "update the promise": lambda: Order.objects.filter(pk=order.pk).update(promised_date="2999-01-01"),
        "a grant for a deputy of nobody": lambda: ApprovalGrant.objects.create(
            step=next_step(change), user=person("finance"), behalf=person("manager")
        ),
    }
    assert tried(ways) == []
    assert (kept(order), fresh(change).state) == (before, "assessed")


def test_by_sql(order):
    change = submitted(order, more(order, 12))
    before, row = kept(order), order.order_lines[0]
    draft = made(line(quantity=5)).order_lines[0].pk
    ways = {
        "a line": sql("UPDATE orders_orderline SET quantity = 99 WHERE id = %s", row.pk),
        "a price": sql("UPDATE orders_orderline SET unit_price = 1, net = 10 WHERE id = %s", row.pk),
        "a line gone": sql("DELETE FROM orders_orderline WHERE id = %s", row.pk),
        "another order's line": sql("UPDATE orders_orderline SET order_id = order_id + 1 WHERE id = %s", row.pk),
        "a line of a draft": sql(
            "UPDATE orders_orderline SET order_id = %s, position = 9 WHERE id = %s", order.pk, draft
        ),
        "the address": sql("UPDATE orders_order SET delivery_address = 'x' WHERE id = %s", order.pk),
        "the address with a version": sql(
            "UPDATE orders_order SET delivery_address = 'x', version = version + 1 WHERE id = %s", order.pk
        ),
        "the total": sql("UPDATE orders_order SET gross_total = 1 WHERE id = %s", order.pk),
        "the terms": sql("UPDATE orders_order SET payment_days = 900 WHERE id = %s", order.pk),
        "the date": sql("UPDATE orders_order SET promised_date = '2999-01-01' WHERE id = %s", order.pk),
        "back to a draft": sql("UPDATE orders_order SET state = 'draft' WHERE id = %s", order.pk),
        "approved": sql(
            "UPDATE changes_changerequest SET state = 'approved', content_hash = 'x' WHERE id = %s", change.pk
        ),
        "applied": sql(
            "UPDATE changes_changerequest SET state = 'applied', content_hash = 'x' WHERE id = %s", change.pk
        ),
        "assessed, then approved": lambda: (
            sql("UPDATE changes_changerequest SET state = 'assessed', content_hash = 'x' WHERE id = %s", change.pk)(),
            sql("UPDATE changes_changerequest SET state = 'approved' WHERE id = %s", change.pk)(),
        ),
        "who asked": sql(
            "UPDATE changes_changerequest SET requested_by_id = %s WHERE id = %s", person("admin").pk, change.pk
        ),
        "an operation": sql("UPDATE changes_operation SET after = '\"99\"' WHERE change_id = %s", change.pk),
        "the request gone": sql("DELETE FROM changes_changerequest WHERE id = %s", change.pk),
        "versions": sql("DELETE FROM orders_orderversion WHERE order_id = %s", order.pk),
    }
    assert tried(ways) == []
    assert (kept(order), fresh(change).state) == (before, "submitted")


def test_an_approved_request_is_no_key_to_anything_else(order):
    """Even where the amendment of an approved request is forged, lines take on only what the request says of them."""
    change = approved(order, more(order, 12))
    order = Order.objects.get(pk=order.pk)
    first, second = (one.pk for one in order.order_lines)
    row = {"order": order, "position": 3, "description": "x", "quantity": 1, "unit_price": 1}

    def under_amendment(deed):
        def run():
            OrderAmendment.objects.create(
                order=order, version=order.version + 1, source="changes.changerequest", source_id=change.pk,
                actor=person("pm"), last_position=2,
            )  # fmt: skip
            deed()

        return run

    lines = OrderLine.objects
    ways = {
        "more than was asked": lambda: lines.filter(pk=first).update(quantity=99),
        "another line": lambda: lines.filter(pk=second).update(quantity=12),
        "another column": lambda: lines.filter(pk=first).update(unit_price=1),
        "a date": lambda: lines.filter(pk=first).update(promised_date="2999-01-01"),
        "a text": lambda: lines.filter(pk=first).update(description="x"),
        "a line gone": lambda: lines.filter(pk=second).update(qty_cancelled=90),
        "a line gone for good": sql("DELETE FROM orders_orderline WHERE id = %s", first),
        "another place": lambda: lines.filter(pk=first).update(position=8),
        "another product": lambda: lines.filter(pk=second).update(product=None),
        "another tax": lambda: lines.filter(pk=first).update(tax_category="Z", tax_rate=0),
        "another supply": lambda: lines.filter(pk=first).update(supply="service"),
        "a line more": lambda: lines.create(**row),
    }
    assert tried({name: under_amendment(deed) for name, deed in ways.items()}) == []
    assert tried({"what was asked": under_amendment(lambda: lines.filter(pk=first).update(quantity=12))}) != []


def test_a_new_line_is_the_one_that_was_asked_for(order):
    new = {"description": "Crane", "quantity": "2", "unit_price": "70.5", "supply": "make"}
    change = approved(order, Op("add", after=new))
    order = Order.objects.get(pk=order.pk)
    row = {"order": order, "position": 3, "description": "Crane", "quantity": 2, "unit_price": "70.5", "supply": "make"}

    def added(**other):
        def run():
            OrderAmendment.objects.create(
                order=order, version=order.version + 1, source="changes.changerequest", source_id=change.pk,
                actor=person("pm"), last_position=2,
            )  # fmt: skip
            OrderLine.objects.create(**row | other)

        return run

    ways = {
        "more of it": added(quantity=3),
        "cheaper": added(unit_price="70.4"),
        "with a discount": added(discount_percent=50),
        "something else": added(description="Crane driver"),
        "a product": added(product=order.order_lines[1].product),
        "from stock": added(supply="stock"),
        "without tax": added(tax_category="Z"),
        "for another day": added(promised_date="2999-01-01"),
        "in another place": added(position=4),
    }
    assert tried(ways) == []
    assert tried({"as asked": added()}) != []


def test_what_is_added_comes_once(order):
    """Two new lines were approved: neither comes twice, by whatever place, nor under an amendment that counts wrongly."""
    new = {"description": "Crane", "quantity": "2", "unit_price": "70.5", "supply": "make"}
    change = approved(order, Op("add", after=new), Op("add", after=new | {"description": "Driver", "quantity": "1"}))
    order = Order.objects.get(pk=order.pk)
    crane = {"order": order, "description": "Crane", "quantity": 2, "unit_price": "70.5", "supply": "make"}
    driver = crane | {"description": "Driver", "quantity": 1}

    def added(*rows, last=2, then=None):
        def run():
            OrderAmendment.objects.create(
                order=order, version=order.version + 1, source="changes.changerequest", source_id=change.pk,
                actor=person("pm"), last_position=last,
            )  # fmt: skip
            for row in rows:
                OrderLine.objects.create(**row)
            if then:
                then()

        return run

    def moved():
        OrderLine.objects.filter(order=order, position=3).update(position=9)

    ways = {
        "twice": added(crane | {"position": 3}, crane | {"position": 4}),
        "twice at once": added(crane | {"position": 3}, crane | {"position": 3}),
        "twice beside the other": added(crane | {"position": 3}, driver | {"position": 4}, crane | {"position": 5}),
        "the other way round": added(driver | {"position": 3}, crane | {"position": 4}),
        "before the others": added(crane | {"position": 0}),
        "moved away": added(crane | {"position": 3}, then=moved),
        "an amendment that counts wrongly": added(crane | {"position": 2}, last=1),
        "an amendment that counts nothing": added(crane | {"position": 3}, last=None),
    }
    assert tried(ways) == []
    in_one = [OrderLine(**crane, position=3), OrderLine(**crane, position=4)]
    assert tried({"in one statement": added(then=lambda: OrderLine.objects.bulk_create(in_one))}) == []
    assert tried({"as asked": added(crane | {"position": 3}, driver | {"position": 4})}) != []


class TestWhoJudges:
    """By SQL and by the shell: the stored ids of who asked, who judged and who approves."""

    def judge(self, change, who, *, is_void=False):
        return Assessment.objects.create(
            change=change, aspect="quality", level="none", assessor=person(who), order_version=1, is_void=is_void
        )

    def other(self):
        order = started(line(quantity=10, supply="make"))
        return assessed(order, more(order, 11))

    def state(self, change, state):
        return sql("UPDATE changes_changerequest SET state = %s WHERE id = %s", state, change.pk)

    def test_not_who_asked_where_a_limit_is_passed(self, order):
        change = assessed(order, more(order, 60))
        assert change.beyond_limits
        Assessment.objects.filter(change=change, aspect="quality").update(is_void=True)
        ways = {
            "by who asked": lambda: self.judge(change, "sales"),
            "no limit any more": sql(
                "UPDATE changes_changerequest SET beyond_limits = %s WHERE id = %s", False, change.pk
            ),
        }
        assert tried(ways) == []
        assert tried({"by somebody else": lambda: self.judge(change, "pm")}) != []

    def granted(self, change):
        """Every step granted row by row, by somebody who holds the role; the request itself is not touched."""
        while (step := next_step(change)) is not None:
            ApprovalGrant.objects.create(step=step, user=person(step.role))
            ApprovalStep.objects.filter(pk=step.pk).update(state="granted")

    def test_what_they_judged_before_is_not_approved(self, order):
        """Slipped in while it was not known that a limit is passed."""
        change = submitted(order, more(order, 60))
        self.judge(change, "sales")
        for aspect in ("cost", "schedule"):
            assess_change(fresh(change), aspect=aspect, level="none", actor=person("pm"))
        change = fresh(change)
        assert (change.state, change.beyond_limits) == ("assessed", True)
        self.granted(change)
        assert tried({"approved": self.state(change, "approved")}) == []
        Assessment.objects.filter(change=change, assessor=person("sales")).update(is_void=True)
        assert tried({"with somebody else's judgement": self.state(change, "approved")}) != []

    def test_who_approved_does_not_judge_afterwards(self, order):
        """A judgement slipped in after the grant: the request is not approved any more."""
        change, other = assessed(order, more(order, 12)), self.other()
        for one in (change, other):
            self.granted(one)
        self.judge(change, "manager", is_void=True)
        assert tried({name: self.state(one, "approved") for name, one in (("judged", change), ("not", other))}) == [
            "not"
        ]


def test_consent_and_steps_are_not_forged(order):
    change = assessed(order, more(order, 60))
    assert change.needs_consent
    with pytest.raises(TransitionRefused):
        apply_change(change, actor=person("pm"))
    Consent.objects.create(
        change=change, given_by="x", given_on=business_today(), evidence="x", content_hash="0" * 64,
        recorded_by=person("sales"),
    )  # fmt: skip
    while (step := next_step(fresh(change))) is not None:
        approve_change(fresh(change), actor=person(step.role))
    with pytest.raises(TransitionRefused, match="consent"):
        apply_change(fresh(change), actor=person("pm"))
    assert tried({"steps": lambda: ApprovalStep.objects.filter(change=change).update(state="waiting")}) == []
    assert [str(one) for one in violations("C")] == []


def test_what_is_judged_again_counts_anew(order):
    """Three changes of a limit's third: the third meets the limit, whatever became of the first two meanwhile."""
    first = approved(order, more(order, 12))
    apply_change(first, actor=person("pm"))
    second = assessed(Order.objects.get(pk=order.pk), more(order, 14))
    third = assessed(Order.objects.get(pk=order.pk), Op("quantity", order.order_lines[0].pk, "16"))
    roles = [set(one.steps.exclude(state="void").values_list("role", flat=True)) for one in (first, second, third)]
    assert "finance" not in roles[0]
    assert "finance" in roles[2]
