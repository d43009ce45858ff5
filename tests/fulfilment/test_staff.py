"""Staff: set up, seen and assigned on pages by who may; cost only for who may see it; replaced from a low score."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from fulfilment import events
from fulfilment.models import Assignment, CalendarException, CorrectiveAction, HoursLock, Skill, StaffMember
from fulfilment.services import (
    Entry,
    answer_feedback,
    ask_feedback,
    book_hours,
    finish_correction,
    release_assignment,
    replace_for,
    save_skill,
    save_staff,
    set_cost_rate,
)
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories.capacity import EIGHT
from tests.factories.orders import customer_b, person, placed
from tests.factories.staff import assign, on, service_order, skill, staff

pytestmark = pytest.mark.django_db
PATH = "/fulfilment/staff/"
WEEK = {f"day_{n}": "08:00-16:00" if n < 5 else "" for n in range(7)}


def low(order):
    link = ask_feedback(order, key="k", actor=person("pm"))
    answer_feedback(link, score=1, text="not prepared", by="Mr Wang")
    return CorrectiveAction.objects.get(order=order)


class TestSeen:
    def test_the_timeline_tells_nobody_of_orders_that_they_do_not_see(self, client_of, sales, sales2, consultant):
        who = staff()
        order = service_order(customer=customer_b(), actor=sales2)
        work = order.order_lines[0].description
        assign(order, who, 4, on(0), on(0), line=order.order_lines[0])
        release_assignment(assign(order, who, 2, on(1), on(1), line=order.order_lines[0]), actor=person("pm"))
        page = client_of(sales).get(f"/activity/timeline/fulfilment.staffmember/{who.pk}/")
        text = page.content.decode()
        assert page.status_code == 200
        assert text.count(order.number) >= 3, "that there is work is no secret"
        assert customer_b().name not in text
        assert work not in text
        own = client_of(consultant).get(who.get_absolute_url()).content.decode()
        assert customer_b().name in own

    def test_no_sentence_of_a_person_has_room_for_a_customer_or_the_work(self):
        for one in (events.WORK_GIVEN, events.WORK_MOVED, events.WORK_TAKEN, events.WORK_OFF, events.HOURS_BOOKED):
            assert not {"{customer}", "{what}"} & set(re.findall(r"{\w+}", str(one.message))), one.name


class TestSettingUp:
    def test_the_hours_of_the_week_and_of_a_night_are_said(self, client_of, pm, consultant):
        form = WEEK | {"user": consultant.pk, "is_active": "on", "day_0": "16:00-08:00", "day_1": "16:00-24:00"}
        page = client_of(pm).post(f"{PATH}new/", form, follow=True).content.decode()
        assert "Saved. The week has 48 working hours. 16:00-08:00 ends on the next day, after 16 hours." in page
        assert page.count("ends on the next day") == 1

    def test_a_person_with_a_week_and_skills_on_the_page(self, client_of, pm, consultant):
        held = skill()
        client = client_of(pm)
        page = client.get(f"{PATH}new/").content.decode()
        assert "Carl Consultant" in page
        assert "Sally Sales" not in page
        form = WEEK | {"user": consultant.pk, f"skill_{held.pk}": "3", "is_active": "on"}
        wrong = client.post(f"{PATH}new/", form | {"day_0": "8 to 4"})
        assert wrong.status_code == 422
        assert "is no shift" in wrong.content.decode()
        made = client.post(f"{PATH}new/", form)
        one = StaffMember.objects.get()
        assert made["Location"] == one.get_absolute_url()
        assert [(level.skill, level.level) for level in one.levels.all()] == [(held, 3)]
        assert one.calendar.shifts.count() == 5
        assert client.post(f"{PATH}new/", form).status_code == 422
        shorter = client.post(f"{PATH}{one.pk}/edit/", WEEK | {"day_0": "", "is_active": "on", "version": "1"})
        assert shorter.status_code == 302
        stale = client.post(f"{PATH}{one.pk}/edit/", WEEK | {"is_active": "on", "version": "1"})
        assert stale.status_code == 409
        assert one.calendar.shifts.count() == 4
        assert client_of(consultant).get(f"{PATH}new/").status_code == 403
        assert [str(one) for one in violations(["A3", "K"])] == []

    def test_who_may_and_what_is_refused(self, sales, pm):
        one = staff()
        with pytest.raises(PermissionDenied):
            save_staff(None, user=person("consultant2"), shifts=[], levels={}, actor=sales)
        with pytest.raises(ValidationError, match="set up already"):
            save_staff(None, user=one.user, shifts=[], levels={}, actor=pm)
        with pytest.raises(ValidationError, match="stays who it is"):
            save_staff(one, user=person("consultant2"), shifts=[], levels={}, actor=pm)
        with pytest.raises(ValidationError, match="overlap"):
            save_staff(one, user=one.user, shifts=[(0, *EIGHT), (0, *EIGHT)], levels={}, actor=pm)
        with pytest.raises(ValidationError):
            save_staff(one, user=one.user, shifts=[(0, *EIGHT)], levels={skill(): 9}, actor=pm)
        with pytest.raises(StaleVersion):
            save_staff(one, user=one.user, shifts=[], levels={}, version=7, actor=pm)

    def test_a_skill_that_is_not_offered_any_more_is_kept(self, client_of, pm, monkeypatch):
        one = staff(Welding=3, Assembly=2)
        skill("A new one")
        monkeypatch.setattr("fulfilment.forms.staff._MOST_SKILLS", 1)
        url, client = f"{PATH}{one.pk}/edit/", client_of(pm)
        shown = client.get(url).context["form"]
        assert [shown.fields[f"skill_{each.pk}"].label for each in shown.skills] == ["A new one", "Assembly", "Welding"]
        levels = {f"skill_{each.pk}": str(shown[f"skill_{each.pk}"].value()) for each in shown.skills}
        assert client.post(url, WEEK | levels | {"is_active": "on", "version": "1"}).status_code == 302
        assert sorted(one.levels.values_list("skill__name", "level")) == [("Assembly", 2), ("Welding", 3)]

    def test_a_skill_with_its_services(self, client_of, pm, sales):
        client = client_of(pm)
        assert client.post(f"{PATH}skills/new/", {"name": "Training", "products": "SKU-1"}).status_code == 302
        one = Skill.objects.get()
        wrong = client.post(f"{PATH}skills/{one.pk}/edit/", {"name": "Training", "products": "SKU-1, NOPE"})
        assert "no product with this SKU: NOPE" in wrong.content.decode()
        assert client.post(f"{PATH}skills/new/", {"name": "Training"}).status_code == 422
        assert "SKU-1" in client.get(f"{PATH}skills/").content.decode()
        assert client_of(sales).get(f"{PATH}skills/").status_code == 403
        with pytest.raises(PermissionDenied):
            save_skill(None, name="X", actor=sales)

    def test_an_absence_by_dialog_and_back(self, client_of, pm, sales):
        one = staff()
        path = f"{PATH}{one.pk}/do/absence/"
        form = {"day": on(0).isoformat(), "last": on(2).isoformat(), "hours_open": "0", "reason": "Leave"}
        assert client_of(sales).post(path, form).status_code == 403
        assert client_of(pm).post(path, form | {"day": "2000-01-01"}).status_code == 422
        assert client_of(pm).post(path, form).status_code == 302
        off = CalendarException.objects.filter(work_centre=one.calendar)
        assert off.count() == 3
        back = f"{PATH}absences/{off[0].pk}/do/remove/"
        assert client_of(sales).post(back).status_code == 403
        assert client_of(pm).post(back).status_code == 302
        assert off.count() == 2
        # The absences of people are not the exceptions of work centres, nor are people work centres.
        assert "Leave" not in client_of(pm).get("/fulfilment/capacity/exceptions/").content.decode()
        assert "Carl" not in client_of(pm).get("/fulfilment/capacity/").content.decode()
        assert client_of(pm).get(f"/fulfilment/capacity/{one.calendar_id}/").status_code == 404


class TestReading:
    def test_list_load_and_person(self, client_of, pm, sales, consultant, consultant2, finance):
        one = staff(Commissioning=3)
        order = service_order()
        foreign = placed(customer=customer_b(), actor=person("sales2"))
        assign(order, one, 8, on(0), on(0))
        assign(foreign, one, 4, on(1), on(1))
        page = client_of(sales).get(f"{PATH}?from={on(0)}").content.decode()
        assert "Carl Consultant" in page
        assert "expert" in page
        assert "12 / 56" in page
        assert "Carl" not in client_of(sales).get(f"{PATH}?q=nobody").content.decode()
        assert client_of(sales).get(f"{PATH}?skill=9999999999999999999&q=%00").status_code == 200
        person_page = client_of(sales).get(one.get_absolute_url()).content.decode()
        assert order.customer_name in person_page
        assert foreign.customer_name not in person_page
        mine = client_of(consultant).get(one.get_absolute_url()).content.decode()
        assert foreign.customer_name in mine
        assert client_of(consultant2).get(one.get_absolute_url()).status_code == 404
        assert client_of(finance).get(PATH).status_code == 403
        assert client_of(consultant).get(PATH).status_code == 403

    def test_what_an_hour_costs_is_for_who_may_see_cost(self, client_of, pm, sales, consultant, manager, admin):
        one = staff()
        order = service_order(order_date=business_today() - dt.timedelta(days=9))
        job = assign(order, one, 8, business_today(), on(6))
        path = f"{PATH}{one.pk}/do/rate/"
        form = {"valid_from": "2020-01-01", "rate": "61.37"}
        assert client_of(pm).post(path, form).status_code == 403
        assert client_of(manager).post(path, form | {"rate": "-1"}).status_code == 422
        for _twice in range(2):
            assert client_of(manager).post(path, form).status_code == 302
        assert one.rates.count() == 1
        event = Event.objects.filter(type="fulfilment.cost_rate_set").earliest("pk")
        assert "61.37" in client_of(manager).get(f"/activity/audit/{event.pk}/").content.decode()
        hidden = client_of(admin).get(f"/activity/audit/{event.pk}/")
        assert hidden.status_code == 200
        assert "61.37" not in hidden.content.decode()
        book_hours(one, entries=[Entry(job.pk, business_today(), 120)], actor=consultant)
        pages = {
            who: [
                client_of(who).get(path).content.decode()
                for path in (one.get_absolute_url(), order.get_absolute_url(), "/fulfilment/hours/", "/")
            ]
            for who in (pm, sales, consultant)
        }
        assert "61.37" in pages[pm][0]
        assert "122.74" in pages[pm][1]
        for who in (sales, consultant):
            assert not [page for page in pages[who] if "61.37" in page or "122.74" in page]
        assert "My work" in pages[consultant][3]

    def test_queries_do_not_grow_with_people_and_assignments(self, client_of, pm, django_assert_max_num_queries):
        order = service_order()
        client = client_of(pm)
        paths = (
            PATH,
            order.get_absolute_url(),
            f"/fulfilment/orders/{order.number}/staff/?hours=1&first={on(0)}&last={on(1)}",
        )
        keys = ("consultant", "consultant2", "warehouse", "warehouse2")
        assign(order, staff("pm", Commissioning=1), 1, on(0), on(1))
        counts = []
        for _round in range(2):
            for path in paths:
                client.get(path)
            found = []
            for path in paths:
                with django_assert_max_num_queries(90) as queries:
                    client.get(path)
                found.append(len(queries))
            counts.append(found)
            for key in keys if not _round else ():
                assign(order, staff(key, Commissioning=1, Training=2), 1, on(0), on(1))
        assert counts[0] == counts[1]


class TestAssigningOnPages:
    def test_suggested_assigned_sent_twice_and_refused(self, client_of, pm, pm2, sales):
        asked = skill("Training")
        save_skill(asked, name="Training", products=[service_order().order_lines[0].product], actor=pm)
        expert, _other = staff("consultant", Training=3), staff("consultant2")
        order = service_order()
        path = f"/fulfilment/orders/{order.number}/staff/"
        wish = {"line": order.order_lines[0].pk, "hours": "8", "first": on(0).isoformat(), "last": on(0).isoformat()}
        page = client_of(pm).get(path, wish).content.decode()
        assert page.index("Training: expert") < page.index("lacks Training")
        assert "Assign Carl Consultant" in page
        assert all(f'name="{name}" value="{value}"' in page for name, value in wish.items()), (
            "the button takes them along"
        )
        form = wish | {"staff": expert.pk, "key": "abc"}
        for _twice in range(2):
            assert client_of(pm).post(path, form).status_code == 302
        one = Assignment.objects.get()
        assert (one.staff, one.skill, one.line) == (expert, asked, order.order_lines[0])
        again = client_of(pm).post(path, form | {"key": "abd"})
        assert again.status_code == 422
        assert "0 of the 8 hours free" in again.content.decode()
        assert "Carl Consultant" in client_of(sales).get(order.get_absolute_url()).content.decode()
        assert client_of(sales).get(path).status_code == 403
        assert client_of(pm2).get(path).status_code == 404
        for bad in ({"hours": "x"}, {"first": "2026-99-99"}, {"last": "1999-01-01"}, {"staff": "0"}, {"line": "7777"}):
            assert client_of(pm).post(path, form | bad | {"key": "b"}).status_code == 422
        assert Assignment.objects.count() == 1

    def test_verbs_on_an_assignment(self, client_of, pm, pm2, sales):
        old, new, order = staff(), staff("consultant2"), service_order()
        one = assign(order, old, 8, on(0), on(0))
        path = f"/fulfilment/assignments/{one.pk}/do"
        form = {"new": new.pk, "first": business_today().isoformat(), "reason": "ill"}
        assert re.search("Clara Consultant · [0-9]+ h free", client_of(pm).get(f"{path}/replace/").content.decode())
        assert client_of(pm2).post(f"{path}/replace/", form).status_code == 404
        assert client_of(sales).post(f"{path}/replace/", form).status_code == 403
        assert client_of(pm).post(f"{path}/replace/", form | {"reason": ""}).status_code == 422
        assert client_of(pm).post(f"{path}/replace/", form).status_code == 302
        assert client_of(pm).post(f"{path}/replace/", form).status_code in (409, 422)
        assert client_of(pm).post(f"{path}/release/").status_code == 409
        other = Assignment.objects.get(staff=new)
        assert client_of(sales).post(f"/fulfilment/assignments/{other.pk}/do/release/").status_code == 403
        assert client_of(pm).post(f"/fulfilment/assignments/{other.pk}/do/release/").status_code == 302
        assert client_of(pm).get(f"{path}/replace/").status_code == 200

    def test_hours_are_locked_on_a_page(self, client_of, manager, pm):
        path = f"{PATH}lock/"
        assert client_of(pm).post(path, {"until": "2026-01-31"}).status_code == 403
        assert client_of(manager).post(path, {"until": "2999-01-31"}).status_code == 422
        assert client_of(manager).post(path, {"until": "2020-01-31"}).status_code == 302
        assert client_of(manager).post(path, {"until": "2020-01-15"}).status_code == 422
        assert HoursLock.objects.count() == 1


class TestFromALowScore:
    def test_another_person_in_one_step_then_done(self, client_of, pm, sales, pm2):
        old, new, order = staff(), staff("consultant2"), service_order()
        assign(order, old, 16, on(0), on(1))
        action = low(order)
        path = f"/fulfilment/corrections/{action.pk}/do/replace/"
        page = client_of(pm).get(path).content.decode()
        assert "Carl Consultant" in page
        assert re.search("Clara Consultant · [0-9]+ h free", page)
        form = {"old": old.pk, "new": new.pk, "first": business_today().isoformat(), "reason": "not prepared"}
        assert client_of(sales).post(path, form).status_code == 403
        assert client_of(pm2).post(path, form).status_code == 404
        assert "Replace the person" not in client_of(sales).get(order.get_absolute_url()).content.decode()
        assert client_of(pm).post(path, form).status_code == 302
        action.refresh_from_db()
        assert (action.measure, action.state) == ("replace", "open")
        assert Assignment.objects.get(staff=new).minutes == 960
        assert client_of(pm).post(path, form).status_code in (409, 422)
        work_off()
        assert order.owner.notifications.filter(event__type="fulfilment.staff_replaced").exists()
        finish_correction(action, measure="replace", result="Clara went on", actor=pm)
        with pytest.raises(TransitionRefused, match="done already"):
            replace_for(action, old=new, new=old, first=on(0), reason="x", actor=pm)
        assert [str(one) for one in violations(["A3", "K"])] == []

    def test_nobody_to_replace_is_said(self, client_of, pm):
        page = client_of(pm).get(f"/fulfilment/corrections/{low(service_order()).pk}/do/replace/").content.decode()
        assert "Nobody is assigned" in page

    def test_cost_rates_are_not_below_zero_in_the_database(self):
        one = staff()
        set_cost_rate(one, valid_from=on(0), rate=Decimal(0), actor=person("manager"))
        assert one.rates.get().rate == 0


class TestEndOfTheCalendar:
    FAR = "9999-12-31"

    def test_nobody_is_asked_for_there(self, client_of, pm):
        order = service_order()
        who = staff()
        url, wish = f"/fulfilment/orders/{order.number}/staff/", {"hours": "2", "first": self.FAR, "last": self.FAR}
        assert client_of(pm).get(url, wish).status_code == 200
        page = client_of(pm).post(url, wish | {"staff": who.pk, "key": "k"})
        assert (page.status_code, list(page.context["form"].errors)) == (422, ["first"])
        assert not Assignment.objects.exists()

    def test_nobody_is_absent_there(self, client_of, pm):
        who = staff()
        form = {"day": self.FAR, "hours_open": "0", "reason": "leave"}
        page = client_of(pm).post(f"{PATH}{who.pk}/do/absence/", form)
        assert (page.status_code, list(page.context["form"].errors)) == (422, ["day"])

    def test_nobody_is_replaced_from_there_on(self, client_of, pm):
        order = service_order()
        one = assign(order, staff(), 8, on(0), on(3))
        Assignment.objects.filter(pk=one.pk).update(minutes=900)  # what an absence took is missing
        url = f"/fulfilment/assignments/{one.pk}/do/replace/"
        page = client_of(pm).post(url, {"new": staff("pm").pk, "first": self.FAR, "reason": "ill"})
        assert (page.status_code, list(page.context["form"].errors)) == (422, ["first"])
