"""JSON answers for selects with thousands of options."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views import View

from ordermgmt.lib.http import Request

#: How many suggestions one answer holds.
LIMIT = 20


class AutocompleteView(View):
    """A subclass gives `results(text)`: mappings with value, text and hint, from what the person may see."""

    request: Request
    permission = ""

    def results(self, text: str) -> Iterable[dict[str, Any]]:
        """The first LIMIT suggestions for what was typed."""
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.permission and not request.user.has_perm(self.permission):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
        text = request.GET.get("q", "").replace("\x00", "").strip()[:200]
        return JsonResponse({"results": list(self.results(text))})
