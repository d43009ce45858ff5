"""Files of an object, for its page: `{% load documents %}{% attachments order %}`."""

from typing import Any

from django import template
from django.db import models

from ordermgmt.activity.services import type_of
from ordermgmt.documents.models import Attachment
from ordermgmt.documents.services import ACCEPTED

register = template.Library()


@register.inclusion_tag("documents/_attachments.html", takes_context=True)
def attachments(context: dict[str, Any], instance: models.Model) -> dict[str, Any]:
    """The files on an object, and the way to add one. The page has checked that the reader may see it."""
    request = context["request"]
    found = Attachment.objects.present().filter(root_type=type_of(instance), root_id=instance.pk)
    return {
        "request": request,
        "user": request.user,
        "csrf_token": context.get("csrf_token"),
        "attachments": found.select_related("file", "created_by")[:100],
        "accept": ",".join(f".{ending}" for ending in ACCEPTED),
        "key": type_of(instance),
        "pk": instance.pk,
    }
