"""Saving and removing views of lists."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from ordermgmt.accounts.services import remove_view, save_view
from ordermgmt.lib.http import Request
from ordermgmt.lib.typed import whole


@require_POST
def save(request: Request) -> HttpResponse:
    """Saves the list's present look, or removes a view, and returns to the list."""
    data = request.POST
    back = data.get("back", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    if (gone := whole(data.get("remove"))) is not None:
        remove_view(gone, actor=request.user)
        return redirect(f"{back}?{urlencode({'q': ''})}")
    name = data.get("name", "").replace("\x00", "").strip()[:60]
    query = data.get("query", "").replace("\x00", "")[:2000]
    if name:
        save_view(
            list_key=data.get("list_key", "")[:60], name=name, query=query, actor=request.user,
            is_shared="is_shared" in data, is_default="is_default" in data,
        )  # fmt: skip
    return redirect(f"{back}?{query or urlencode({'q': ''})}")
