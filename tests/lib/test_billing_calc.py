"""The worked examples of the company's finance people. They lie beside the repository and are never copied into it."""

import io
import json
import os
from pathlib import Path

import pytest
from django.core.management import call_command

from billing.management.commands.billing_calc import answer

VECTORS = (
    Path(os.environ.get("VECTORS_DIR", Path(__file__).resolve().parents[3] / "shared" / "vectors")) / "billing.json"
)
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not VECTORS.exists(), reason=f"the worked examples are not at {VECTORS} (VECTORS_DIR)"),
]


def _examples():
    return json.loads(VECTORS.read_text())["vectors"] if VECTORS.exists() else []


@pytest.mark.parametrize("vector", _examples(), ids=lambda one: one["id"])
def test_example(vector):
    assert answer(vector) == {"id": vector["id"], "result": vector["expect"]}


def test_command_answers_every_example(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(VECTORS.read_text()))
    call_command("billing_calc")
    printed = json.loads(capsys.readouterr().out)
    assert printed == [{"id": one["id"], "result": one["expect"]} for one in _examples()]
