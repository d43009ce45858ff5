from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ActivityConfig(AppConfig):
    name = "ordermgmt.activity"
    label = "activity"

    def ready(self) -> None:
        """Every process must know every event type, subscriber, job and root: pages lay out what workers do."""
        autodiscover_modules("events", "tasks", "panels")
