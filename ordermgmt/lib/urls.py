"""Addresses that belong to no app."""

from django.urls import path

from ordermgmt.lib import views

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("search/palette/", views.palette, name="palette"),
]
