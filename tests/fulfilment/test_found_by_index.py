"""What pages ask over and over is answered from an index, however much is done and shipped."""

import pytest
from django.db import connection

from fulfilment.models import Shipment
from fulfilment.panels import _find
from fulfilment.services import track_shipment
from inventory.models import Product
from tests.factories.fulfilment import ship
from tests.factories.inventory import make_product, person
from tests.factories.orders import line, placed, started

pytestmark = pytest.mark.django_db


def hits(text):
    return [hit.title for hit in _find(person("warehouse"), text, 5)]


def listed(client, text):
    rows = client.get("/fulfilment/shipments/", {"q": text}).text
    return [one.number for one in Shipment.objects.all() if one.number in rows]


class TestShipments:
    def test_found_by_number_carrier_and_tracking(self, client_of):
        sent, other = ship(started(line(quantity=1))), ship(started(line(quantity=1)))
        track_shipment(sent, carrier="Müller Spedition", tracking_number="JD-014 600", actor=person("warehouse"))
        client = client_of(person("warehouse"))
        for text in (sent.number, sent.number[-5:], "spedition MULLER", "jd-014", f"{sent.number} müller"):
            assert hits(text) == [sent.number], text
            assert listed(client, text) == [sent.number], text
        assert sorted(hits("dn-2")) == sorted([sent.number, other.number])
        assert listed(client, sent.order.number) == [sent.number]
        assert listed(client, "no such thing") == hits("no such thing") == []


class TestDemand:
    def test_only_what_running_orders_lack(self):
        product, other = make_product(), make_product()
        placed(line(product.sku, 4, supply="buy"))
        ship(started(line(quantity=4)))
        short = {one.pk: one.demand for one in Product.objects.short()}
        assert short == {product.pk: 4}
        assert other.pk not in short


@pytest.mark.postgres
class TestPlans:
    def plan(self, rows):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        return rows.explain()

    def test_open_lines_only(self):
        plan = self.plan(Product.objects.short())
        assert "order_line_needs" in plan
        assert "material_need_required" in plan

    def test_shipments(self):
        found = Shipment.objects.order_by().filter(search_text__found="dn-2026-00001")
        assert "fulfilment_shipment_search_text_trigrams" in self.plan(found)
