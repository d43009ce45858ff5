from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"

    def ready(self) -> None:
        from inventory import actions, events, imports, panels, tasks  # noqa: F401  # registering is what they are for
