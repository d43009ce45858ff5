from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "ordermgmt.documents"
    label = "documents"
