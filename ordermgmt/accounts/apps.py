from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "ordermgmt.accounts"
    label = "accounts"
