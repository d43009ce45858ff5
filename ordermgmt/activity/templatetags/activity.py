"""Timeline and tasks of an object, for its page: `{% load activity %}{% timeline order %}{% followups order %}`."""

from typing import Any

from django import template
from django.db import models

from ordermgmt.activity.forms import CommentForm
from ordermgmt.activity.models import FollowUp
from ordermgmt.activity.services import root_for, timeline_of, type_of

register = template.Library()


@register.inclusion_tag("activity/_timeline.html", takes_context=True)
def timeline(context: dict[str, Any], instance: models.Model) -> dict[str, Any]:
    """The newest events of an object with a box for comments. The page has checked that the reader may see it."""
    request = context["request"]
    return {
        "request": request,
        "user": request.user,
        "csrf_token": context.get("csrf_token"),
        "timeline": timeline_of(instance, user=request.user),
        "form": CommentForm(auto_id="comment_%s"),
        "key": type_of(instance),
        "pk": instance.pk,
        "kind": "all",
        "label": root_for(instance).label(instance),
    }


@register.inclusion_tag("activity/_followups.html", takes_context=True)
def followups(context: dict[str, Any], instance: models.Model) -> dict[str, Any]:
    """The tasks about an object, open ones first."""
    request = context["request"]
    found = FollowUp.objects.filter(root_type=type_of(instance), root_id=instance.pk).select_related("assignee")
    return {
        "request": request,
        "user": request.user,
        "csrf_token": context.get("csrf_token"),
        "tasks": found.order_by(models.F("done_at").asc(nulls_first=True), "due", "pk")[:20],
        "key": type_of(instance),
        "pk": instance.pk,
        "back": request.get_full_path(),
    }
