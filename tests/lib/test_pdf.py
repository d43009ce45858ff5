"""Documents on paper: fonts, repeated heads, pages, and a fetcher that opens nothing."""

import io
from pathlib import Path

import pytest
from django.template import engines
from pypdf import PdfReader

from ordermgmt.lib import pdf

_SOURCE = """{% extends "pdf/base.html" %}{% block title %}T{% endblock %}{% block content %}{{ note|safe }}
<table class="lines"><thead><tr><th>Description 项目名称</th></tr></thead>
{% for line in lines %}<tr><td>{{ line }}</td></tr>{% endfor %}</table>{% endblock %}"""


@pytest.fixture
def template(monkeypatch):
    made = engines["django"].from_string(_SOURCE)
    monkeypatch.setattr(pdf, "render_to_string", lambda _name, context: made.render(context))


def _render(language="en", **context):
    return PdfReader(io.BytesIO(pdf.render_pdf("x", {"seller": {"name": "Seller 公司"}, **context}, language=language)))


def _fonts(reader):
    return {
        str(font.get_object()["/BaseFont"]): font.get_object()
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }


@pytest.mark.parametrize(("language", "page_of"), [("en", "Page 2 of"), ("zh-hans", "2")])
def test_heads_and_page_numbers_repeat(template, language, page_of):
    reader = _render(language, lines=[f"Line {number}" for number in range(120)])
    assert len(reader.pages) > 1
    second = reader.pages[1].extract_text()
    assert "Description 项目名称" in second
    assert page_of in second
    assert "Seller 公司" in second


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_chinese_is_there_as_text_with_its_font_embedded(template, language):
    reader = _render(language, lines=["钢结构件 安装服务"])
    assert "钢结构件 安装服务" in reader.pages[0].extract_text()
    fonts = _fonts(reader)
    assert any("CJK" in name or "SC" in name or "WenQuanYi" in name for name in fonts)
    for font in fonts.values():
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)


def test_p26_nothing_is_fetched_and_nothing_attached(template, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a document opened an address")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("urllib.request.OpenerDirector.open", refuse)
    note = (
        '<img src="http://127.0.0.1:9/x"><img src="file:///etc/hostname"><link rel=attachment href="file:///etc/passwd">'
        '<link rel=stylesheet href="http://127.0.0.1:9/x.css"><style>@import url(file:///etc/passwd);</style>'
    )
    reader = _render(note=note)
    assert not reader.attachments
    assert "root:" not in reader.pages[0].extract_text()


def test_a_given_image_is_shown(template):
    logo = Path(__file__).parent / "logo.png"
    made = pdf.render_pdf(
        "x", {"seller": {"name": "S"}, "logo": True}, language="en", images={"logo": (logo.read_bytes(), "image/png")}
    )
    assert PdfReader(io.BytesIO(made)).pages[0].images


def test_missing_pango_says_what_to_install(monkeypatch):
    real = __import__

    def without(name, *args, **kwargs):
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *args, **kwargs)

    pdf._library.cache_clear()
    monkeypatch.setattr("builtins.__import__", without)
    with pytest.raises(pdf.PdfUnavailable, match="apt-get install"):
        pdf.render_pdf("x", {}, language="en")
    pdf._library.cache_clear()


def test_an_unknown_stylesheet_is_an_error(template):
    with pytest.raises(ValueError, match="stylesheet"):
        pdf.render_pdf("x", {"seller": {}}, language="en", stylesheet="pdf/none.css")
