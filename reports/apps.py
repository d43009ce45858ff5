from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        from reports import events, panels, services, tasks  # noqa: F401  # each registers what it holds
