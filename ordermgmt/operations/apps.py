from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "ordermgmt.operations"
    label = "operations"
