"""The page about what serves is made anew each time, and is for this machine alone."""

import socket
from collections.abc import Iterator
from itertools import count

import pytest
import requests

from mlops.errors import ConfigError
from mlops.ops.page_server import served_page


@pytest.fixture
def address() -> Iterator[str]:
    numbers = count(1)
    with served_page(0, lambda: f"<p>page {next(numbers)}</p>") as address:
        yield address


def test_it_is_made_anew_each_time(address: str) -> None:
    answers = [requests.get(address, timeout=10) for _ in range(2)]
    assert [each.text for each in answers] == ["<p>page 1</p>", "<p>page 2</p>"]
    assert answers[0].headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_name_that_another_site_gave_this_machine_gets_nothing(address: str) -> None:
    answer = requests.get(address, headers={"Host": "elsewhere.example:5001"}, timeout=10)
    assert (answer.status_code, "page 1" in answer.text) == (403, False)


def test_there_is_one_page(address: str) -> None:
    assert requests.get(f"{address}/favicon.ico", timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConfigError("conf/prod.yaml: <nothing> here", "mend it"), "conf/prod.yaml: &lt;nothing"),
        (KeyError("<columns>"), "KeyError: &#x27;&lt;columns&gt;&#x27;"),
        (RecursionError("too deep"), "RecursionError: too deep"),
    ],
)
def test_what_hinders_it_is_told_in_its_place(error: Exception, said: str) -> None:
    hindered = iter([True, False])

    def page() -> str:
        if next(hindered):
            raise error
        return "<p>page</p>"

    with served_page(0, page) as address:
        answer = requests.get(address, timeout=10)
        assert requests.get(address, timeout=10).text == "<p>page</p>"
    assert answer.status_code == 500
    assert said in answer.text


def test_behind_the_last_port_any_other_is_taken() -> None:
    with served_page(65_536, lambda: "page") as address:
        assert requests.get(address, timeout=10).text == "page"


def test_another_port_is_taken_where_one_is_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        used = other.getsockname()[1]
        with served_page(used, lambda: "page") as address:
            assert requests.get(address, timeout=10).text == "page"
            assert not address.endswith(f":{used}")
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=10)
