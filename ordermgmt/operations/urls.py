"""Addresses for those who run the application."""

from django.urls import path

from .views import health

app_name = "operations"
urlpatterns = [path("healthz", health.healthz, name="healthz"), path("readyz", health.readyz, name="readyz")]
