"""The base of every list page."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views import View

from ordermgmt.lib.actions import Action, ActionSet
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.http import Request
from ordermgmt.lib.typed import whole

from .columns import Column
from .exporting import MOST_ROWS, XLSX_TYPE, csv_lines, xlsx_bytes
from .paging import Sort, keyset_page

#: Counting further is dear and tells nobody anything.
COUNT_CAP = 10_000
#: More rows than this are not accepted in one bulk action.
BULK_CAP = 500


class ListView(View):
    """A list page. A subclass names key, title, columns, filterset and gives `queryset()` from `visible_to`.

    The address holds everything: `q` and other filters, `sort`, `cols`, `after`/`before`. `?export=csv|xlsx` gives
    exactly what is shown, without paging. A POST performs a bulk action on the ticked rows, with a result per row.
    """

    request: Request
    key = ""
    title: str | Promise = ""
    columns: ClassVar[list[Column]] = []
    filterset_class: Any = None
    default_sort = "-pk"
    page_size = 50
    template = "components/list_page.html"
    permission = ""
    new_url = ""
    new_label: str | Promise = ""
    new_permission = ""
    actions: ActionSet | None = None
    empty_text: str | Promise = ""

    def queryset(self) -> models.QuerySet[Any]:
        """What this person may see, with what the columns need joined."""
        raise NotImplementedError

    def row_url(self, row: Any) -> str:
        """Where a row leads; empty for nowhere."""
        return str(row.get_absolute_url())

    def context(self) -> dict[str, Any]:
        """More for the template of a subclass."""
        return {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.permission and not request.user.has_perm(self.permission):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    # reading

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        views = self._views()
        if opened := self._default_view(views):
            return opened
        bulk = [one for one in self.bulk_actions() if self._allowed(one)]
        self.data = _without_nul(request.GET)
        filterset = self._filterset()
        queryset, columns, sort = self._filtered(filterset), self._chosen(), self._sort()
        if export := self.data.get("export"):
            return self._export(queryset, columns, sort, export)
        cursors = {"after": self.data.get("after", ""), "before": self.data.get("before", "")}
        page = keyset_page(queryset, sort, size=self.page_size, **cursors)
        context = {
            "view": self,
            "title": self.title,
            "filterset": filterset,
            "active_filters": _active(filterset),
            "has_filters": filterset is not None and any(one.name != "q" for one in filterset.form.visible_fields()),
            "is_filtered": _is_filtered(filterset),
            "columns": columns,
            "headings": [self._heading(one, sort) for one in columns],
            "all_columns": [(one, one in columns) for one in self.allowed_columns()],
            "rows": self._rows(page.rows, columns, ticked=bool(bulk)),
            "page": page,
            "count": self._count(queryset),
            "bulk": bulk,
            "views": views,
            "query": _query_without(self.data, "after", "before", "export"),
            "can_create": bool(self.new_url) and self._holds(self.new_permission),
            **self.context(),
        }
        partial = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
        context["partial"] = partial
        response = render(request, "components/list_table.html" if partial else self.template, context)
        response["Vary"] = "HX-Request"
        return response

    def _rows(self, rows: list[Any], columns: list[Column], *, ticked: bool) -> list[SafeString]:
        """The rows as HTML. Put together here: a template takes four times as long over 50 rows of 8 cells."""
        box = '<td><input class="form-check-input" type="checkbox" name="selected" value="{}" aria-label="{}"></td>'
        starts = [f'<td class="{one.css}">' if one.css else "<td>" for one in columns]
        found = []
        for row in rows:
            cells = [one.cell(row) for one in columns]
            if cells and not columns[0].linked and (url := self.row_url(row)):
                cells[0] = format_html('<a href="{}">{}</a>', url, cells[0])
            tick = format_html(box, row.pk, row) if ticked else ""
            found.append(tick + "".join(f"{start}{cell}</td>" for start, cell in zip(starts, cells, strict=True)))
        return [mark_safe(one) for one in found]  # noqa: S308  # each cell escapes its own value

    def _holds(self, permission: str) -> bool:
        return not permission or self.request.user.has_perm(permission)

    def _count(self, queryset: models.QuerySet[Any]) -> str:
        count = queryset.order_by()[: COUNT_CAP + 1].count()
        shown = formats.number_format(min(count, COUNT_CAP), force_grouping=True)
        return f"{shown}+" if count > COUNT_CAP else shown

    def _filterset(self) -> Any:
        if self.filterset_class is None:
            return None
        return self.filterset_class(self.data, queryset=self.queryset(), request=self.request)

    def _filtered(self, filterset: Any) -> models.QuerySet[Any]:
        if filterset is None:
            return self.queryset()
        # A wrong filter shows its error and no rows: showing all would answer another question.
        return filterset.qs if filterset.is_valid() else self.queryset().none()

    def allowed_columns(self) -> list[Column]:
        """The columns this person may see at all."""
        return [one for one in self.columns if self._holds(one.permission)]

    def _chosen(self) -> list[Column]:
        allowed = self.allowed_columns()
        wanted = [key for part in self.data.getlist("cols") for key in part.split(",")]
        return [one for one in allowed if one.key in wanted] or [one for one in allowed if one.default]

    def _sort(self) -> Sort:
        for text in (self.data.get("sort", ""), self.default_sort):
            for column in self.allowed_columns():
                if column.order_path and text.lstrip("-") in (column.key, column.order_path):
                    return Sort(column.order_path, text.startswith("-"), column.nullable)
        return Sort(self.default_sort.lstrip("-"), self.default_sort.startswith("-"))

    def _heading(self, column: Column, sort: Sort) -> dict[str, Any]:
        present = bool(column.order_path) and sort.path == column.order_path
        target = column.key if not present or sort.falling else f"-{column.key}"
        aria = ("descending" if sort.falling else "ascending") if present else ""
        return {"column": column, "sort": target if column.order_path else "", "aria": aria}

    # saved views

    def _views(self) -> list[Any]:
        saved = self.request.user.saved_views.model.objects
        return list(saved.filter(Q(user=self.request.user) | Q(is_shared=True), list_key=self.key).order_by("name"))

    def _default_view(self, views: list[Any]) -> HttpResponse | None:
        """A bare address opens the reader's default view."""
        if self.request.GET or self.request.headers.get("HX-Request"):
            return None
        view = next((one for one in views if one.is_default and one.user_id == self.request.user.pk), None)
        return redirect(f"{self.request.path}?{view.query}") if view and view.query else None

    # export

    def _export(self, queryset: models.QuerySet[Any], columns: list[Column], sort: Sort, kind: str) -> HttpResponseBase:
        rows: Iterator[Any] = sort.apply(queryset)[: MOST_ROWS + 1].iterator(chunk_size=1000)
        if kind == "xlsx":
            response: HttpResponseBase = HttpResponse(
                xlsx_bytes(columns, rows, str(self.title)), content_type=XLSX_TYPE
            )
        elif kind == "csv":
            response = StreamingHttpResponse(csv_lines(columns, rows), content_type="text/csv; charset=utf-8")
        else:
            return HttpResponse(status=400)
        name = f"{slugify(self.key) or 'list'}-{timezone.localdate()}.{kind}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    # bulk

    def bulk_actions(self) -> list[Action]:
        """The verbs that may be done to many rows."""
        return [one for one in self.actions or [] if one.bulk]

    def _allowed(self, action: Action) -> bool:
        return self._holds(action.permission)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        action = next((one for one in self.bulk_actions() if one.name == request.POST.get("action")), None)
        ticked = request.POST.getlist("selected")[:BULK_CAP]
        chosen = [pk for one in ticked if (pk := whole(one)) is not None]
        if action is None or not chosen:
            messages.warning(request, _("Tick at least one row and choose what to do."))
            return redirect(request.get_full_path())
        if not self._allowed(action):
            raise PermissionDenied
        confirmed = "confirmed" in request.POST
        form = action.form(request.POST if confirmed else None)
        rows = list(self.queryset().filter(pk__in=chosen))
        context: dict[str, Any] = {"action": action, "form": form, "rows": rows, "title": self.title}
        context["back"] = request.get_full_path()
        if confirmed and form.is_valid():
            context["results"] = [(row, *self._perform(action, row, form.cleaned_data)) for row in rows]
        return render(request, "components/bulk.html", context)

    def _perform(self, action: Action, row: Any, data: dict[str, Any]) -> tuple[str, bool]:
        """Each row stands for itself: the verb's own transaction writes it wholly or not at all."""
        try:
            action.perform(row, actor=self.request.user, **data)
        except TransitionRefused as refused:
            return str(refused), False
        except PermissionDenied:
            return _("You may not do this here."), False
        except ValidationError as error:
            return " ".join(error.messages), False
        return _("Done"), True


def _active(filterset: Any) -> int:
    if filterset is None or not filterset.is_valid():
        return 0
    form = filterset.form
    shown = (form.cleaned_data.get(one.name) for one in form.visible_fields() if one.name != "q")
    return sum(1 for value in shown if value not in (None, "", []))


def _is_filtered(filterset: Any) -> bool:
    """Whether anything narrows the list, so that there is something to clear."""
    if filterset is None:
        return False
    form = filterset.form
    return bool(_active(filterset) or form.errors or ("q" in form.fields and form["q"].value()))


def _without_nul(data: QueryDict) -> QueryDict:
    """The address without NUL, which no database takes."""
    clean = data.copy()
    for key, values in data.lists():
        clean.setlist(key, [value.replace("\x00", "") for value in values])
    return clean


def _query_without(data: QueryDict, *names: str) -> str:
    query = data.copy()
    for name in names:
        query.pop(name, None)
    return query.urlencode()
