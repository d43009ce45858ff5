"""What the forms of billing share."""

from decimal import Decimal

from django import forms


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
