"""A line of the log is JSON in UTC, carries the request's id, and never a secret."""

import json
import logging
import logging.config

import structlog

from ordermgmt.lib.logs import configuration


def test_lines_are_json_with_request_id_and_without_secrets(capsys) -> None:
    logging.config.dictConfig(configuration("INFO", "json"))
    with structlog.contextvars.bound_contextvars(request_id="abc-12345"):
        structlog.get_logger("shop").info("signed in", user=7, password="hunter2", 名="甲")
        logging.getLogger("other").warning("plain %s", "words", extra={"api_token": "x"})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["request_id"] for line in lines] == ["abc-12345"] * 2
    assert lines[0] | {"event": "signed in", "user": 7, "password": "…", "名": "甲", "level": "info"} == lines[0]
    assert lines[1]["event"] == "plain words"
    assert lines[1]["api_token"] == "…"
    assert lines[0]["time"].endswith("Z")
