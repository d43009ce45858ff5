from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import imports, panels, tasks  # noqa: F401  # registers boxes, palette, imports and jobs
        from billing.actions import add_to_orders
        from orders.actions import ORDER_ACTIONS

        add_to_orders(ORDER_ACTIONS)
