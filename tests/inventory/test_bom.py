"""Bills of material: levels, scrap, circles refused by the verb and by the database, the page."""

from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connections, transaction
from django.db.models import QuerySet

from inventory.models import BomLine
from inventory.services import boms_of, explode, remove_bom_line
from ordermgmt.activity.models import Event
from ordermgmt.lib.invariants import violations
from tests.factories.boms import conveyor, goes_into
from tests.factories.inventory import make_product, person, unit

D = Decimal


def told(product, quantity=1):
    rows = explode(product.pk, D(quantity), boms_of([product.pk]))
    return [(one.level, one.line.component.sku, one.quantity, one.is_made) for one in rows]


@pytest.mark.django_db
class TestExplosion:
    def test_levels_scrap_and_whole_units(self, django_assert_num_queries):
        goods = conveyor()
        assert told(goods["conveyor"], 3) == [
            (1, "B-FRAME", 3, True),
            (2, "B-STEEL", D("21.12"), False),  # 3 × 6.4 + 10 %
            (1, "B-DRIVE", 6, True),
            (2, "B-MOTOR", 6, False),
            (2, "B-SHAFT", 6, True),
            (3, "B-ROUND", D("4.725"), False),  # 6 × 0.75 + 5 %
            (1, "B-BOLT", 74, False),  # 72 + 2.5 % = 73.8, rounded up
        ]
        with django_assert_num_queries(4):  # one per level, and one that finds nothing below
            boms_of([goods["conveyor"].pk])

    def test_a_component_on_two_ways_stands_twice(self):
        top, left, right, bolt = (make_product(is_stocked=False) for _n in range(4))
        for side in (left, right):
            goes_into(top, side)
            goes_into(side, bolt, 4)
        assert [row[2] for row in told(top, 2) if row[1] == bolt.sku] == [8, 8]
        assert told(bolt) == []


@pytest.mark.django_db
class TestRefusals:
    def test_a_circle_is_told_with_its_way(self):
        goods = conveyor()
        with pytest.raises(
            ValidationError, match="B-ROUND would contain itself: B-ROUND → B-CONV → B-DRIVE → B-SHAFT → B-ROUND"
        ):
            goes_into(goods["round"], goods["conveyor"])
        with pytest.raises(ValidationError, match="does not contain itself"):
            goes_into(goods["frame"], goods["frame"])
        line = BomLine.objects.get(product=goods["shaft"])
        with pytest.raises(ValidationError, match="would contain itself"):
            goes_into(goods["shaft"], goods["conveyor"], line=line)
        assert BomLine.objects.count() == 7
        assert list(violations(["S10"])) == []

    def test_the_database_refuses_it_too(self):
        goods = conveyor()
        with pytest.raises(DatabaseError, match="not made of itself"), transaction.atomic():
            BomLine.objects.create(product=goods["round"], component=goods["conveyor"], quantity=1)
        with pytest.raises(DatabaseError, match="not made of itself"), transaction.atomic():
            BomLine.objects.filter(product=goods["shaft"]).update(component=goods["conveyor"])
        with pytest.raises(DatabaseError), transaction.atomic():
            BomLine.objects.create(product=goods["frame"], component=goods["frame"], quantity=1)
        assert BomLine.objects.filter(product=goods["frame"]).update(component=goods["round"]) == 1

    def test_values(self):
        goods, service = conveyor(), make_product(kind="service", unit=unit("h"))
        for quantity, scrap, component, match in (
            (0, 0, "motor", "above zero|greater"), ("1.5", 0, "motor", "whole units"), (1, 101, "motor", "100"),
            (1, -1, "motor", "100|greater"), (1, 0, "frame", "already"),
        ):  # fmt: skip
            with pytest.raises(ValidationError, match=match):
                goes_into(goods["conveyor"], goods[component], quantity, scrap)
        with pytest.raises(ValidationError, match="Only goods"):
            goes_into(goods["conveyor"], service)
        with pytest.raises(PermissionDenied):
            remove_bom_line(BomLine.objects.all()[0], actor=person("sales"))

    def test_too_deep(self):
        rows = [make_product(is_stocked=False) for _n in range(10)]
        for n in reversed(range(1, 9)):
            goes_into(rows[n], rows[n + 1])
        assert max(row[0] for row in told(rows[1])) == 8
        with pytest.raises(ValidationError, match="at most 8 levels"):
            goes_into(rows[0], rows[1])
        with pytest.raises(ValidationError, match="at most 8 levels"):
            goes_into(rows[9], make_product())


@pytest.mark.django_db
class TestPage:
    def test_read_changed_and_taken_out(self, client_of):
        goods = conveyor()
        client, url = client_of(person("pm")), "/inventory/products/B-CONV/bom/"
        page = client.get(url, {"quantity": "3"}).content.decode()
        assert "21.12" in page
        assert "bom-level-3" in page
        motor = goods["motor"].pk
        data = {"component": motor, "quantity": "1", "scrap_percent": "0", "position": "40"}
        assert client.post(url, data).status_code == 302
        line = BomLine.objects.get(product=goods["conveyor"], component=motor)
        assert client.get(f"{url}?line={line.pk}").status_code == 200
        assert client.post(f"{url}?line={line.pk}", data | {"quantity": "5"}).status_code == 302
        assert BomLine.objects.get(pk=line.pk).quantity == 5
        circle = client.post("/inventory/products/B-MOTOR/bom/", data | {"component": goods["conveyor"].pk})
        assert circle.status_code == 422
        assert "would contain itself" in circle.content.decode()
        assert client.post(f"{url}{line.pk}/remove/").status_code == 302
        assert client.post(f"{url}{line.pk}/remove/").status_code == 404
        kinds = list(
            Event.objects.filter(type__startswith="inventory.bom").order_by("-pk").values_list("type", flat=True)
        )
        assert kinds[:3] == ["inventory.bom_removed", "inventory.bom_changed", "inventory.bom_changed"]
        assert list(violations(["A3"])) == []

    def test_who_may(self, client_of):
        goods = conveyor()
        url = "/inventory/products/B-FRAME/bom/"
        sales = client_of(person("sales"))
        assert 'id="component"' not in sales.get(url).content.decode()
        assert "Where it is used" in sales.get(url).content.decode()
        assert sales.post(url, {}).status_code == 403
        line = BomLine.objects.get(product=goods["frame"])
        assert sales.post(f"{url}{line.pk}/remove/").status_code == 403
        assert client_of(person("pm")).get(f"{url}?line=99999").status_code == 404
        assert client_of(person("pm")).get(f"{url}?quantity=nonsense").status_code == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_people_do_not_close_a_circle_together(monkeypatch):
    def both():
        one, other, third, fourth = (make_product(is_stocked=False) for _n in range(4))
        goes_into(other, third)
        goes_into(fourth, one)
        barrier, found = Barrier(2), [""] * 2

        def run(place, product, component):
            try:
                barrier.wait()
                goes_into(product, component)
                found[place] = "done"
            except ValidationError:
                found[place] = "refused"
            except DatabaseError:
                found[place] = "database"
            finally:
                connections.close_all()

        threads = [Thread(target=run, args=(0, one, other)), Thread(target=run, args=(1, third, fourth))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(found)

    assert [both() for _round in range(8)] == [["done", "refused"]] * 8
    assert list(violations(["S10"])) == []
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_options: self)
    assert any(both() == ["done", "done"] for _round in range(15)), (
        "without the lock nothing collided: the test is void"
    )
    BomLine.objects.all().delete()
