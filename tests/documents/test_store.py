"""The store: complete files or none (Q3), rows that never change, names, pruning."""

import hashlib
import io
import os
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from ordermgmt.documents.models import StoredFile
from ordermgmt.documents.services import file_path, prune_files, read_file, store_file, storing


def everything(media) -> list[str]:
    return sorted(path.relative_to(media).as_posix() for path in media.rglob("*") if path.is_file())


@pytest.fixture
def media(settings):
    return settings.MEDIA_ROOT


def test_works(sales, media):
    stored = store_file(b"12345", name="Angebot.pdf", kind="invoice", actor=sales, content_type="application/pdf")
    assert read_file(stored) == b"12345"
    assert (stored.size, stored.sha256) == (5, hashlib.sha256(b"12345").hexdigest())
    assert everything(media) == [stored.path]
    assert "Angebot" not in stored.path


def test_big_upload_in_pieces(sales):
    content = os.urandom(3 * (1 << 20) + 17)
    stored = store_file(SimpleUploadedFile("x.bin", content), name="x.bin", kind="attachment", actor=sales)
    assert hashlib.sha256(read_file(stored)).hexdigest() == stored.sha256


def test_q3_full_disk_leaves_nothing(sales, media, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storing.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store_file(b"12345", name="x.pdf", kind="invoice", actor=sales)
    assert everything(media) == []
    assert not StoredFile.objects.exists()


def test_q3_crash_before_the_row_leaves_an_orphan_that_is_pruned(sales, media, monkeypatch):
    kept = store_file(b"kept", name="x.pdf", kind="invoice", actor=sales)
    monkeypatch.setattr(StoredFile.objects, "create", lambda **values: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store_file(b"orphan", name="x.pdf", kind="invoice", actor=sales)
    (orphan,) = set(everything(media)) - {kept.path}
    (media / "profile.txt").write_text("not ours")
    assert prune_files() == []  # young files stay
    long_ago = time.time() - 2 * 86_400
    for path in media.rglob("*"):
        os.utime(path, (long_ago, long_ago))
    out = io.StringIO()
    call_command("prune_files", stdout=out)
    assert out.getvalue().split() == [orphan]
    assert everything(media) == sorted([kept.path, "profile.txt"])


@pytest.mark.parametrize("deed", [lambda rows: rows.update(sha256="x"), lambda rows: rows.delete()])
def test_row_never_changes(sales, deed):
    stored = store_file(b"x", name="x.pdf", kind="invoice", actor=sales)
    with pytest.raises(DatabaseError), transaction.atomic():
        deed(StoredFile.objects.filter(pk=stored.pk))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\plan.pdf", "plan.pdf"),
        ("a\x00b\r\nc.pdf", "abc.pdf"),
        ("报价单.pdf", "报价单.pdf"),
        ("", "file"),
        ("...", "file"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_names(sales, given, kept):
    assert store_file(b"x", name=given, kind="attachment", actor=sales).name == kept


def test_kind_is_a_word(sales):
    with pytest.raises(ValueError, match="kind"):
        store_file(b"x", name="x", kind="../x", actor=sales)


@pytest.mark.parametrize("damage", [b"", b"short", b"other"])
def test_invariants_notice_damage(sales, damage):
    stored = store_file(b"bytes", name="x.pdf", kind="invoice", actor=sales)
    call_command("check_invariants", "Q3")
    file_path(stored).write_bytes(damage)
    with pytest.raises(CommandError):
        call_command("check_invariants", "Q3", stdout=io.StringIO())
    file_path(stored).unlink()
    with pytest.raises(CommandError):
        call_command("check_invariants", "Q3", stdout=io.StringIO())
