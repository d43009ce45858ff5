"""What the views of this app share: finding the object that a reader may see."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from ordermgmt.activity.services import Root, root_of_type, visible_root
from ordermgmt.lib.http import Request


def root_or_404(request: Request, key: str, pk: int) -> tuple[Root, models.Model]:
    """The registered root and the object, if this reader may see it; else 404."""
    root, instance = root_of_type(key), visible_root(request.user, key, pk)
    if root is None or instance is None:
        raise Http404
    return root, instance


def back_to(root: Root, instance: Any, anchor: str) -> HttpResponse:
    """Back to the object's page, at the part that was changed."""
    return redirect(f"{root.url(instance)}#{anchor}")


def tell_errors(request: Request, error: ValidationError) -> None:
    """The sentences of a refused input as messages, for forms that live in another page."""
    for sentence in error.messages:
        messages.error(request, sentence)
