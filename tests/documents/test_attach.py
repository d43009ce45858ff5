"""Attachments: the five questions, access by the object (P20), contents (P27), names (P25)."""

import io
import zipfile

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile

from customers.models import Customer
from ordermgmt.activity.models import Event, Job
from ordermgmt.activity.services import enqueue, job_handler, work_off
from ordermgmt.documents.models import Attachment, StoredFile
from ordermgmt.documents.services import attach_file, file_path, remove_attachment, store_file

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def office(member: str = "[Content_Types].xml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(member, "<x/>")
    return out.getvalue()


@job_handler("tests.file")
def make_file(job, progress):
    stored = store_file(b"a,b\n", name="result.csv", kind="report", actor=job.requested_by, content_type="text/csv")
    return {"file": str(stored.public_id)}


@pytest.fixture
def customer(sales):
    return Customer.objects.get(owner=sales)


@pytest.fixture
def path(customer):
    return f"/documents/attachments/customers.customer/{customer.pk}/add/"


@pytest.fixture
def attachment(sales, customer):
    return attach_file(customer, upload=SimpleUploadedFile("plan.pdf", PDF), actor=sales)


def url(attachment) -> str:
    return f"/documents/attachments/{attachment.public_id}/"


def test_works(client_of, sales, sales_manager, customer, path):
    answer = client_of(sales).post(path, {"file": SimpleUploadedFile("Angebot 报价.pdf", PDF)})
    assert answer.status_code == 302
    attachment = Attachment.objects.get()
    assert attachment.file.content_type == "application/pdf"
    assert Event.objects.get(type="documents.file_attached").root_id == customer.pk
    assert "Angebot 报价.pdf" in client_of(sales_manager).get(customer.get_absolute_url()).content.decode()
    got = client_of(sales_manager).get(url(attachment))
    assert b"".join(got.streaming_content) == PDF
    assert got["Content-Disposition"].startswith("attachment")
    assert got["X-Content-Type-Options"] == "nosniff"
    assert got["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" in got["Cache-Control"]


def test_get_is_refused(client_of, sales, path, attachment):
    assert client_of(sales).get(path).status_code == 405
    assert client_of(sales).get(f"{url(attachment)}remove/").status_code == 405


def test_p20_file_of_a_foreign_object_is_not_found(client_of, sales2, path, attachment):
    client = client_of(sales2)
    assert client.get(url(attachment)).status_code == 404
    assert client.post(path, {"file": SimpleUploadedFile("x.pdf", PDF)}).status_code == 404
    assert client.post(f"{url(attachment)}remove/").status_code == 404


def test_service_asks_for_visibility_itself(sales2, customer):
    with pytest.raises(PermissionDenied):
        attach_file(customer, upload=SimpleUploadedFile("x.pdf", PDF), actor=sales2)


def test_stranger_is_sent_to_sign_in(client, attachment):
    assert client.get(url(attachment)).status_code == 302


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.png", SVG),
        ("evil.svg", SVG),
        ("page.html", b"<html><script>alert(1)</script>"),
        ("page.txt", b"  <!DOCTYPE html><html>"),
        ("list.csv", b"\xef\xbb\xbf<SVG onload=alert(1)>"),
        ("notes.txt", b"MZ\x00\x00binary"),
        ("plan.pdf", PNG),
        ("book.xlsx", b"PK\x03\x04 no archive"),
        ("book.docx", office("evil.sh")),
        ("program.exe", b"MZ"),
        ("noending", b"x"),
        ("empty.pdf", b""),
    ],
)
def test_p27_refused_by_what_it_is(client_of, sales, path, name, content):
    answer = client_of(sales).post(path, {"file": SimpleUploadedFile(name, content, content_type="image/png")})
    assert answer.status_code == 422
    assert not StoredFile.objects.exists()
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("photo.PNG", PNG, "image/png"),
        ("book.xlsx", office(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("text.odt", office("mimetype"), "application/vnd.oasis.opendocument.text"),
        ("备注.txt", "交货期：下周".encode("gb18030"), "text/plain"),
    ],
)
def test_taken(client_of, sales, path, name, content, kept):
    assert client_of(sales).post(path, {"file": SimpleUploadedFile(name, content)}).status_code == 302
    assert StoredFile.objects.get().content_type == kept


def test_too_large(client_of, sales, path, settings):
    settings.UPLOAD_LIMIT_MB = 0
    answer = client_of(sales).post(path, {"file": SimpleUploadedFile("x.pdf", PDF)})
    assert answer.status_code == 422


def test_no_file_at_all(client_of, sales, path):
    assert client_of(sales).post(path).status_code == 422


def test_p25_file_name_is_escaped_everywhere(client_of, sales, customer, path):
    name = '"><img src=x onerror=alert(1)>.pdf'
    client_of(sales).post(path, {"file": SimpleUploadedFile(name, PDF)})
    page = client_of(sales).get(customer.get_absolute_url()).content.decode()
    assert "<img src=x" not in page
    answer = client_of(sales).get(url(Attachment.objects.get()))
    assert b"".join(answer.streaming_content) == PDF  # reading to the end closes the file
    assert "\n" not in answer["Content-Disposition"]
    refused = client_of(sales).post(path, {"file": SimpleUploadedFile('"><img src=x onerror=alert(1)>.svg', SVG)})
    assert "<img src=x" not in refused.content.decode()


def test_own_file_is_taken_away_once_and_its_bytes_stay(client_of, sales, attachment):
    assert client_of(sales).post(f"{url(attachment)}remove/").status_code == 302
    assert client_of(sales).post(f"{url(attachment)}remove/").status_code == 404
    remove_attachment(attachment, actor=sales)
    assert Event.objects.filter(type="documents.file_removed").count() == 1
    assert client_of(sales).get(url(attachment)).status_code == 404
    assert file_path(attachment.file).exists()


def test_colleagues_file_stays(client_of, sales_manager, attachment):
    assert client_of(sales_manager).post(f"{url(attachment)}remove/").status_code == 403
    attachment.refresh_from_db()
    assert attachment.removed_at is None


def test_lost_bytes_are_not_found(client_of, sales, attachment):
    file_path(attachment.file).unlink()
    assert client_of(sales).get(url(attachment)).status_code == 404


def test_file_of_a_job_is_for_whoever_asked(client_of, sales, sales2):
    job = enqueue("tests.file", actor=sales)
    work_off()
    path = f"/documents/jobs/{job.public_id}/file/"
    assert b"".join(client_of(sales).get(path).streaming_content) == b"a,b\n"
    assert client_of(sales2).get(path).status_code == 404
    assert path in client_of(sales).get(job.get_absolute_url()).content.decode()
    Job.objects.filter(pk=job.pk).update(result={"file": "nonsense"})
    assert client_of(sales).get(path).status_code == 404
