"""PDFs of business documents: templates below `templates/pdf/`, one small stylesheet, nothing from anywhere else.

The first document of a process is slow (libraries and fonts are loaded), the next ones are not: fonts and parsed
stylesheets are kept per process and language.
"""

import os
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from threading import Lock
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

Image = tuple[bytes, str]
_lock = Lock()


class PdfUnavailable(RuntimeError):
    """The machine lacks a library for PDFs; the text says which, and what to install."""


def render_pdf(
    template: str,
    context: Mapping[str, Any],
    *,
    language: str,
    stylesheet: str = "pdf/document.css",
    variant: str | None = None,
    images: Mapping[str, Image] | None = None,
) -> bytes:
    """A PDF of `template`, in `language`.

    `images` are (bytes, media type) by name, shown by `<img src="app:NAME">`. No other address is ever opened, neither
    of the network nor of this machine's files. `variant` asks for an archive format ("pdf/a-3b"). Raises PdfUnavailable where Pango is missing.
    """
    library = _library()
    with translation.override(language):
        markup = render_to_string(template, {"language": language, **context})
    # WeasyPrint's font map is not made for several threads at once.
    with _lock:
        sheet = _stylesheet(stylesheet, language)
        document = library.HTML(string=markup, base_url="app:/", url_fetcher=_fetcher(images or {}))
        made: bytes = document.write_pdf(stylesheets=[sheet], font_config=_fonts(), pdf_variant=variant)
    return made


@cache
def _library() -> Any:
    os.environ.setdefault("FONTCONFIG_FILE", str(font_file()))
    try:
        import weasyprint
    except OSError as error:
        raise PdfUnavailable(
            _(
                "PDFs need the Pango library, which this machine lacks. "
                "Install it: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
            )
        ) from error
    return weasyprint


@cache
def _fonts() -> Any:
    from weasyprint.text.fonts import FontConfiguration

    return FontConfiguration()


@cache
def _stylesheet(name: str, language: str) -> Any:
    found = finders.find(name)
    if not isinstance(found, str):
        raise ValueError(f"there is no stylesheet {name}")
    with translation.override(language):
        # Margin boxes take no text from the document's language: the sheet is told it.
        before, between, after = _("Page {page} of {pages}").replace("{pages}", "{page}").split("{page}")
    chinese = language.startswith("zh")
    families = _CHINESE if chinese else _LATIN
    extra = (
        f"html {{ font-family: {families}; }}\n"
        f"@page {{ @bottom-right {{ content: {_quoted(before)} counter(page) {_quoted(between)} counter(pages) "
        f"{_quoted(after)}; }} }}\n"
    )
    return _library().CSS(
        string=extra + Path(found).read_text(encoding="utf-8"), font_config=_fonts(), url_fetcher=_fetcher({})
    )


_CHINESE = '"Noto Sans CJK SC", "WenQuanYi Micro Hei", "Noto Sans SC", sans-serif'
_LATIN = (
    '"Inter", "Liberation Sans", "DejaVu Sans", "Noto Sans CJK SC", "WenQuanYi Micro Hei", "Noto Sans SC", sans-serif'
)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _fetcher(images: Mapping[str, Image]) -> Any:
    """Opens `app:NAME` for the given images and nothing else, whatever the document asks for (P26)."""
    from weasyprint import urls

    class OwnFilesOnly(urls.URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:
            name = url.removeprefix("app:")
            if url.startswith("app:") and name in images:
                content, media_type = images[name]
                return urls.URLFetcherResponse(url, content, {"Content-Type": media_type})
            raise ValueError("documents are made of our own files only")

    return OwnFilesOnly()


def font_file() -> Path:
    """A fontconfig file that adds the packaged Chinese font to the machine's; made where it is missing.

    So a document looks the same on a machine without any font. A machine's own Noto Sans CJK or WenQuanYi is
    preferred by the stylesheet: it has bold, and makes smaller files.
    """
    folder = Path(settings.VAR_DIR) / "fonts"
    path = folder / "fonts.conf"
    wanted = _font_configuration(folder)
    if not path.exists() or path.read_text(encoding="utf-8") != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f"fonts.{os.getpid()}.tmp"
        fresh.write_text(wanted, encoding="utf-8")
        fresh.replace(path)
    return path


def _font_configuration(folder: Path) -> str:
    folders = [str(found) for found in _packaged_fonts()]
    lines = "".join(
        f"  <dir>{escape(found)}</dir>\n" for found in [*folders, "/usr/share/fonts", "/usr/local/share/fonts"]
    )
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
        '  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>\n'
        f"{lines}  <cachedir>{escape(str(folder / 'cache'))}</cachedir>\n</fontconfig>\n"
    )


def _packaged_fonts() -> list[Path]:
    try:
        import pylopdf_fonts_zh_cn
    except ImportError:
        return []
    return [Path(found) for found in pylopdf_fonts_zh_cn.__path__]
