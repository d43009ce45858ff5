"""Worked examples: those of the company's finance people, which lie beside the repository, and our own with their source."""

import io
import json
import os
from pathlib import Path

import pytest
from django.core.management import call_command

from billing.management.commands.billing_calc import KINDS, answer
from tests.conftest import data_folder

SHARED = data_folder()
VECTORS = Path(os.environ.get("VECTORS_DIR", SHARED.parent / "vectors" if SHARED else "vectors")) / "billing.json"
OWN = Path(__file__).with_name("worked_examples.json")
shared = pytest.mark.skipif(not VECTORS.exists(), reason=f"the worked examples are not at {VECTORS} (VECTORS_DIR)")


def _examples(path=VECTORS):
    return json.loads(path.read_text(encoding="utf-8"))["vectors"] if path.exists() else []


@shared
@pytest.mark.data
@pytest.mark.parametrize("vector", _examples(), ids=lambda one: one["id"])
def test_example(vector):
    assert answer(vector) == {"id": vector["id"], "result": vector["expect"]}


@pytest.mark.parametrize("vector", _examples(OWN), ids=lambda one: one["id"])
def test_own_example(vector):
    """Computed by hand from the source that it names."""
    assert vector["source"]
    assert answer(vector) == {"id": vector["id"], "result": vector["expect"]}


def test_every_kind_has_an_example():
    assert KINDS.keys() == {one["kind"] for path in (VECTORS, OWN) for one in _examples(path)} or not VECTORS.exists()


def test_an_unknown_kind_is_said_to_be_none():
    assert answer({"id": "x", "kind": "tithe", "input": {}}) == {"id": "x", "result": None}


@shared
@pytest.mark.data
def test_command_answers_every_example(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(VECTORS.read_text()))
    call_command("billing_calc")
    printed = json.loads(capsys.readouterr().out)
    assert printed == [{"id": one["id"], "result": one["expect"]} for one in _examples()]
