"""A city's inspections as rounds of acceptance with their defects, against figures computed apart from this code."""

import csv
import json
import re
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db.models import F, Q

from fulfilment.models import Acceptance, AcceptanceLine, Defect, Finding, Rectification
from fulfilment.services import PastDefect, PastRound, import_defects, import_rounds
from ordermgmt.activity.models import Job
from ordermgmt.company.services import business_today
from ordermgmt.lib.importing import FieldMap, Layout, map_rows, read_table, target
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.conftest import data_folder, expected, whole_data
from tests.factories.orders import person, started

pytestmark = pytest.mark.django_db
CORRECTED = re.compile(r"\[ date violation corrected: (.*?) \]")


def table(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO((folder / f"{name}.csv").read_text(encoding="iso-8859-1"))))


def part(folder: Path, target_folder: Path) -> Path:
    """A small folder with every hundred-and-fiftieth business, the worst ones, and all with a phone number or a date that
    can't be."""
    tables = {name: table(folder, name) for name in ("businesses", "inspections", "violations")}
    odd = {
        row["business_id"] for row in tables["violations"]
        if (found := CORRECTED.search(row["description"])) and re.search(r"M$|9873|2027", found[1])
    }  # fmt: skip
    odd |= {row["business_id"] for row in tables["inspections"] if int(row["score"]) < 56}
    odd |= {row["business_id"] for row in tables["businesses"] if re.search("[a-z]", row["phone_number"])}
    kept = odd | {row["business_id"] for row in tables["businesses"][::150]}
    for name, rows in tables.items():
        with (target_folder / f"{name}.csv").open("w", encoding="iso-8859-1", newline="") as out:
            writer = csv.DictWriter(out, rows[0].keys())
            writer.writeheader()
            writer.writerows(row for row in rows if row["business_id"] in kept)
    return target_folder


def counted(folder: Path) -> Counter[str]:
    """The figures of EXPECTED.json, reckoned from the files of a folder."""
    figures: Counter[str] = Counter()
    inspections = table(folder, "inspections")
    days = {(row["business_id"], row["date"]) for row in inspections}
    for row in inspections:
        score = int(row["score"])
        figures["inspections"] += 1
        bands = ((71, "Poor"), (86, "Needs Improvement"), (91, "Adequate"), (101, "Good"))
        figures[next(name for below, name in bands if score < below)] += 1
    for row in table(folder, "violations"):
        figures["violations"] += 1
        figures["homeless"] += (row["business_id"], row["date"]) not in days
        found = CORRECTED.search(row["description"])
        figures["corrected" if found else "open"] += 1
        if found and found[1].endswith("M"):
            figures["destroyed"] += 1
        elif found:
            month, day, year = found[1].split("/")
            at = f"{year}{int(month):02}{int(day):02}"
            figures["ahead"] += at > f"{business_today():%Y%m%d}"
            figures["before" if at < row["date"] else "same" if at == row["date"] else "later"] += 1
    return figures


@pytest.mark.data
def test_inspections(tmp_path, client_of, finance):
    folder = data_folder() / "11_sf_inspections"
    if not whole_data():
        folder = part(folder, tmp_path)
    figures = counted(folder)
    if whole_data():
        said = expected("11_sf_inspections")
        assert figures["inspections"] == said["rows"]["inspections"]
        assert {name: figures[name] for name in said["score_bands"]} == said["score_bands"]
        assert [figures[name] for name in ("violations", "corrected", "open", "destroyed", "same", "later", "before")] == [
            said["rows"]["violations"], said["violations_with_corrected_date"], said["violations_open"],
            said["corrected_date_truncated"], said["corrected_same_day"], said["corrected_later"],
            said["corrected_before_inspection"],
        ]  # fmt: skip
    jobs = Job.objects.count()
    steps = imported(folder)
    assert {name: one["refused"] for name, one in steps.items()} == dict.fromkeys(steps, 0)
    assert [one["column"] for one in steps["customers"]["warnings"]] == ["phone_number"]

    assert Acceptance.objects.filter(examiner="third").count() == figures["inspections"]
    assert Finding.objects.count() == figures["inspections"]
    values = Counter(
        "Poor" if value < 71 else "Needs Improvement" if value < 86 else "Adequate" if value < 91 else "Good"
        for value in Finding.objects.values_list("value", flat=True)
    )
    assert values == {name: figures[name] for name in values}
    assert Finding.objects.filter(passed=False).count() == figures["Poor"]
    assert AcceptanceLine.objects.filter(rejected__gt=0).count() == figures["Poor"]

    assert Defect.objects.count() == figures["violations"]
    assert Defect.objects.filter(corrected=True).count() == figures["corrected"]
    assert Defect.objects.open().count() == figures["open"]
    assert Defect.objects.filter(corrected_on=F("found_on")).count() == figures["same"]
    assert Defect.objects.filter(corrected_on__gt=F("found_on")).count() == figures["later"] - figures["ahead"]
    assert Defect.objects.filter(found_in=None).count() == figures["homeless"]
    assert not Defect.objects.filter(Q(text__contains="[") | Q(text="")).exists()

    told = Counter(kind_of(one["sentence"]) for one in steps["defects"]["warnings"])
    assert told == {name: figures[name] for name in ("destroyed", "before", "ahead", "homeless") if figures[name]}
    assert any("violations.csv, row" in one["place"] for one in steps["defects"]["warnings"])

    states = Counter(Order.objects.filter(source_key__startswith="sf:").values_list("state", flat=True))
    assert states["rectification"] == Rectification.objects.filter(order__source_key__startswith="sf:").count() > 0
    assert Job.objects.count() == jobs, "what arrives from elsewhere sets nothing going"
    assert list(violations(["S4", "S6", "A2", "A3"])) == []

    if not whole_data():  # a part shows it
        again = imported(folder)
        assert {name: (one["created"], one["changed"]) for name, one in again.items()} == dict.fromkeys(again, (0, 0))
    still = Defect.objects.open().order_by("-pk")[0]
    page = client_of(finance).get("/fulfilment/defects/", {"corrected": "no", "q": still.text[:20]})
    assert still.order.number in page.content.decode()


def kind_of(sentence: str) -> str:
    kinds = {
        "not a date": "destroyed",
        "before it was found": "before",
        "lies ahead": "ahead",
        "stands alone": "homeless",
    }
    return next(kind for words, kind in kinds.items() if words in sentence)


def imported(folder: Path) -> dict[str, dict[str, object]]:
    out = StringIO()
    call_command("import_data", "sf_inspections", str(folder), "--format", "json", stdout=out)
    return {step["target"]: step for step in json.loads(out.getvalue())["steps"]}


def test_only_for_orders_that_came_from_a_file():
    order, admin = started(), person("admin")
    past = PastRound("k", business_today(), "e", "s", "customer", True)
    with pytest.raises(ValidationError, match="came from a file"):
        import_rounds(order, [past], criterion=None, actor=admin)
    with pytest.raises(ValidationError, match="came from a file"):
        import_defects(order, [PastDefect("k", business_today(), "x")], actor=admin)


def test_what_stands_between_two_words():
    table = read_table(b"a\nx [ on: 1/2/2017 ] y\nnone\n", "a.csv", Layout())
    maps = {
        "text": FieldMap.of({"column": "a", "between": ["", "[ on:"]}),
        "corrected": FieldMap.of({"column": "a", "between": ["[ on:", "]"]}),
    }
    rows = [(row.text("text"), row.text("corrected")) for row in map_rows(table, target("defects"), maps)]
    assert rows == [("x", "1/2/2017"), ("none", "")]
    assert {name: FieldMap.of(one.as_json()) for name, one in maps.items()} == maps
