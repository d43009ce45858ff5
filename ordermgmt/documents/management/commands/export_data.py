"""`manage.py export_data FOLDER`: what is here, as files that `import_data ordermgmt FOLDER` takes back."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from ordermgmt.documents.services.exporting import export_folder, exportable


class Command(BaseCommand):
    help = "Writes customers, contacts, suppliers, products, stock and orders as CSV files that the import takes back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where the files go; files of the same names are replaced")
        parser.add_argument("--only", nargs="+", default=[], choices=[one.key for one in exportable()])

    def handle(self, *args: Any, **options: Any) -> None:
        for key, rows in export_folder(options["folder"], options["only"]).items():
            self.stdout.write(f"{key}: {rows} rows")
