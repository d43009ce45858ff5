"""Proof of delivery: a photo or the signed note with the arrival (TRK-8)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

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
