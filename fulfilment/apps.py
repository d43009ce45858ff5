from django.apps import AppConfig


class FulfilmentConfig(AppConfig):
    name = "fulfilment"

    def ready(self) -> None:
        from fulfilment import actions, events, imports, panels, tasks  # noqa: F401  # registering is what they are imported for
