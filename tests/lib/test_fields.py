"""What the components say of a form: whether anything was to be saved, and what stands for no choice."""

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory

from customers.models import Customer


class _Form(forms.Form):
    name = forms.CharField()
    customer = forms.ModelChoiceField(Customer.objects.none(), required=False)
    kind = forms.ChoiceField(choices=[("", "---------"), ("a", "A")], required=False)


def _shown(source: str, method: str) -> str:
    request = RequestFactory().generic(method, "/")
    return Template("{% load ui %}" + source).render(Context({"form": _Form({}), "request": request}))


@pytest.mark.parametrize(("method", "saves"), [("GET", False), ("POST", True)])
def test_only_what_saves_says_that_nothing_is_saved(method: str, saves: bool) -> None:
    shown = _shown("{% form_errors form %}", method)
    assert "One field needs your attention" in shown
    assert ("nothing has been saved" in shown) == saves


@pytest.mark.parametrize("name", ["customer", "kind"])
def test_no_choice_is_a_dash(name: str) -> None:
    shown = _shown("{% field form." + name + " %}", "GET")
    assert ">–</option>" in shown
    assert "---" not in shown
