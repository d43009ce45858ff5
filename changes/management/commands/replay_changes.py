"""`manage.py replay_changes`: proves for every placed order that baseline plus applied changes is the present order."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from changes.services import replay
from orders.models import Order


class Command(BaseCommand):
    help = "Replays the applied changes of every order over its baseline and compares with the present order."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--order", help="only this order number")

    def handle(self, *args: Any, **options: Any) -> None:
        orders = Order.objects.exclude(state="draft").filter(versions__isnull=False).distinct()
        if options["order"]:
            orders = orders.filter(number=options["order"])
        count, wrong = 0, []
        for order in orders.select_related("tax_profile").order_by("pk").iterator(chunk_size=200):
            count += 1
            wrong += replay(order)
        for line in wrong:
            self.stdout.write(line)
        self.stdout.write(f"{count} orders replayed, {len(wrong)} differences")
        if wrong:
            raise CommandError(f"{len(wrong)} differences")
