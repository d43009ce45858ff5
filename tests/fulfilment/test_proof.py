"""Proof of delivery: a photo or the signed note with the arrival (TRK-8)."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from fulfilment.services import add_proof
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from tests.factories.fulfilment import ship
from tests.factories.orders import customer_b, line, person, started

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60


def test_a_photo_is_kept_and_shown_to_who_sees_the_order(client_of, warehouse, pm2, pm):
    shipment = ship(started(line(supply="make", quantity=2), customer=customer_b(), actor=person("sales2")))
    address = f"/fulfilment/shipments/{shipment.number}/do/arrive/"
    data = {"delivered_on": str(timezone.localdate()), "received_by": "Mr Wang"}
    client = client_of(warehouse)
    wrong = [("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), ("a.csv", b"a;b"), ("a.png", b"")]
    for name, content in wrong:
        answer = client.post(address, data | {"proof": SimpleUploadedFile(name, content)})
        assert answer.status_code == 422
    shipment.refresh_from_db()
    assert shipment.delivered_on is None
    place = f"/fulfilment/shipments/{shipment.number}/proof/"
    assert client.get(place).status_code == 404
    assert client.post(address, data | {"proof": SimpleUploadedFile("a.png", PNG)}).status_code == 302
    assert client.post(address, data).status_code == 409
    assert b"".join(client_of(pm).get(place).streaming_content) == PNG
    assert place in client.get(shipment.get_absolute_url()).content.decode()
    assert client_of(pm2).get(place).status_code == 404
    assert client.post(place).status_code == 405


def test_without_a_photo_as_before(client_of, warehouse):
    shipment = ship(started(line(supply="make")))
    data = {"delivered_on": str(timezone.localdate()), "received_by": "Mr Wang"}
    answer = client_of(warehouse).post(f"/fulfilment/shipments/{shipment.number}/do/arrive/", data)
    assert answer.status_code == 302


class TestArrival:
    def asked(self, client_of, **data):
        shipment = ship(started(line(supply="make")))
        client = client_of(person("warehouse"))
        base = f"/fulfilment/shipments/{shipment.number}/do/"
        given = {"delivered_on": str(business_today()), "received_by": "Mr Wang"} | data
        return shipment, client, base, client.post(f"{base}arrive/", given)

    def test_not_in_days_to_come_and_the_file_is_asked_for_again(self, client_of):
        ahead = str(business_today() + dt.timedelta(days=1))
        shipment, _client, _base, answer = self.asked(
            client_of, delivered_on=ahead, proof=SimpleUploadedFile("a.png", PNG)
        )
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "This day lies ahead." in page
        assert "Choose the file again" in page
        shipment.refresh_from_db()
        assert shipment.delivered_on is None

    def test_no_word_of_a_file_where_none_was_sent(self, client_of):
        assert "Choose the file again" not in self.asked(client_of, received_by="")[3].content.decode()

    def test_a_missing_proof_is_added_later_once(self, client_of, pm2, sales):
        shipment, client, base, answer = self.asked(client_of)
        assert answer.status_code == 302
        assert f"{base}add_proof/" in client.get(shipment.get_absolute_url()).content.decode()
        assert client.get(f"{base}add_proof/").status_code == 200
        assert not Event.objects.filter(type="fulfilment.proof_added").exists()

        def sent(who=client):
            return who.post(f"{base}add_proof/", {"proof": SimpleUploadedFile("a.png", PNG)}).status_code

        assert sent(client_of(sales)) == 403
        assert sent() == 302
        assert sent() == 409
        assert Event.objects.filter(type="fulfilment.proof_added").count() == 1
        assert b"".join(client.get(f"/fulfilment/shipments/{shipment.number}/proof/").streaming_content) == PNG
        assert f"{base}add_proof/" not in client.get(shipment.get_absolute_url()).content.decode()

    def test_no_proof_before_the_arrival(self, warehouse):
        shipment = ship(started(line(supply="make")))
        with pytest.raises(TransitionRefused):
            add_proof(shipment, proof=SimpleUploadedFile("a.png", PNG), actor=warehouse)
