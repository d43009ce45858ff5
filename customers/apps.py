from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        from customers import imports, panels  # noqa: F401  # register what can be imported, search and palette
