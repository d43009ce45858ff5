from django.apps import AppConfig


class LibConfig(AppConfig):
    name = "ordermgmt.lib"
    label = "lib"
