"""The broker made of files hands over whole messages, each once, in their order."""

import threading
from pathlib import Path

from django.conf import settings
from kombu import Connection, Exchange, Queue

import ordermgmt.celery  # noqa: F401  # makes the transport known

QUEUE = Queue("default", Exchange("", type="direct"), routing_key="default")


def _connection(folder: Path) -> Connection:
    (folder / "messages").mkdir(exist_ok=True)
    (folder / "control").mkdir(exist_ok=True)
    options = {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
    }
    return Connection("filebroker://", transport_options=options)


def _send(folder: Path, first: int, count: int) -> None:
    with _connection(folder) as connection:
        producer = connection.Producer(serializer="json")
        for number in range(first, first + count):
            producer.publish({"number": number, "filler": "x" * 5000}, routing_key="default", declare=[QUEUE])


def test_messages_come_in_their_order(tmp_path: Path) -> None:
    _send(tmp_path, 0, 5)
    with _connection(tmp_path) as connection:
        queue = connection.SimpleQueue(QUEUE)
        assert [queue.get(timeout=1).payload["number"] for _ in range(5)] == [0, 1, 2, 3, 4]
        queue.close()


def test_four_writers_and_four_readers_lose_and_double_nothing(tmp_path: Path) -> None:
    got: list[int] = []

    def read() -> None:
        with _connection(tmp_path) as connection:
            queue = connection.SimpleQueue(QUEUE)
            while True:
                try:
                    message = queue.get(timeout=0.6)
                except queue.Empty:
                    break
                got.append(message.payload["number"])
                message.ack()
            queue.close()

    threads = [threading.Thread(target=_send, args=(tmp_path, n * 50, 50)) for n in range(4)]
    threads += [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(got) == list(range(200))
    assert [path.name for path in (tmp_path / "messages").iterdir()] == []


def test_what_keeps_things_going_waits_for_no_backlog(tmp_path: Path) -> None:
    """A sweep that is sent behind 200 messages is among the first that a worker gets, as it listens to all queues."""
    _send(tmp_path, 0, 200)
    queues = {queue.name: queue for queue in settings.CELERY_TASK_QUEUES}
    upkeep = queues[settings.CELERY_BEAT_SCHEDULE["sweep"]["options"]["queue"]]
    got: list[str] = []
    with _connection(tmp_path) as connection:
        connection.Producer(serializer="json").publish({}, routing_key=upkeep.name, declare=[upkeep])
        consumer = connection.Consumer(
            list(queues.values()), callbacks=[lambda _body, message: got.append(message.delivery_info["routing_key"])]
        )
        with consumer:
            for _turn in range(len(queues)):
                connection.drain_events(timeout=2)
    assert "upkeep" in got
