"""The budget of the store, and where its figures are found, as they are configured."""

from __future__ import annotations

import pytest

from esr_tui.config import ConfigError, amounts
from esr_tui.config.keeping import address
from esr_tui.config.loading import from_text


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("0", 0), ("512", 512), ("1k", 1024), ("20G", 20 << 30), ("3 MiB", 3 << 20), ("1T", 1 << 40)],
)
def test_sizes(text: str, bytes_: int) -> None:
    assert amounts.size(text) == bytes_


def test_shares_and_ages() -> None:
    assert amounts.share("5%") == 0.05
    assert amounts.share("0.5 %") == 0.005
    assert (amounts.age("90d"), amounts.age("12h"), amounts.age("1y")) == (7776000, 43200, 31536000)
    for text in ("", "x", "-1", "5", "5 d d", "100%", "٣d"):
        assert amounts.share(text) is None
        assert amounts.age(text) is None
    for text in ("", "-1", "1X", "1.5G", "9" * 30):
        assert amounts.size(text) is None


def test_addresses_of_this_machine_alone() -> None:
    assert address("127.0.0.1:9750") == ("127.0.0.1", 9750)
    assert address("[::1]:9750") == ("::1", 9750)
    for text in ("", "9750", "0.0.0.0:9750", "192.0.2.1:80", "localhost:9750", "[::]:1", "127.0.0.1:99999"):
        assert address(text) is None


def test_a_whole_section() -> None:
    config = from_text(
        "esr.yaml",
        "keep: {size: 20G, age: 90d, free: 10%}\nwhen_full: stop\nmetrics: {listen: '127.0.0.1:9750'}\n",
    )
    assert (config.keep.size, config.keep.age, config.keep.free, config.keep.spare) == (
        "20G",
        "90d",
        "10%",
        "1d",
    )
    assert config.when_full == "stop"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("keep: {size: lots}", r"key keep.size: is no size; write 500M or 20G"),
        ("keep: {age: old}", r"key keep.age: is no age; write 12h, 90d or 1y"),
        ("keep: {spare: 1x}", r"key keep.spare: is no age"),
        ("keep: {free: half}", r"key keep.free: is neither a share nor a size"),
        ("keep: {sise: 1G}", r"key keep.sise: unknown key; known here: size"),
        ("when_full: panic", r"key when_full: is no policy; write one of: drop-and-count, stop"),
        ("metrics: {file: here}", r"key metrics.file: is no absolute path"),
        ("metrics: {listen: '0.0.0.0:9750'}", r"key metrics.listen: is no address of this machine alone"),
    ],
)
def test_impossible_values(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        from_text("esr.yaml", text)
