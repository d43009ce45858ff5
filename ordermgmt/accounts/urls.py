"""Addresses of signing in, profile, users, teams and permissions."""

from django.urls import path

from .views import links, profile, signing_in, teams, users

app_name = "accounts"
urlpatterns = [
    path("login/", signing_in.SignInView.as_view(), name="sign-in"),
    path("login/two-factor/", signing_in.TwoFactorView.as_view(), name="two-factor"),
    path("logout/", signing_in.sign_out, name="sign-out"),
    path("invite/<str:token>/", links.AcceptView.as_view(), name="accept-invitation"),
    path("password/forgot/", links.ForgotView.as_view(), name="forgot-password"),
    path("password/reset/<str:token>/", links.ResetView.as_view(), name="reset-password"),
    path("profile/", profile.ProfileView.as_view(), name="profile"),
    path("profile/password/", profile.ChangePasswordView.as_view(), name="change-password"),
    path("profile/two-factor/", profile.TwoFactorSetupView.as_view(), name="two-factor-setup"),
    path("profile/two-factor/remove/", profile.remove_two_factor, name="two-factor-remove"),
    path("profile/two-factor/codes/", profile.new_recovery_codes, name="recovery-codes"),
    path("profile/sessions/end-others/", profile.end_others, name="end-other-sessions"),
    path("profile/sessions/<uuid:public_id>/end/", profile.end_one_session, name="end-session"),
    path("users/", users.user_list, name="user-list"),
    path("users/invite/", users.InviteView.as_view(), name="user-invite"),
    path("users/autocomplete/", users.autocomplete, name="user-autocomplete"),
    path("users/<int:pk>/", users.user_detail, name="user-detail"),
    path("users/<int:pk>/do/<slug:name>/", users.UserActionView.as_view(), name="user-action"),
    path("teams/", teams.team_list, name="team-list"),
    path("teams/create/", teams.TeamView.as_view(), name="team-create"),
    path("teams/<int:pk>/edit/", teams.TeamView.as_view(), name="team-edit"),
    path("teams/<int:pk>/remove/", teams.delete_team, name="team-remove"),
    path("teams/departments/create/", teams.DepartmentView.as_view(), name="department-create"),
    path("teams/departments/<int:pk>/edit/", teams.DepartmentView.as_view(), name="department-edit"),
    path("permissions/", teams.permission_matrix, name="permissions"),
]
