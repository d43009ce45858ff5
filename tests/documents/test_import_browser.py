"""Import through the browser: upload, mapping, dry run, run, report."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from customers.models import Contact, Customer
from customers.services import create_customer
from ordermgmt.activity.models import Job
from ordermgmt.activity.services import Rejected
from ordermgmt.documents.models import ImportProfile, ImportRun
from ordermgmt.documents.services import uploading
from ordermgmt.documents.tasks import import_file
from tests.conftest import data_folder

pytestmark = pytest.mark.django_db

CUSTOMERS = "名称*;联系人;手机号码;备注\n测试客户甲;小梁;13000000000;你好\n测试客户乙;小魏;abc;\n"


def upload(client: Any, content: bytes, name: str = "kunden.csv", target: str = "") -> ImportRun:
    answer = client.post("/documents/imports/new/", {"file": SimpleUploadedFile(name, content), "target": target})
    assert answer.status_code == 302, answer.context["form"].errors
    return ImportRun.objects.latest("pk")


def mapped(client: Any, run: ImportRun, **changes: str) -> dict[str, str]:
    """What the browser would send: the proposed mapping."""
    form = client.get(run.get_absolute_url()).context["form"]
    data = {name: str(form[name].value() or "") for name in form.fields}
    return {**data, **changes}


def work(job: Job) -> None:
    """The worker's part."""
    import_file(job, lambda *_args: None)


def test_from_upload_to_report(client_of: Any, admin: Any) -> None:
    client = client_of(admin)
    run = upload(client, CUSTOMERS.encode("gb18030"))
    assert run.target == "customers"
    assert run.setup["layout"]["encoding"] == "gb18030"
    assert run.setup["fields"]["name"] == {"columns": ["名称*"]}
    answer = client.post(run.get_absolute_url(), {**mapped(client, run), "check": "1"})
    job = Job.objects.latest("pk")
    assert answer.url == job.get_absolute_url()
    work(job)
    page = client.get(f"/documents/imports/{run.public_id}/report/check/").content.decode()
    assert "kunden.csv, row 3" in page
    assert "手机号码" in page
    assert not Customer.objects.filter(name="测试客户甲").exists()
    client.post(f"/documents/imports/{run.public_id}/run/")
    client.post(f"/documents/imports/{run.public_id}/run/")
    assert Job.objects.count() == 2  # pressed twice, it is one job
    work(Job.objects.latest("pk"))
    run.refresh_from_db()
    assert run.finished_at
    assert [run.report["steps"][0][key] for key in ("created", "refused")] == [1, 1]
    assert Contact.objects.get(customer__name="测试客户甲").phone == "13000000000"


def test_second_run_changes_nothing(client_of: Any, admin: Any) -> None:
    client = client_of(admin)
    for expected in ("created", "unchanged"):
        run = upload(client, CUSTOMERS.encode())
        client.post(run.get_absolute_url(), {**mapped(client, run), "save": "1"})
        client.post(f"/documents/imports/{run.public_id}/run/")
        work(Job.objects.latest("pk"))
        run.refresh_from_db()
        assert run.report["steps"][0][expected] == 1


def test_what_came_to_nothing_is_tried_again(client_of: Any, admin: Any, sales: Any) -> None:
    """Pressed again after what was missing has been entered it is another job, and this one finds it."""
    client = client_of(admin)
    run = upload(client, "Customer,Contact\nSpäter GmbH,Frau Neu\n".encode(), target="contacts")
    client.post(run.get_absolute_url(), {**mapped(client, run, mode="all"), "save": "1"})
    for created in (0, 1):
        client.post(f"/documents/imports/{run.public_id}/run/")
        work(Job.objects.latest("pk"))
        run.refresh_from_db()
        assert run.report["steps"][0]["created"] == created
        create_customer(actor=sales, name="Später GmbH")
    assert Job.objects.count() == 2
    assert run.finished_at


def test_a_dry_run_of_a_mapping_that_was_changed_counts_no_more(client_of: Any, admin: Any, monkeypatch: Any) -> None:
    client = client_of(admin)
    run = upload(client, CUSTOMERS.encode())
    client.post(run.get_absolute_url(), {**mapped(client, run), "check": "1"})
    job = Job.objects.latest("pk")

    real = uploading.run_import

    def slow(*args: Any, **options: Any) -> Any:
        report = real(*args, **options)
        client.post(run.get_absolute_url(), {**mapped(client, run), "save": "1"})
        return report

    monkeypatch.setattr(uploading, "run_import", slow)
    with pytest.raises(Rejected, match="changed meanwhile"):
        work(job)
    run.refresh_from_db()
    assert run.check_report is None


def test_all_or_nothing(client_of: Any, admin: Any) -> None:
    client = client_of(admin)
    run = upload(client, CUSTOMERS.encode())
    client.post(run.get_absolute_url(), {**mapped(client, run, mode="all"), "save": "1"})
    client.post(f"/documents/imports/{run.public_id}/run/")
    work(Job.objects.latest("pk"))
    run.refresh_from_db()
    assert run.report["written"] is False
    assert run.finished_at is None
    assert not Customer.objects.filter(name__startswith="测试客户").exists()


def test_mapping_is_kept_and_proposed_again(client_of: Any, admin: Any) -> None:
    client = client_of(admin)
    content = b"firmenname,ort\nAlpha Testbau,Berlin\n"
    run = upload(client, content, target="customers")
    answer = client.post(run.get_absolute_url(), {**mapped(client, run), "save": "1"})
    assert answer.status_code == 422  # the name has no column yet
    data = mapped(client, run, column_name="firmenname", source="crm", keep_as="CRM")
    assert client.post(run.get_absolute_url(), {**data, "save": "1"}).status_code == 302
    assert ImportProfile.objects.get().name == "CRM"
    again = upload(client, content, target="customers")
    assert again.source == "crm"
    assert again.setup["fields"]["name"]["columns"] == ["firmenname"]


def test_stale_mapping_is_refused(client_of: Any, admin: Any) -> None:
    client = client_of(admin)
    run = upload(client, CUSTOMERS.encode())
    first, second = mapped(client, run, source="one"), mapped(client, run, source="two")
    assert client.post(run.get_absolute_url(), {**first, "save": "1"}).status_code == 302
    assert client.post(run.get_absolute_url(), {**second, "save": "1"}).status_code == 409
    run.refresh_from_db()
    assert run.source == "one"


def test_another_layout_is_read(client_of: Any, admin: Any) -> None:
    client = client_of(admin)
    run = upload(client, CUSTOMERS.encode())
    answer = client.post(run.get_absolute_url(), {"layout": "1", "target": "contacts", "header_row": "99"})
    assert answer.status_code == 422
    assert "There is no row 99." in answer.content.decode()
    client.post(run.get_absolute_url(), {"layout": "1", "target": "suppliers", "delimiter": ";"})
    run.refresh_from_db()
    assert run.target == "suppliers"


@pytest.mark.parametrize("who", ["sales", "finance", "manager"])
def test_without_the_right(client_of: Any, who: str, request: pytest.FixtureRequest, admin: Any) -> None:
    run = upload(client_of(admin), CUSTOMERS.encode())
    client = client_of(request.getfixturevalue(who))
    assert client.get("/documents/imports/").status_code == 403
    assert client.get(run.get_absolute_url()).status_code == 403
    assert client.post(f"/documents/imports/{run.public_id}/run/").status_code == 403
    assert not Job.objects.exists()


def test_get_starts_nothing(client_of: Any, admin: Any) -> None:
    client = client_of(admin)
    run = upload(client, CUSTOMERS.encode())
    assert client.get(f"/documents/imports/{run.public_id}/run/").status_code == 405
    assert client.get("/documents/imports/new/").status_code == 405


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("leer.csv", b" ", "The file is empty."),
        ("bild.csv", b"\x00\x01\x02\x00" * 99, "This is not a table"),
        ("kaputt.xlsx", b"PK\x03\x04kaputt", "damaged"),
        ("kaputt.xls", b"\xd0\xcf\x11\xe0kaputt", "damaged"),
    ],
)
def test_unreadable_file(client_of: Any, admin: Any, name: str, content: bytes, sentence: str) -> None:
    answer = client_of(admin).post("/documents/imports/new/", {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ImportRun.objects.exists()


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "target", "constants", "created"),
    [
        ("customer_template.xls", "customers", {}, 2),
        ("vendor_template.xls", "suppliers", {}, 2),
        ("goods_template.xls", "products", {}, 2),
        ("member_template.xls", "customers", {}, 2),
        ("customer_template.xls", "opening", {"always_issue_date": "2026-01-31"}, 1),
    ],
)
def test_chinese_templates(
    client_of: Any, admin: Any, file: str, target: str, constants: dict[str, str], created: int
) -> None:
    folder = data_folder()
    assert folder is not None
    content = Path(folder / "13_import_templates_zh" / file).read_bytes()
    client = client_of(admin)
    if target == "opening":
        earlier = upload(client, content, file, "customers")
        client.post(f"/documents/imports/{earlier.public_id}/run/")
        work(Job.objects.latest("pk"))
    run = upload(client, content, file, target)
    assert run.setup["layout"]["header_row"] == 2
    answer = client.post(run.get_absolute_url(), {**mapped(client, run, **constants), "save": "1"})
    assert answer.status_code == 302, answer.context["form"].errors
    client.post(f"/documents/imports/{run.public_id}/run/")
    work(Job.objects.latest("pk"))
    run.refresh_from_db()
    assert run.report["steps"][0]["created"] == created, run.report
