"""QR codes, as a camera reads them."""

from __future__ import annotations

import pytest
import zxingcpp
from PIL import Image

from twocans.client import Address, Link
from twocans.gui.theme.qr import QUIET_MODULES, qr_code
from twocans.protocol.keys import server_key

LINK = str(Link(Address("192.168.100.200", 65535), server_key(b"the server's")))


def read(picture: Image.Image) -> list[str]:
    """What a reader finds in a picture."""
    return [found.text for found in zxingcpp.read_barcodes(picture)]


@pytest.mark.parametrize("width", [1, 120, 240, 600])
def test_a_link_can_be_read_at_any_size(width: int) -> None:
    assert read(qr_code(LINK, width)) == [LINK]


@pytest.mark.parametrize("width", [120, 240, 333])
def test_modules_are_whole_pixels_and_the_border_is_free(width: int) -> None:
    picture = qr_code(LINK, width)
    assert picture.width == picture.height <= width
    assert {colour for _, colour in picture.getcolors() or ()} == {0, 255}
    left, top, right, bottom = picture.point(lambda value: 255 - value).getbbox() or (0, 0, 0, 0)
    module = left // QUIET_MODULES
    assert (left, top) == (QUIET_MODULES * module, QUIET_MODULES * module)
    assert (picture.width - right, picture.height - bottom) == (left, top)
    assert picture.width % module == 0
    small = picture.resize((picture.width // module,) * 2, Image.Resampling.NEAREST)
    assert small.resize(picture.size, Image.Resampling.NEAREST).tobytes() == picture.tobytes()
