"""Addresses of the company's settings."""

from django.urls import path

from ordermgmt.company.views import pages

app_name = "company"
urlpatterns = [
    path("", pages.company, name="company"),
    path("logo/", pages.logo, name="logo"),
    path("profiles/<int:pk>/", pages.profile, name="profile"),
    path("profiles/<int:pk>/abroad/", pages.abroad, name="profile-abroad"),
    path("rates/", pages.rate, name="rate"),
]
