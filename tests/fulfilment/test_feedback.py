"""What customers say: asked by a private link, answered once, and what a low score sets going."""

import csv
import datetime as dt
import json
from io import StringIO
from unicodedata import combining

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from fulfilment.models import CorrectiveAction, Feedback, FeedbackLink, FeedbackPlan
from fulfilment.services import (
    DeadLink,
    answer_feedback,
    ask_due,
    ask_feedback,
    assign_correction,
    finish_correction,
    link_address,
    plan_feedback,
)
from fulfilment.services.feedback import MAIL_JOB
from fulfilment.tasks import send_feedback_mail
from ordermgmt.accounts.models import User
from ordermgmt.activity.models import Event, Job
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.conftest import data_folder, expected, whole_data
from tests.factories.orders import customer_b, person, placed, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    return started()


def ask(order, key="k", **fields):
    return ask_feedback(order, key=key, actor=person("pm"), **fields)


def path_of(link):
    return "/" + link_address(link).partition("//")[2].partition("/")[2]


class TestAsking:
    def test_asked_once_and_mailed_in_the_customers_language(self, order):
        link = ask(order, to="wang@example.com", language="zh-hans")
        assert ask(order, to="wang@example.com") == link
        job = Job.objects.get(kind=MAIL_JOB)
        for _twice in range(2):
            send_feedback_mail(job, None)
        assert len(mail.outbox) == 1
        assert link_address(link) in mail.outbox[0].body
        assert "满意" in mail.outbox[0].body

    def test_who_may_not_too_early_and_a_bad_address(self, order):
        with pytest.raises(PermissionDenied):
            ask_feedback(order, key="x", actor=person("warehouse"))
        with pytest.raises(TransitionRefused, match="start of the work"):
            ask(placed())
        with pytest.raises(ValidationError):
            ask(order, to="nobody")
        assert not FeedbackLink.objects.exists()

    def test_regularly_while_the_work_goes_on(self, order):
        today = business_today()
        plan_feedback(order, every_days=7, to="wang@example.com", next_on=today, actor=person("pm"))
        assert ask_due() == 1
        assert ask_due() == 0
        assert FeedbackPlan.objects.get().next_on == today + dt.timedelta(days=7)
        assert ask_due(today + dt.timedelta(days=7)) == 1
        assert list(violations(["A3"])) == []  # the next day moved without a word of anybody
        assert FeedbackLink.objects.filter(to="wang@example.com").count() == 2
        with pytest.raises(ValidationError, match="past"):
            plan_feedback(
                order, every_days=7, to="a@example.com", next_on=today - dt.timedelta(days=1), actor=person("pm")
            )


class TestAnswering:
    def test_a_low_score_is_somebodys_work(self, order):
        said = answer_feedback(ask(order), score=1, text="顾问没有准备，进度太慢", by="王先生")
        action = CorrectiveAction.objects.get()
        assert (action.feedback, action.owner, action.state) == (said, order.project_manager or order.owner, "open")
        assert action.due > business_today()
        assign_correction(action, owner=person("pm2"), due=business_today(), measure="replace", actor=person("pm"))
        finish_correction(action, measure="replace", result="another consultant", actor=person("pm2"))
        with pytest.raises(TransitionRefused):
            finish_correction(action, measure="talk", result="x", actor=person("pm"))
        with pytest.raises(DatabaseError), transaction.atomic():
            CorrectiveAction.objects.update(state="open")
        with pytest.raises(DatabaseError), transaction.atomic():
            Feedback.objects.update(score=5)
        assert Event.objects.filter(type="fulfilment.correction_opened", actor=None).count() == 1
        assert list(violations(["A3"])) == []

    def test_a_low_score_is_a_managers_work_where_its_people_have_left(self, order):
        User.objects.filter(pk__in=[order.project_manager_id, order.owner_id]).update(is_active=False)
        answer_feedback(ask_feedback(order, key="k", actor=person("pm2")), score=1)
        owner = CorrectiveAction.objects.get().owner
        assert owner.is_active
        assert owner.has_perm("fulfilment.correct_service")
        assert Order.objects.visible_to(owner).filter(pk=order.pk).exists()

    def test_a_good_score_opens_nothing_and_a_link_takes_one_answer(self, order):
        link = ask(order)
        assert answer_feedback(link, score=4).satisfied
        assert not CorrectiveAction.objects.exists()
        with pytest.raises(DeadLink, match="used"):
            answer_feedback(link, score=5)
        for score in (0, 6):
            with pytest.raises((ValidationError, DeadLink)):
                answer_feedback(ask(order, key=f"s{score}"), score=score)
        assert Feedback.objects.count() == 1


class TestPrivatePage:
    def test_said_without_signing_in_in_chinese(self, order):
        path, client = path_of(ask(order, language="zh-hans")), Client()
        page = client.get(path)
        assert page.status_code == 200
        assert "您有多满意" in page.content.decode()
        assert "no-cache" in page["Cache-Control"]
        assert client.post(path, {"score": "9"}).status_code == 422
        assert not Feedback.objects.exists()
        answer = client.post(path, {"score": "2", "text": "<b>慢", "by": ""})
        assert answer.status_code == 302
        assert "谢谢" in client.get(answer["Location"]).content.decode()
        assert client.get(path).status_code == 410
        assert client.post(path, {"score": "5"}).status_code == 410
        assert Feedback.objects.get().score == 2

    def test_old_and_altered_links_get_a_sentence(self, order):
        link, client = ask(order), Client()
        path = path_of(link)
        FeedbackLink.objects.update(expires_on=business_today() - dt.timedelta(days=1))
        old = client.get(path)
        assert old.status_code == 410
        assert "too old" in old.content.decode()
        for _try in range(3):
            altered = client.get(path[:-4] + "xyz/")
            assert altered.status_code == 404
            assert "not complete" in altered.content.decode()
        assert 429 in {client.get(path[:-4] + "xyz/").status_code for _try in range(20)}
        assert not Feedback.objects.exists()


class TestPages:
    def test_asked_read_and_seen_to_on_the_pages(self, client_of, pm, order):
        client, place = client_of(pm), f"/fulfilment/orders/{order.number}/feedback/do"
        assert client.get(f"{place}/ask/").status_code == 200
        assert client.get(f"{place}/plan/").status_code == 200
        assert not FeedbackLink.objects.exists()
        form = {"to": "", "language": "en", "key": "once"}
        for _twice in range(2):
            assert client.post(f"{place}/ask/", form).status_code == 302
        link = FeedbackLink.objects.get()
        assert link_address(link) in client.get(order.get_absolute_url()).content.decode()
        answer_feedback(link, score=1, text="<i>送货太慢")
        page = client.get(order.get_absolute_url()).content.decode()
        assert "&lt;i&gt;送货太慢" in page
        assert link_address(link) not in page
        assert "送货太慢" in client.get("/").content.decode()
        listed = client.get("/fulfilment/feedback/?q=货太&satisfied=no&score=1&stage=during").content.decode()
        assert "&lt;i&gt;送货太慢" in listed
        assert "送货太慢" not in client.get("/fulfilment/feedback/?q=太快").content.decode().replace('value="太快"', "")
        action = CorrectiveAction.objects.get()
        assert "送货太慢" in client.get("/fulfilment/corrections/?mine=yes&q=太慢").content.decode()
        do = f"/fulfilment/corrections/{action.pk}/do"
        assert f"Report as done: {action.order.number} · " in client.get(f"{do}/done/").content.decode()
        assert client.get(f"{do}/done/").status_code == 200
        later = str(business_today() + dt.timedelta(days=2))
        form = {"owner": str(pm.pk), "due": later, "measure": "adjust"}
        assert client.post(f"{do}/assign/", form).status_code == 302
        assert client.post(f"{do}/done/", {"measure": "adjust", "result": "two vans"}).status_code == 302
        assert client.post(f"{do}/done/", {"measure": "adjust", "result": "again"}).status_code == 409

    def test_colleagues_and_people_without_the_right(self, client_of, sales, sales2, warehouse, order):
        foreign = started(customer=customer_b(), actor=sales2)
        answer_feedback(ask(foreign, key="f"), score=1, text="Other people's words")
        action = CorrectiveAction.objects.get()
        client = client_of(sales)
        assert "Other people" not in client.get("/fulfilment/feedback/").content.decode()
        assert client.get(f"/fulfilment/corrections/{action.pk}/do/done/").status_code == 404
        assert client.get(f"/fulfilment/orders/{foreign.number}/feedback/do/ask/").status_code == 404
        denied = client_of(warehouse)
        assert denied.get("/fulfilment/feedback/").status_code == 403
        assert denied.get(f"/fulfilment/orders/{order.number}/feedback/do/ask/").status_code == 403

    def test_queries_do_not_grow(self, client_of, pm, order):
        client = client_of(pm)
        answer_feedback(ask(order), score=1)
        urls = ("/fulfilment/feedback/", "/fulfilment/corrections/", "/", order.get_absolute_url())
        few = {}
        for url in urls:
            client.get(url)
            with CaptureQueriesContext(connection) as counted:
                client.get(url)
            few[url] = len(counted)
        for place in range(12):
            answer_feedback(ask(order, key=f"more{place}"), score=2, text="x")
        for url in urls:
            with CaptureQueriesContext(connection) as many:
                assert client.get(url).status_code == 200
            assert len(many) == few[url], url


def reviews(tmp_path):
    """The folder of the reviews and their rows: all of them by night, else every twelfth, satisfied and not."""
    folder = data_folder() / "10_waimai_reviews_zh"
    with (folder / "waimai_10k.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if whole_data():
        return folder, rows
    rows = rows[::12]
    with (tmp_path / "waimai_10k.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["label", "review"])
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path, rows


@pytest.mark.data
def test_waimai(client_of, pm, tmp_path):
    folder, rows = reviews(tmp_path)
    satisfied = sum(row["label"] == "1" for row in rows)
    figures = expected("10_waimai_reviews_zh")
    if whole_data():
        assert (len(rows), satisfied) == (figures["rows"], figures["per_label"]["1"]) == (11987, 4000)
    for told in ("created", "unchanged"):
        out = StringIO()
        call_command("import_data", "waimai", str(folder), "--format", "json", stdout=out)
        (step,) = json.loads(out.getvalue())["steps"]
        assert step[told] == len(rows)
        assert not step["problems"]
    assert Feedback.objects.filter(satisfied=True).count() == satisfied
    assert Feedback.objects.filter(satisfied=False).count() == len(rows) - satisfied
    assert not CorrectiveAction.objects.exists()
    client = client_of(pm)
    # One character, two, four, and what stands nowhere: as many as the text itself holds, without the marks that one
    # writer put under every letter.
    for fragment in ("送", "好吃", "外卖小哥", "味道", "龘"):
        holding = [row for row in rows if fragment in "".join(one for one in row["review"] if not combining(one))]
        assert Feedback.objects.filter(search_text__found=fragment).count() == len(holding), fragment
        page = client.get("/fulfilment/feedback/", {"q": fragment}).content.decode()
        for row in holding[-1:]:
            assert escape(row["review"][:12]) in page
    if whole_data():
        assert Feedback.objects.filter(search_text__found="送").count() == figures["reviews_containing_送"]
    slow = [row for row in rows if "慢" in row["review"] and row["label"] == "0"]
    assert not whole_data() or len(slow) == figures["negative_containing_慢"]
    page = client.get("/fulfilment/feedback/?q=慢&satisfied=no").content.decode()
    assert f"{len(slow)}" in page.replace(",", "")
    assert f"{len(rows)}" in page.replace(",", "")
