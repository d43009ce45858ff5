from django.apps import AppConfig


class ChangesConfig(AppConfig):
    name = "changes"

    def ready(self) -> None:
        from changes import actions, imports, panels  # noqa: F401  # they register themselves
