"""The catalogue command finds every string, keeps what is translated and says what is not."""

from pathlib import Path

import polib
import pytest

from ordermgmt.lib import catalogue

PYTHON = """
from django.utils.translation import gettext as _, ngettext, pgettext
from django.utils.translation import ngettext as _n
_n("%(n)s box", "%(n)s boxes", 3)
_("One"); ngettext("%(n)s day", "%(n)s days", 2); pgettext("month", "May"); _("Two " "parts")
"""
TEMPLATE = """
{% load i18n %}
    <h1 title="it's">{% translate "Hello" %}</h1>
  {% translate "May" context "verb" %} {# not this #}
{% blocktranslate count n=n %}{{ n }} line{% plural %}{{ n }} lines{% endblocktranslate %}
{% blocktranslate trimmed %}
    Long
    text
{% endblocktranslate %}
"""


@pytest.fixture
def room(tmp_path: Path) -> catalogue.Room:
    (tmp_path / "a.py").write_text(PYTHON)
    (tmp_path / "b.html").write_text(TEMPLATE)
    return catalogue.Room("shop", tmp_path, [tmp_path / "a.py", tmp_path / "b.html"])


def test_every_form_is_found(room: catalogue.Room) -> None:
    found = {(m.context, m.text, m.plural) for m in room.messages().values()}
    assert found == {
        ("", "One", ""),
        ("", "%(n)s day", "%(n)s days"),
        ("", "%(n)s box", "%(n)s boxes"),
        ("month", "May", ""),
        ("", "Two parts", ""),
        ("", "Hello", ""),
        ("verb", "May", ""),
        ("", "%(n)s line", "%(n)s lines"),
        ("", "Long text", ""),
    }


def test_translations_are_kept_and_obsolete_ones_dropped(room: catalogue.Room) -> None:
    path = room.path("zh_Hans")
    catalogue.merge(room, "zh_Hans", {("", "Hello"): "你好"})
    po = polib.pofile(str(path))
    po.find("One").msgstr = "一"
    po.append(polib.POEntry(msgid="Gone", msgstr="没有了"))
    po.save()
    catalogue.merge(room, "zh_Hans", {})
    again = path.read_text()
    po = polib.pofile(str(path))
    assert (po.find("One").msgstr, po.find("Hello").msgstr, po.find("Gone")) == ("一", "你好", None)
    catalogue.merge(room, "zh_Hans", {})
    assert path.read_text() == again
    assert "POT-Creation-Date" not in again
    assert "#:" not in again


def test_faults_name_the_string(room: catalogue.Room) -> None:
    assert len(list(catalogue.faults(room, "zh_Hans"))) == 9
    catalogue.merge(room, "zh_Hans", {})
    po = polib.pofile(str(room.path("zh_Hans")))
    for entry in po:
        entry.msgstr, entry.msgstr_plural = ("", {0: "%(n)s 个"}) if entry.msgid_plural else ("字", {})
    po.find("One").flags.append("fuzzy")
    po.find("Hello").msgstr = ""
    po.find("%(n)s line").msgstr_plural = {0: "行"}
    po.save()
    faults = sorted(catalogue.faults(room, "zh_Hans"))
    assert [("fuzzy" in f, "no translation" in f, "placeholders" in f) for f in faults] == [
        (False, False, True),
        (False, True, False),
        (True, False, False),
    ]


def test_what_a_union_merge_leaves_behind_is_mended(room: catalogue.Room) -> None:
    catalogue.merge(room, "zh_Hans", {})
    path = room.path("zh_Hans")
    text = path.read_text()
    text = text.replace('msgid "One"\nmsgstr ""', 'msgid "One"\nmsgstr ""\nmsgstr "一"')
    text = text.replace('msgid "Hello"\nmsgstr ""', 'msgid "Hello"\nmsgstr "你好"\n\nmsgid "Hello"\nmsgstr ""')
    path.write_text(text)
    catalogue.merge(room, "zh_Hans", {})
    po = polib.pofile(str(path))
    assert (po.find("One").msgstr, po.find("Hello").msgstr) == ("一", "你好")
    assert path.read_text().count('msgid "Hello"') == 1
