"""The key that makes a form sent twice one deed."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy


class KeyField(forms.CharField):
    """The hidden key that makes a form sent twice one deed."""

    def __init__(self) -> None:
        super().__init__(
            initial=lambda: uuid4().hex, max_length=64, widget=forms.HiddenInput,
            help_text=gettext_lazy("Names this form once."),
        )  # fmt: skip


def seen_version(data: Mapping[str, Any]) -> int | None:
    """The version of the row that the page showed when it was opened; None where it says none."""
    text = str(data.get("version", ""))
    return int(text) if text.isdecimal() and len(text) < 10 else None
