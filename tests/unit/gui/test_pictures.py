"""Pictures from others: what is shown of them, and that nothing in a file can do harm."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from twocans.gui.backend import pictures
from twocans.gui.backend.pictures import Unshowable, load, read, size_of

BOX = (200, 200)


def saved(path: Path, size: tuple[int, int] = (640, 480), **options: object) -> str:
    Image.effect_noise(size, 60).convert("RGB").save(path, **options)  # type: ignore[arg-type]
    return str(path)


def png_of(width: int, height: int) -> bytes:
    """A PNG that says that it is so large, with pixels that are all black."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    line = bytes(1 + (width + 7) // 8)
    rows = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def gif_of(frames: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + b"\0\0\0\xff\0\0"
    frame = b"\x21\xf9\x04\0\0\0\0\0," + struct.pack("<HHHHB", 0, 0, 2, 2, 0) + b"\x02\x03\x44\x34\x05\0"
    return head + frame * frames + b";"


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "bmp"])
def test_pictures_become_as_small_as_is_wanted(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"a.{suffix}")
    assert size_of(path) == (640, 480)
    image = load(path, BOX)
    assert image is not None
    assert image.size == (200, 150)
    assert image.mode == "RGB"


def test_small_pictures_stay_as_they_are(tmp_path: Path) -> None:
    image = load(saved(tmp_path / "a.png", (30, 20)), BOX)
    assert image is not None
    assert image.size == (30, 20)


def test_a_picture_that_was_taken_upright_is_shown_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("a.jpg", "a.png", "a.webp"):
        path = saved(tmp_path / name, exif=exif)
        assert size_of(path) == (480, 640)
        image = load(path, BOX)
        assert image is not None
        assert image.size == (150, 200)


def test_transparency_stays(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "a.png")
    image = load(str(tmp_path / "a.png"), BOX)
    assert image is not None
    assert image.getpixel((0, 0)) == (255, 0, 0, 0)


def test_a_bomb_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(30_000, 30_000))
    assert path.stat().st_size < 500_000
    assert size_of(str(path)) is None
    assert load(str(path), BOX) is None
    with pytest.raises(Unshowable, match="too large"):
        read(str(path))
    path.write_bytes(png_of(8_000, 8_000))  # too much here, and not for Pillow
    assert load(str(path), BOX) is None


def test_a_film_of_very_many_pictures_shows_the_first(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    path.write_bytes(gif_of(100_000))
    assert size_of(str(path)) == (2, 2)
    image = load(str(path), BOX)
    assert image is not None
    assert image.size == (2, 2)


def test_damaged_pictures_are_none(tmp_path: Path) -> None:
    whole = Path(saved(tmp_path / "a.jpg")).read_bytes()
    for cut in (0, 1, 2, 20, 200, len(whole) // 2, len(whole) - 100):
        path = tmp_path / "cut.jpg"
        path.write_bytes(whole[:cut])
        size_of(str(path))
        assert load(str(path), BOX) is None
    for suffix in ("png", "gif", "webp", "bmp"):
        whole = Path(saved(tmp_path / f"a.{suffix}")).read_bytes()
        for cut in (0, 5, 25, 60, len(whole) // 2):
            path = tmp_path / f"cut.{suffix}"
            path.write_bytes(whole[:cut])
            assert load(str(path), BOX) is None


def test_changed_bytes_never_do_more_than_to_spoil_a_picture(tmp_path: Path) -> None:
    for suffix in ("png", "jpg", "gif", "webp", "bmp"):
        whole = bytearray(Path(saved(tmp_path / f"a.{suffix}", (40, 30))).read_bytes())
        path = tmp_path / f"changed.{suffix}"
        for place in range(min(len(whole), 400)):
            changed = bytearray(whole)
            changed[place] ^= 0xFF
            path.write_bytes(changed)
            size_of(str(path))
            load(str(path), BOX)


def test_a_lot_of_other_data_in_a_picture_does_no_harm(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x9286] = b"x" * 60_000
    path = Path(saved(tmp_path / "a.jpg", exif=exif))
    whole = path.read_bytes()
    comment = b"\xff\xfe\xff\xff" + b"y" * 65_533
    path.write_bytes(whole[:2] + comment * 100 + whole[2:])
    assert load(str(path), BOX) is not None
    path.write_bytes(whole[:30] + b"\xff" * 40_000 + whole[40_030:])
    load(str(path), BOX)


def test_only_known_formats_are_opened_whatever_a_file_is_called(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    for format_ in ("TIFF", "PPM", "ICO", "PDF", "EPS"):
        Image.new("RGB", (16, 16)).save(path, format=format_)
        assert load(str(path), BOX) is None
    path.write_text("no picture at all")
    assert load(str(path), BOX) is None
    with pytest.raises(Unshowable, match="damaged, or is none"):
        read(str(path))


def test_what_is_no_file_is_none(tmp_path: Path) -> None:
    assert load(str(tmp_path), BOX) is None
    assert load(str(tmp_path / "gone.png"), BOX) is None
    assert load("nul\0.png", BOX) is None
    with pytest.raises(Unshowable, match="not there any more"):
        read(str(tmp_path / "gone.png"))


def test_very_large_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.bmp")
    monkeypatch.setattr(pictures, "MAX_FILE_BYTES", 1000)
    assert load(path, BOX) is None
