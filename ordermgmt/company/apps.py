from django.apps import AppConfig


class CompanyConfig(AppConfig):
    name = "ordermgmt.company"
    label = "company"
