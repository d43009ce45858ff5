"""A wrong value in the environment stops the start with one sentence that names the variable."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from ordermgmt import settings as house
from ordermgmt.lib.environment import Environment

ROOT = Path(__file__).resolve().parent.parent.parent
WRONG = [
    ("flag", ("X",), "perhaps", "true or false"),
    ("number", ("X", 1, 1, 9), "ten", "whole number from 1 to 9"),
    ("number", ("X", 1, 1, 9), "10", "whole number from 1 to 9"),
    ("number", ("X", 1, 1, 9), "-1", "whole number from 1 to 9"),
    ("decimal", ("X", "1", 0, 100), "NaN", "number from 0 to 100"),
    ("choice", ("X", "a", ["a", "b"]), "c", "one of a, b"),
    ("origins", ("X",), "orders.example.com", "https://"),
    ("web_address", ("X", ""), "ftp://orders.example.com", "https://"),
    ("web_address", ("X", ""), "https://a.example.com:port", "https://"),
    ("database", ("X", ""), "mysql://a/b", "postgres://"),
    ("database", ("X", ""), "postgres", "postgres://"),
    ("redis", ("X",), "localhost:6379", "redis://"),
    ("time_zone", ("X", "UTC"), "Mars/Olympus", "Europe/Berlin"),
    ("time_zone", ("X", "UTC"), "../etc/passwd", "Europe/Berlin"),
    ("folder", ("X", Path("/a")), "relative", "absolute"),
]


@pytest.mark.parametrize(("method", "arguments", "value", "sentence"), WRONG)
def test_a_wrong_value_is_named(method: str, arguments: tuple, value: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^X .*" + re.escape(sentence)):
        getattr(Environment({"X": value}), method)(*arguments)


def test_right_values_and_defaults() -> None:
    env = Environment({"A": "Yes", "B": " 7 ", "C": "a, b,", "D": "https://o.example.com/", "E": ""})
    assert env.flag("A") is True
    assert env.number("B", 1, 1, 9) == 7
    assert env.names_list("C") == ["a", "b"]
    assert env.web_address("D", "") == "https://o.example.com"
    assert env.flag("E", True) is True
    assert env.names == {"A", "B", "C", "D", "E"}


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    assert Environment({"KEY_FILE": str(tmp_path / "key")}).secret("KEY") == "from the file"
    with pytest.raises(ImproperlyConfigured, match=r"^KEY_FILE names a file"):
        Environment({"KEY_FILE": str(tmp_path / "none")}).secret("KEY")


def _start(**values: str) -> subprocess.CompletedProcess[str]:
    env = {
        key: value
        for key, value in os.environ.items()
        if key not in {"SECRET_KEY", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    } | values
    return subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=env, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"PORT": "eighty"}, "PORT must be a whole number"),
        ({"REDIS_URL": "redis://127.0.0.1/0"}, "SECRET_KEY must be set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY must have at least 50"),
    ],
)
def test_the_start_stops_with_one_line(values: dict[str, str], sentence: str) -> None:
    done = _start(**values)
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_the_first_start_makes_a_key_that_only_we_can_read(tmp_path: Path) -> None:
    assert _start(VAR_DIR=str(tmp_path)).returncode == 0
    key = tmp_path / "secret_key"
    first = key.read_text()
    assert len(first) >= 50
    assert key.stat().st_mode & 0o777 == 0o600
    assert _start(VAR_DIR=str(tmp_path)).returncode == 0
    assert key.read_text() == first


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "operations.md").read_text("utf-8"), flags=re.MULTILINE)
    read = {name for name in house.env.names if not name.endswith("_FILE")}
    assert sorted(rows) == sorted(set(rows))
    assert set(rows) == read
