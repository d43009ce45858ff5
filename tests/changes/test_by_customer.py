"""What the portal calls: the customer asks, withdraws, agrees to what was on their screen, says no."""

import pytest
from django.core.exceptions import ValidationError

from changes.models import ChangeRequest
from changes.services import (
    apply_change,
    ask_as_customer,
    consent_as_customer,
    decline_as_customer,
    withdraw_as_customer,
)
from ordermgmt.accounts.services import system_user
from ordermgmt.lib.fsm import TransitionRefused
from orders.models import Order
from tests.factories.changes import agreed, assessed, fresh, judged, more, reason, submitted
from tests.factories.orders import line, person, settled, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return started(line(quantity=10, supply="make"), line("SKU-1", 90, supply="make"))


def ask(order, *operations, key="k1", **given):
    values = {"contact": "Ms Li", "reason": reason(), "text": "Two more, please."} | given
    return ask_as_customer(order, operations=operations or (more(order, 12),), key=key, **values)


def test_asked_once_and_judged_like_any_other(order, client_of, pm):
    change = ask(order)
    assert ask(order).pk == change.pk
    assert (change.state, change.source, change.contact) == ("submitted", "customer", "Ms Li")
    assert Order.objects.get(pk=order.pk).open_changes == 1
    assert "Ms Li" in client_of(pm).get(change.get_absolute_url()).content.decode()
    applied = apply_change(agreed(judged(fresh(change))), actor=person("pm"))
    assert applied.state == "applied"
    again = Order.objects.get(pk=order.pk)
    assert ask(again, more(again, 13), key="k2", text="And one.").pk != change.pk


def test_nothing_is_written_of_what_is_wrong(order):
    with pytest.raises(ValidationError, match="Say who asks"):
        ask(order, contact=" ")
    with pytest.raises(ValidationError, match="stays as it is"):
        ask(order, more(order, 10))
    with pytest.raises(TransitionRefused, match="what is wanted"):
        ask(order, text=" ")
    with pytest.raises(TransitionRefused, match="takes no change request"):
        ask(settled(line(quantity=1, supply="make")))
    assert not ChangeRequest.objects.exists()


def test_they_withdraw_only_their_own(order):
    change = ask(order)
    assert withdraw_as_customer(change, contact="Ms Li", reason="Too late.").decision == "Ms Li: Too late."
    with pytest.raises(TransitionRefused):
        withdraw_as_customer(change, contact="Ms Li", reason="again")
    with pytest.raises(TransitionRefused, match="theirs"):
        withdraw_as_customer(submitted(order), contact="Ms Li", reason="x")


def test_consent_is_to_what_was_on_the_screen(order):
    change = assessed(order, more(order, 60))
    given = {"contact": "Ms Li", "evidence": "portal, 10.0.0.1"}
    for seen in ("", "0" * 64):
        with pytest.raises(TransitionRefused, match="another by now"):
            consent_as_customer(change, content_hash=seen, **given)
    consent = consent_as_customer(change, content_hash=change.content_hash, **given)
    assert consent_as_customer(change, content_hash=change.content_hash, **given).pk == consent.pk
    assert (consent.given_by, consent.recorded_by) == ("Ms Li", system_user())
    assert apply_change(agreed(fresh(change)), actor=person("pm")).state == "applied"
    with pytest.raises(TransitionRefused):
        consent_as_customer(fresh(change), content_hash=fresh(change).content_hash, **given)


def test_they_say_no(order):
    change = assessed(order, more(order, 60))
    done = decline_as_customer(change, contact="Ms Li", content_hash=change.content_hash, reason="Too dear.")
    assert (done.state, done.decision) == ("refused", "Ms Li: Too dear.")
    own = judged(fresh(ask(Order.objects.get(pk=order.pk))))
    done = decline_as_customer(own, contact="Ms Li", content_hash=own.content_hash, reason="Too dear.")
    assert done.state == "withdrawn"
