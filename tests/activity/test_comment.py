"""Comments: the five questions, mentions, and who may read them (P20)."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction

from customers.models import Customer
from ordermgmt.activity.models import Comment, Event, Notification
from ordermgmt.activity.services import add_comment, remove_comment, work_off


@pytest.fixture
def customer(sales):
    return Customer.objects.get(owner=sales)


@pytest.fixture
def path(customer):
    return f"/activity/comments/customers.customer/{customer.pk}/add/"


def test_works(client_of, sales, customer, path):
    answer = client_of(sales).post(path, {"text": "Call them on Monday"})
    assert answer.status_code == 302
    assert answer.url == f"{customer.get_absolute_url()}#timeline"
    comment = Comment.objects.get()
    assert (comment.text, comment.author) == ("Call them on Monday", sales)
    event = Event.objects.get(type="activity.commented")
    assert (event.root_type, event.root_id, event.source) == ("customers.customer", customer.pk, "page")
    assert len(event.request_id) >= 8
    assert b"Call them on Monday" in client_of(sales).get(customer.get_absolute_url()).content


def test_get_is_refused(client_of, sales, path):
    assert client_of(sales).get(path).status_code == 405


def test_foreign_object_is_not_found(client_of, sales2, path):
    assert client_of(sales2).post(path, {"text": "x"}).status_code == 404
    assert not Comment.objects.exists()


def test_service_asks_for_visibility_itself(sales2, customer):
    with pytest.raises(PermissionDenied):
        add_comment(customer, text="x", actor=sales2)


@pytest.mark.parametrize("text", ["", "   ", "x" * 5001, "\x00"])
def test_bad_text_comes_back_with_its_words(client_of, sales, path, text):
    answer = client_of(sales).post(path, {"text": text})
    assert answer.status_code == 422
    assert not Comment.objects.exists()


def test_unknown_root_is_not_found(client_of, sales):
    for key in ("customers.contact", "nothing.at_all", "x"):
        assert client_of(sales).post(f"/activity/comments/{key}/1/add/", {"text": "x"}).status_code == 404


def test_mention_rings_the_bell_of_whoever_may_see_it(client_of, sales, sales_manager, customer, path):
    client_of(sales).post(path, {"text": f"@{sales_manager.name}, please look. @nobody"})
    work_off()
    assert list(Notification.objects.values_list("user", flat=True)) == [sales_manager.pk]


def test_mention_of_somebody_who_may_not_see_it_is_refused(client_of, sales, sales2, path):
    answer = client_of(sales).post(path, {"text": f"@{sales2.name} look"})
    assert answer.status_code == 422
    assert sales2.name in answer.content.decode()
    assert not Comment.objects.exists()


def test_owner_hears_of_a_comment_and_the_author_does_not(sales, sales_manager, customer):
    add_comment(customer, text="hello", actor=sales_manager)
    add_comment(customer, text="hello yourself", actor=sales)
    work_off()
    assert list(Notification.objects.values_list("user", flat=True)) == [sales.pk]


def test_own_comment_can_be_taken_back_once(client_of, sales, customer):
    comment = add_comment(customer, text="wrong", actor=sales)
    for _again in range(2):
        assert client_of(sales).post(f"/activity/comments/{comment.pk}/remove/").status_code == 302
    comment.refresh_from_db()
    assert comment.text == ""
    assert Event.objects.filter(type="activity.comment_removed").count() == 1


def test_colleagues_comment_stays(client_of, sales, sales_manager, customer):
    comment = add_comment(customer, text="mine", actor=sales)
    assert client_of(sales_manager).post(f"/activity/comments/{comment.pk}/remove/").status_code == 404
    with pytest.raises(PermissionDenied):
        remove_comment(comment, actor=sales_manager)
    comment.refresh_from_db()
    assert comment.text == "mine"


def test_text_does_not_change_in_the_database_either(sales, customer):
    comment = add_comment(customer, text="said", actor=sales)
    with pytest.raises(DatabaseError), transaction.atomic():
        Comment.objects.filter(pk=comment.pk).update(text="never said")


def test_p25_comment_is_escaped(client_of, sales, customer):
    add_comment(customer, text='"><img src=x onerror=alert(1)>', actor=sales)
    page = client_of(sales).get(customer.get_absolute_url()).content.decode()
    assert "<img src=x" not in page


def test_chinese_mention_needs_no_space(sales, sales_manager, customer):
    sales_manager.name = "王小明"
    sales_manager.save()
    comment = add_comment(customer, text="请@王小明看一下", actor=sales)
    assert list(comment.mentioned.all()) == [sales_manager]


def test_longer_name_is_not_meant(sales, sales_manager, customer):
    sales_manager.name = "Ann"
    sales_manager.save()
    assert not add_comment(customer, text="@Anna is somebody else", actor=sales).mentioned.exists()


def test_validation_of_the_service(sales, customer):
    with pytest.raises(ValidationError):
        add_comment(customer, text=" ", actor=sales)
