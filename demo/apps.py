from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The demo company: above everything, because it uses everything, and nothing uses it."""

    name = "demo"
