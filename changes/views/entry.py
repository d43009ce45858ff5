"""Writing a change request: the order's line grid, and before and after side by side as one types."""

import datetime as dt
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from changes import services
from changes.forms import ChangeForm
from changes.models import ChangeRequest, Operation
from changes.services import Op, compare_order, operations_from, operations_of
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.templatetags.ui import amount
from ordermgmt.lib.typed import as_sent
from orders.forms import clean_lines
from orders.models import Order, OrderLine
from orders.services import amended
from orders.views.entry import EntryPage, read_json
from orders.views.grid import attention, grid_lines
from orders.views.lookup import ProductLookup
from orders.views.page import order_or_404

from .pages import change_or_404

Kind = Operation.Kind


class ChangeProducts(ProductLookup):
    """Products for a new line."""

    permission_required = "changes.raise_change"


class ChangePage(EntryPage):
    """Writing needs the right to ask for changes; a draft is written on by who began it."""

    permission_required = "changes.raise_change"

    def draft(self, number: str) -> ChangeRequest:
        """The draft of that number. Raises Http404 out of scope, PermissionDenied for somebody else's."""
        change = change_or_404(self.user, number)
        if change.requested_by_id != self.user.pk:
            raise PermissionDenied
        return change


class ChangeCreate(ChangePage):
    """An empty request for an order, or one that proposes the date of `?promised=`."""

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        order = order_or_404(self.user, number)
        if order.state not in services.ALLOWED:
            messages.warning(request, services.takes_none(order))
            return redirect(order)
        form = ChangeForm(order=order)
        form.initial.update(_standing(order))
        with suppress(ValueError):  # no date, no proposal
            form.initial["promised_date"] = dt.date.fromisoformat(request.GET.get("promised", ""))
        return _page(request, order, None, form, _rows(order, []))


class ChangeEdit(ChangePage):
    """A draft to go on with."""

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        change = self.draft(number)
        if change.state != ChangeRequest.State.DRAFT:
            return redirect(change.get_absolute_url())
        operations = operations_of(change)
        form = ChangeForm(order=change.order, instance=change)
        # What follows is among the lines of the draft already.
        form.initial.update(_standing(change.order) | _written(operations) | {"lines_follow": False})
        return _page(request, change.order, change, form, _rows(change.order, operations))


def _standing(order: Order) -> dict[str, Any]:
    """What the order says beside its lines."""
    names = ("promised_date", "delivery_address", "billing_address")
    return {name: getattr(order, name) for name in names}


def _written(operations: list[Op]) -> dict[str, Any]:
    """What a draft changes beside the lines."""
    found: dict[str, Any] = {}
    for op in operations:
        if op.kind in (Kind.PROMISED, Kind.DELIVERY, Kind.BILLING):
            found[op.kind] = op.after
        elif op.kind == Kind.PLAN:
            found |= {"plan_parts": op.after["parts"], "plan_first": op.after["first"]}
        elif op.kind == Kind.TERMINATE:
            found |= {"terminate": True, "fee": op.after.get("fee")}
    return found


def _rows(order: Order, operations: list[Op]) -> list[dict[str, Any]]:
    """The grid's rows: the order's lines as the draft leaves them, each with the key of its line."""
    of_lines = [op for op in operations if op.kind in Operation.OF_LINE or op.kind == Kind.ADD]
    result = amended(order, services.amendment_of(order, of_lines))
    lines = [line for line in result.lines if line.due > 0]
    rows = grid_lines(lines)
    for row, line in zip(rows, lines, strict=True):
        row["line"] = line.pk
        row["quantity"] = format(line.due.normalize(), "f")
    return rows


def _page(
    request: HttpRequest, order: Order, change: ChangeRequest | None, form: ChangeForm, rows: list[dict[str, Any]]
) -> HttpResponse:
    context = {
        "form": form,
        "order": order,
        "change": change,
        "grid": {
            "number": change.number if change else "",
            "version": change.version if change else 0,
            "order": order.content_hash(),
            "lines": rows,
            "supplies": [{"value": value, "text": str(text)} for value, text in OrderLine.Supply.choices],
            "user": request.user.pk,
            "currency": order.currency,
        },
    }
    return render(request, "changes/change_form.html", context)


def _behind(order: Order, data: dict[str, Any]) -> str:
    """Why what the page shows is not what the order says now; empty when it is. A line that came since would be removed."""
    if data.get("order") in (None, order.content_hash()):
        return ""
    return _("The order was changed since this page was opened. Load the page again.")


class Typed:
    """What the page sent: the form, the operations it means, and what is wrong with it.

    `lines` are sentences by the row's place in the grid and its field, `header` by the field beside the lines.
    """

    def __init__(self, order: Order, data: dict[str, Any], user: Any, change: ChangeRequest | None) -> None:
        self.form = ChangeForm(as_sent(data.get("header", {})), order=order, instance=change)
        self.valid = self.form.is_valid()
        self.header: dict[str, list[str]] = {
            name: [str(one) for one in texts] for name, texts in self.form.errors.items()
        }
        rows = data.get("lines", [])
        kept = [place for place, row in enumerate(rows) if row.get("line")]
        fresh = [place for place, row in enumerate(rows) if not row.get("line")]
        cleaned, errors = clean_lines([rows[place] for place in fresh], user=user, currency=order.currency)
        self.lines: dict[int, dict[str, list[str]]] = {fresh[place]: found for place, found in errors.items()}
        self.row_of = {rows[place]["line"]: place for place in kept if type(rows[place]["line"]) is int}
        self.row_of_new = [fresh[place] for place in cleaned]
        written = [rows[place] for place in kept] + [_plain_row(row) for row in cleaned.values()]
        self.operations = operations_from(order, written, self.form.beside_lines())
        self.wrong: set[int] = set()

    @property
    def is_wrong(self) -> bool:
        """Whether a field of the head or of a new line can't be read."""
        return not self.valid or bool(self.lines)

    def check(self, order: Order) -> list[str]:
        """The sentences about operations that are wrong, each kept at its field too."""
        try:
            self.operations = services.check_operations(order, self.operations)
        except services.WrongOperations as error:
            for problem in error.problems:
                self._keep(problem)
            return [str(text) for text in error.messages]
        except ValidationError as error:
            return [str(text) for text in error.messages]
        return []

    def _keep(self, problem: services.Problem) -> None:
        """Puts a sentence where the page shows it: at its row or at its field beside the lines."""
        if problem.place is None:
            return
        self.wrong.add(problem.place)
        op = self.operations[problem.place]
        added = [place for place, one in enumerate(self.operations) if one.kind == Kind.ADD]
        row: int | None = None
        if op.kind == Kind.ADD:
            row = self.row_of_new[added.index(problem.place)]
        elif type(op.line) is int:
            row = self.row_of.get(op.line)
        if row is not None:
            self.lines.setdefault(row, {}).setdefault(problem.field, []).append(problem.text)
        elif problem.field in self.form.fields:
            self.header.setdefault(problem.field, []).append(problem.text)

    def nets(self, order: Order) -> dict[int, dict[str, str]]:
        """What each row that can be read comes to, by its place in the grid. Ask after `check`."""
        kinds = Operation.OF_LINE | {Kind.ADD}
        sound = [op for place, op in enumerate(self.operations) if op.kind in kinds and place not in self.wrong]
        added = [place for place, op in enumerate(self.operations) if op.kind == Kind.ADD]
        fresh = [row for row, place in zip(self.row_of_new, added, strict=False) if place not in self.wrong]
        with suppress(ValidationError):  # what is wrong with the request as a whole stands beside the grid
            result = amended(order, services.amendment_of(order, sound))
            found = {self.row_of[line.pk]: line.net for line in result.lines if line.pk in self.row_of}
            found |= dict(zip(fresh, (line.net for line in result.fresh), strict=True))
            return {
                place: {"net": amount(net, order.currency)} for place, net in found.items() if place not in self.lines
            }
        return {}


def _plain_row(row: dict[str, Any]) -> dict[str, Any]:
    product = row.get("product")
    return row | {"product": product.pk} if product is not None else row


class ChangePreview(ChangePage):
    """Before and after of what is typed so far, as a fragment; nothing is written."""

    def post(self, request: HttpRequest, number: str) -> JsonResponse:
        order = order_or_404(self.user, number)
        data = read_json(request)
        typed = Typed(order, data, self.user, None)
        behind = _behind(order, data)
        problems = [behind] if behind else typed.check(order)
        context = {"problems": problems, "order": order, "sees_prices": self.user.has_perm("orders.view_price")}
        if not problems and typed.operations:
            context["comparison"] = compare_order(order, typed.operations)
        html = render_to_string("changes/_compare.html", context, request)
        shown = {"html": html, "errors": typed.lines, "rows": typed.nets(order), "count": len(typed.operations)}
        return JsonResponse(shown)


class ChangeSave(ChangePage):
    """Saves a draft: begins it at first, then writes on it. 422 with errors, 409 where it moved on meanwhile."""

    def post(self, request: HttpRequest, number: str) -> JsonResponse:
        data = read_json(request)
        change = None if request.path.startswith("/changes/orders/") else self.draft(number)
        order = change.order if change else order_or_404(self.user, number)
        if behind := _behind(order, data):
            return JsonResponse({"message": behind}, status=409)
        typed = Typed(order, data, self.user, change)
        problems = typed.check(order)
        if typed.is_wrong or problems:
            names = [typed.form.fields[name].label for name in typed.header if name in typed.form.fields]
            message = " ".join(problems) or attention(typed.lines, names)
            return JsonResponse({"header": typed.header, "lines": typed.lines, "message": message}, status=422)
        try:
            saved = self._save(order, change, typed, data.get("version"))
        except StaleVersion:
            return JsonResponse(
                {"message": _("Somebody saved this draft since you opened it. Load it again.")}, status=409
            )
        except TransitionRefused as refused:
            return JsonResponse({"message": str(refused)}, status=409)
        except ValidationError as error:
            header = error.message_dict if hasattr(error, "error_dict") else {}
            return JsonResponse({"message": " ".join(error.messages), "header": header, "lines": {}}, status=422)
        url = saved.get_absolute_url()
        return JsonResponse(
            {"number": saved.number, "version": saved.version, "url": url, "edit": f"{url}edit/", "save": f"{url}save/"}
        )

    def _save(self, order: Order, change: ChangeRequest | None, typed: Typed, version: Any) -> ChangeRequest:
        head = typed.form.head()
        if change is None:
            return services.raise_change(order, operations=typed.operations, actor=self.user, **head)
        number = version if type(version) is int else 0
        return services.edit_change(change, version=number, operations=typed.operations, actor=self.user, **head)
