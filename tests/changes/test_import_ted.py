"""Real contract modifications of the EU's official journal: entered, judged, approved, applied; against counted figures."""

import json
from collections import Counter, defaultdict
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from changes.models import ChangeRequest
from changes.services import apply_change
from ordermgmt.lib.invariants import violations
from orders.models import Order, OrderAmendment
from tests.conftest import data_folder
from tests.factories.changes import agreed, judged
from tests.factories.orders import person

pytestmark = [pytest.mark.django_db, pytest.mark.data]


@pytest.fixture
def steps():
    out = StringIO()
    folder = data_folder() / "04_ted_contract_modifications"
    call_command("import_data", "ted", str(folder), "--format", "json", stdout=out)
    return {step["target"]: step for step in json.loads(out.getvalue())["steps"]}


@pytest.fixture
def figures():
    return json.loads((data_folder() / "EXPECTED.json").read_text())["04_ted_contract_modifications"]


def requests():
    return ChangeRequest.objects.filter(source="import").select_related("order", "reason").order_by("pk")


def test_all_notices_are_entered_and_none_is_approved(steps, figures, client_of, finance):
    assert steps["changes"]["created"] == figures["rows"] == requests().count()
    reasons = Counter(one.reason.code for one in requests())
    assert reasons == {
        "NEED": figures["per_reason"]["ADDITIONAL_NEED"], "UNFORESEEN": figures["per_reason"]["UNFORESEEN_CIRCUMSTANCE"]
    }  # fmt: skip
    assert {one.state for one in requests()} == {"submitted"}
    assert not OrderAmendment.objects.exists()
    assert Order.objects.filter(source_key__startswith="ted:").count() == figures["rows"] - 1
    explained = [one for one in requests() if "Awarded at" in one.text]
    assert len(explained) == 11
    # Two lots of one procurement, each with the value of both before it: no earlier change explains that.
    assert {one.source_key for one in requests() if "several contracts" in one.text} == {"ted:576289-2021"}
    flagged = [one for one in requests() if "something changed in between" in one.text]
    assert [one.source_key for one in flagged] == ["ted:244832-2021"]
    page = client_of(finance).get(flagged[0].get_absolute_url()).content.decode()
    assert "something changed in between" in page
    assert client_of(finance).get("/changes/?q=CR-").status_code == 200
    greek = next(one for one in requests() if one.source_key == "ted:638582-2020")
    assert client_of(finance).get(greek.get_absolute_url()).status_code == 200


def test_the_same_file_twice_changes_nothing(steps):
    out = StringIO()
    call_command(
        "import_data", "ted", str(data_folder() / "04_ted_contract_modifications"), "--format", "json", stdout=out
    )
    again = {step["target"]: step for step in json.loads(out.getvalue())["steps"]}["changes"]
    assert (again["created"], again["unchanged"]) == (0, steps["changes"]["created"])


def test_those_with_values_applied_in_order(steps, figures):
    sums: dict[str, Decimal] = defaultdict(Decimal)
    wanted = {f"ted:{row[0]}" for row in figures["notices"]}
    assert len(wanted) == figures["with_before_and_after"]
    signs = Counter()
    for change in requests():
        if change.source_key not in wanted:
            continue
        before = Order.objects.get(pk=change.order_id).net_total
        change = agreed(judged(change))
        apply_change(change, actor=person("pm"))
        delta = Order.objects.get(pk=change.order_id).net_total - before
        sums[change.currency] += delta
        signs[(delta > 0) - (delta < 0)] += 1
    assert {code: str(value.quantize(Decimal("0.01"))) for code, value in sums.items()} == figures[
        "delta_sum_per_currency"
    ]
    assert [signs[1], signs[0], signs[-1]] == figures["increase_zero_decrease"]
    assert ChangeRequest.objects.filter(state="applied").count() == 19
    assert [str(one) for one in violations("C")] == []
