"""From the bytes of a file to a picture in the channels that a network takes, upright, in eight bits."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np

from lighten.core.errors import DataError, MissingExtra

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "PPM", "WEBP", "BMP", "GIF", "TIFF")
"""What is opened, by content; Pillow knows more, and starts other programs for some of them."""
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's name of a picture with so many channels."""
MOST_PIXELS = 89_478_485
"""Pixels from which Pillow itself warns of a decompression bomb."""
MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"P5", "PPM"),
    (b"P6", "PPM"),
    (b"RIFF", "WEBP"),
)
_UPRIGHT = 1
_ORIENTATION = 0x0112
_WITHOUT_EXIF = ("PPM", "BMP", "GIF")
_WHITE = (255, 255, 255, 255)
_BY_WAY_OF = {"LAB": "RGB", "La": "LA"}
"""What a mode is converted to first, as Pillow converts it to few others."""
_BROKEN = (
    OSError, ValueError, SyntaxError, OverflowError, EOFError, struct.error, LookupError, TypeError, ZeroDivisionError,
)  # fmt: skip
"""What decoders raise of files that are not as they should be."""


def library_version() -> str:
    """Version of what decodes.

    Raises:
        MissingExtra: Pillow is not installed.
    """
    try:
        import PIL
    except ImportError as error:
        raise MissingExtra("Reading pictures", "vision", str(error)) from error
    return PIL.__version__


def open_picture(data: bytes, name: str) -> Image:
    """A picture whose header was read.

    Args:
        name: what errors call it.

    Raises:
        DataError: empty, no picture, or with more pixels than ``MOST_PIXELS``. MissingExtra: Pillow is not installed.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise MissingExtra("Reading pictures", "vision", str(error)) from error
    if not data:
        raise DataError(f"{name} is empty.", allowed="a picture", fix="copy it again, or leave it out")
    try:
        known = next((kind for start, kind in MAGIC if data.startswith(start)), "")
        image = Image.open(io.BytesIO(data), formats=(known,) if known else FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(name, str(error)) from error
    except UnidentifiedImageError as error:
        what = f"a damaged {known}" if known else f"no picture that can be read: it begins with {data[:12]!r}"
        raise DataError(
            f"{name} is {what}.", allowed=", ".join(FORMATS), fix="convert it, copy it again, or leave it out"
        ) from error
    except _BROKEN as error:
        raise _damaged(name, error) from error
    check_size(image.width, image.height, name)
    return image


def check_size(width: int, height: int, name: str, what: str = "opened") -> None:
    """Refuse a picture of more than ``MOST_PIXELS``.

    Args:
        what: that cannot be done with it.

    Raises:
        DataError: it is too large.
    """
    if width * height > MOST_PIXELS:
        raise _too_large(name, f"{width:,} x {height:,} pixels", what)


def loaded(image: Image, name: str) -> Image:
    """The picture with its pixels, turned upright as its EXIF data says.

    Raises:
        DataError: the file is damaged or cut short.
    """
    try:
        image.load()
        upright = image.format in _WITHOUT_EXIF or image.getexif().get(_ORIENTATION, _UPRIGHT) == _UPRIGHT
        if upright:
            return image
        from PIL import ImageOps

        return ImageOps.exif_transpose(image)
    except _BROKEN as error:
        raise _damaged(name, error) from error


def in_channels(image: Image, channels: int, name: str) -> Image:
    """The picture in so many channels of eight bits: one of ``MODES``. What is transparent shows white.

    Raises:
        DataError: its numbers have no known range, or Pillow does not convert its colours.
    """
    mode = MODES[channels]
    if image.mode == mode and (channels == 4 or "transparency" not in image.info):
        return image
    if image.mode == "F" or image.mode.startswith("I"):
        image = _eight_bits(image, name)
    if image.mode in _BY_WAY_OF:
        image = _converted(image, _BY_WAY_OF[image.mode], name)
    if channels != 4 and (image.mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in image.info):
        from PIL import Image as library

        seen = _converted(image, "RGBA", name)
        image = library.alpha_composite(library.new("RGBA", seen.size, _WHITE), seen).convert("RGB")
    return image if image.mode == mode else _converted(image, mode, name)


def _converted(image: Image, mode: str, name: str) -> Image:
    try:
        return image.convert(mode)
    except (ValueError, OSError, ImportError) as error:
        raise DataError(
            f"{name} has colours that cannot be read: Pillow does not convert {image.mode} to {mode} here ({error}).",
            allowed="pictures in grey or in colours of red, green and blue",
            fix="convert it, or leave it out",
        ) from error


def _eight_bits(image: Image, name: str) -> Image:
    """Grey levels of 16 bits by their upper eight, as colours of 16 bits are read; Pillow would clip them."""
    from PIL import Image as library

    levels = np.asarray(image)
    if image.mode == "F" or levels.min() < 0 or levels.max() > 0xFFFF:
        raise DataError(
            f"{name} holds numbers from {levels.min():g} to {levels.max():g}, which are no grey levels.",
            allowed="pictures of 8 or 16 bits",
            fix="save it with 8 bits for each channel",
        )
    return library.fromarray((levels.astype(np.uint16) >> 8).astype(np.uint8))


def _too_large(name: str, size: str, what: str = "opened") -> DataError:
    return DataError(
        f"{name} is too large to be {what} ({size}).",
        allowed=f"at most {MOST_PIXELS:,} pixels",
        fix="make it smaller, or leave it out",
    )


def _damaged(name: str, error: BaseException) -> DataError:
    return DataError(
        f"{name} is damaged ({' '.join(str(error).split()) or type(error).__name__}).",
        allowed="a picture that can be decoded to its end",
        fix="copy it again, or leave it out",
    )
