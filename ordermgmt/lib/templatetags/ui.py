"""Tags and filters of the components: icons, amounts, quantities, badges, fields."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.db.models.fields import BLANK_CHOICE_DASH
from django.forms import BoundField
from django.forms.widgets import ChoiceWidget
from django.templatetags.static import static
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ordermgmt.lib.http import Request
from ordermgmt.lib.money import exponent, quantise
from ordermgmt.lib.panels import panels_for

register = template.Library()

#: Colour of a badge by the code it shows; states of every document have their own.
COLOURS = {
    "draft": "secondary", "placed": "blue", "in_production": "indigo", "shipped": "cyan", "rectification": "orange",
    "accepted": "teal", "settled": "green", "cancelled": "secondary", "issued": "blue", "paid": "green",
    "part_paid": "cyan", "overdue": "red", "open": "blue", "done": "green", "failed": "red", "running": "indigo",
    "queued": "secondary", "late": "red", "hold": "orange", "active": "green", "inactive": "secondary",
    "asked": "orange", "granted": "green", "refused": "red", "credited": "secondary",
    "submitted": "orange", "assessed": "blue", "approved": "teal", "applied": "green", "withdrawn": "secondary",
    "waiting": "orange", "ordered": "blue", "received": "green",
}  # fmt: skip


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """An icon of the sprite, decorative: the text beside it says what it means."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css, static("vendor/icons.svg"), name,
    )  # fmt: skip


@register.filter
def amount(value: Decimal | None, currency: str) -> str:
    """An amount in the reader's number format with its currency's decimals, without the code."""
    if value is None:
        return "–"
    return formats.number_format(
        quantise(Decimal(value), currency), decimal_pos=exponent(currency), force_grouping=True
    )


@register.simple_tag
def post_limit() -> int:
    """So many bytes may be sent at once, files apart."""
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0


@register.simple_tag
def money(value: Decimal | None, currency: str) -> SafeString | str:
    """An amount with its currency code, which never breaks over a line."""
    if value is None:
        return "–"
    return format_html('<span class="money">{} <small>{}</small></span>', amount(value, currency), currency)


@register.filter
def quantity(value: Decimal | None) -> str:
    """A quantity without trailing zeros, in the reader's number format."""
    if value is None:
        return "–"
    plain = Decimal(value).normalize()
    places = max(0, -int(plain.as_tuple().exponent))
    return formats.number_format(plain, decimal_pos=places, force_grouping=True)


@register.filter
def price(value: Decimal | None, currency: str) -> str:
    """A unit price: at least the currency's decimals, more where it has them."""
    if value is None:
        return "–"
    places = max(exponent(currency), -int(Decimal(value).normalize().as_tuple().exponent))
    return formats.number_format(Decimal(value), decimal_pos=places, force_grouping=True)


@register.filter
def day(value: dt.date | str | None) -> str:
    """A date, or the ISO form of one as a kept record has it, in the reader's short format; or a dash."""
    value = dt.date.fromisoformat(value) if isinstance(value, str) and value else value
    return formats.date_format(value, "SHORT_DATE_FORMAT") if value else "–"


@register.simple_tag
def badge(code: str, label: str) -> SafeString:
    """A state as a coloured badge that also says it in words."""
    return format_html(
        '<span class="badge bg-{0}-lt text-{0}-lt-fg state-{1}">{2}</span>', COLOURS.get(code, "secondary"), code, label
    )


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, css: str = "") -> dict[str, Any]:
    """A form field with label, help text and its errors, tied together for assistive technology."""
    described = [f"{bound.auto_id}_help"] if bound.help_text else []
    described += [f"{bound.auto_id}_error"] if bound.errors else []
    again = bound.form.is_bound and bool(bound.form.files.get(bound.html_name))  # a browser forgets a file it sent
    described += [f"{bound.auto_id}_again"] if again else []
    attrs: dict[str, Any] = {"aria-describedby": " ".join(described)} if described else {}
    kind = getattr(bound.field.widget, "input_type", "")
    if isinstance(bound.field.widget, ChoiceWidget):
        kind = "choices" if kind in ("checkbox", "radio") else "select"
    base = {"checkbox": "form-check-input", "select": "form-select", "choices": "form-check-input"}.get(
        kind, "form-control"
    )
    attrs["class"] = " ".join(
        part for part in (bound.field.widget.attrs.get("class", ""), base, "is-invalid" if bound.errors else "") if part
    )
    if bound.errors:
        attrs["aria-invalid"] = "true"
    if kind == "select":
        _dash(bound)
    if kind == "choices":  # each box is drawn by itself, with its label beside it
        bound.field.widget.attrs.update(attrs)
    return {"bound": bound, "widget": bound.as_widget(attrs=attrs), "kind": kind, "css": css, "again": again}


def _dash(bound: BoundField) -> None:
    """Django draws the empty choice as nine hyphens; ours is a dash."""
    hyphens = BLANK_CHOICE_DASH[0][1]
    if getattr(bound.field, "empty_label", None) == hyphens:
        bound.field.empty_label = "–"  # type: ignore[attr-defined]  # a ModelChoiceField
    elif isinstance(choices := bound.field.widget.choices, list):
        bound.field.widget.choices = [(value, "–" if label == hyphens else label) for value, label in choices]


@register.inclusion_tag("components/form_errors.html", takes_context=True)
def form_errors(context: dict[str, Any], form: Any) -> dict[str, Any]:
    """What is wrong with the form as a whole, and a count of the fields to mend."""
    request: Request = context["request"]
    return {"form": form, "fields": sum(1 for bound in form if bound.errors), "saves": request.method == "POST"}


@register.simple_tag(takes_context=True)
def querystring(context: dict[str, Any], **changes: Any) -> str:
    """The present query string with some parameters changed; None takes one out."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        if value is None:
            query.pop(key, None)
        else:
            query[key] = value
    return f"?{query.urlencode()}" if query else "?"


@register.simple_tag(takes_context=True)
def panels(context: dict[str, Any], place: str, instance: Any = None) -> list[tuple[Any, dict[str, Any]]]:
    """The boxes that upper apps show at `place`, for this reader."""
    request: Request = context["request"]
    return panels_for(request, place, instance)


@register.simple_tag
def may(user: Any, right: str) -> bool:
    """Whether somebody holds a right that is not a constant; nobody needs to hold none."""
    return not right or user.has_perm(right)


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """An item of a mapping by a key that is not a constant."""
    return mapping.get(key) if mapping else None


@register.filter
def split(text: str) -> list[str]:
    """The parts of a comma-separated text."""
    return text.split(",")


@register.filter
def getlist(query: Any, name: str) -> list[str]:
    """All values of a parameter of the address."""
    return list(query.getlist(name))
