"""Brings the catalogues of translated strings up to date with the sources, checks them, compiles them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ordermgmt.lib import catalogue

_SHOWN = 40


class Command(BaseCommand):
    help = "Takes the strings to translate from the sources into the catalogues (of the rooms named, or of all)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rooms", nargs="*", help='rooms to work on, e.g. "orders" or "ordermgmt" (default: all)')
        parser.add_argument("--check", action="store_true", help="write nothing; fail where a translation is missing")
        parser.add_argument("--compile", action="store_true", help="only compile the catalogues")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = self._rooms(options["rooms"])
        if options["check"]:
            self._check(chosen, agree=not options["rooms"])
        elif not options["compile"]:
            self._merge(chosen)
        if not options["check"]:
            self.stdout.write(f"{catalogue.compile_all()} catalogue(s) compiled")

    def _rooms(self, names: list[str]) -> list[catalogue.Room]:
        rooms = catalogue.rooms()
        unknown = set(names) - {room.name for room in rooms}
        if unknown:
            raise CommandError(
                f"no room {', '.join(sorted(unknown))}; there are: {', '.join(room.name for room in rooms)}"
            )
        return [room for room in rooms if not names or room.name in names]

    def _merge(self, rooms: list[catalogue.Room]) -> None:
        for locale in catalogue.locales():
            known = catalogue.known_translations(locale)
            for room in rooms:
                entries = catalogue.merge(room, locale, known)
                open_ = sum(1 for _ in catalogue.faults(room, locale))
                self.stdout.write(f"{room.name} {locale}: {len(entries)} strings, {open_} to translate")

    def _check(self, rooms: list[catalogue.Room], *, agree: bool) -> None:
        faults = [fault for locale in catalogue.locales() for room in rooms for fault in catalogue.faults(room, locale)]
        if agree:
            faults += [fault for locale in catalogue.locales() for fault in catalogue.disagreements(locale)]
        for fault in faults[:_SHOWN]:
            self.stderr.write(fault)
        if len(faults) > _SHOWN:
            self.stderr.write(f"… and {len(faults) - _SHOWN} more")
        if faults:
            raise CommandError(f"{len(faults)} string(s) to see to")
        self.stdout.write("every string is translated")
