"""The doctor looks at everything and says how to mend what is wrong, in both languages."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from ordermgmt.activity.services import heartbeat
from ordermgmt.operations import doctor


def _ask(language: str = "en") -> tuple[str, int]:
    out, code = io.StringIO(), 0
    try:
        call_command("doctor", language=language, stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return out.getvalue(), code


def test_a_sound_machine_is_in_order(db: None, settings, tmp_path: Path) -> None:
    heartbeat()
    settings.EMAIL_HOST = ""
    findings = {finding.name: finding for finding in doctor.examine()}
    assert [f.name for f in findings.values() if not f.ok and f.name != "Libraries for PDFs"] == []
    assert len(findings) == len(doctor.CHECKS)


def test_what_is_wrong_is_said_with_its_cure(db: None, settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    text, code = _ask()
    assert code == 1
    assert "✗ Media folder" in text
    assert "set MEDIA_ROOT to another folder" in text
    assert "Correct EMAIL_HOST" in text


def test_every_check_speaks_chinese(db: None) -> None:
    from django.utils import translation

    with translation.override("zh-hans"):
        untranslated = [
            str(t)
            for c in doctor.CHECKS
            for t in (c.name, c.mend)
            if not any("\u4e00" <= x <= "\u9fff" for x in str(t))
        ]
    assert untranslated == []


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_key_that_others_can_read_is_a_finding(settings, tmp_path: Path, monkeypatch, mode: int) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    settings.VAR_DIR = tmp_path
    (tmp_path / "secret_key").write_text("x" * 60)
    (tmp_path / "secret_key").chmod(mode)
    with pytest.raises(doctor.Trouble):
        doctor.secret_key()
