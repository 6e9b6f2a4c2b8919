"""From the bytes of a file to a picture in the channels that a network takes, upright, in eight bits."""

from __future__ import annotations

import io
import struct
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

import numpy as np

from lighten.core.errors import DataError, MissingExtra

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "PPM", "WEBP", "BMP", "GIF", "TIFF")
"""What is opened, by content; Pillow knows more, and starts other programs for some of them."""
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's name of a picture with so many channels."""
PLAIN = {1: b"P5", 3: b"P6"}
"""How a file of PPM begins with so many channels."""
MOST_PIXELS = 89_478_485
"""Pixels from which Pillow itself warns of a decompression bomb."""
MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"P5", "PPM"),
    (b"P6", "PPM"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
)
BRANDS = (
    (frozenset((b"avif", b"avis")), "AVIF"),
    (frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")), "HEIC"),
)
"""Formats of pictures that one container has, by what it says that they are."""
OPTIONAL = {
    "JPEG2000": ("JPEG2000", "jpg_2000", "", "install a Pillow that was built with OpenJPEG"),
    "AVIF": ("AVIF", "avif", "pillow_avif", "pip install -U pillow"),
    "HEIC": ("HEIF", "", "pillow_heif", "pip install pillow-heif"),
}
"""What not every Pillow opens: its name there, the feature and the plug-in that bring it, and how a user gets it."""
_UPRIGHT = 1
_ORIENTATION = 0x0112
_WITHOUT_EXIF = ("PPM", "BMP", "GIF")
REMARKS = (
    "Of several pictures in one file the first is read",
    "Levels of 16 bits that use 12 of them or fewer are read as dark as they are stored; where a camera wrote them, "
    "stretch them to 16 bits first",
)
"""What may be to be said of how a picture is read."""
_DARK = 0x1000
_OF_SEVERAL = ("GIF", "TIFF", "WEBP", "PNG", "AVIF")
"""Formats in which somebody may have put several pictures on purpose."""
_WHITE = (255, 255, 255, 255)
_LONGEST_BOX = 256
_UNKNOWN = ("unsupported", "not supported", "not available", "not implemented", "unknown")
"""What decoders say of files that may be whole, and are not for them."""
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


def known_as(data: bytes) -> str:
    """The format of a file, by how it begins; empty for none that is known."""
    if data[:4] == b"RIFF":
        return "WEBP" if data[8:12] == b"WEBP" else ""
    if data[4:8] == b"ftyp":
        box = data[8 : min(int.from_bytes(data[:4], "big"), _LONGEST_BOX)]
        said = {box[at : at + 4] for at in range(0, len(box), 4)}
        return next((kind for brands, kind in BRANDS if said & brands), "")
    return next((kind for start, kind in MAGIC if data.startswith(start)), "")


def encoded(levels: NDArray[np.uint8]) -> bytes:
    """A file that holds a picture without loss.

    Args:
        levels: [height, width, channels], as many channels as one of ``MODES`` has.
    """
    height, width, channels = levels.shape
    if channels in PLAIN:
        return b"%s\n%d %d\n255\n" % (PLAIN[channels], width, height) + levels.tobytes()
    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(levels).save(written, "PNG", compress_level=1)
    return written.getvalue()


@cache
def opens(kind: str) -> str:
    """What Pillow calls one of ``OPTIONAL``; empty where neither it nor its plug-in opens that here."""
    from PIL import Image, features

    name, feature, plugin, _ = OPTIONAL[kind]
    if feature and feature in features.get_supported():
        return name
    if not plugin:
        return ""
    try:
        module = import_module(plugin)
    except ImportError:
        return ""
    getattr(module, "register_heif_opener", lambda: None)()
    Image.init()
    return name if name in Image.OPEN else ""


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
        known = known_as(data)
        called = opens(known) if known in OPTIONAL else known
        if known and not called:
            raise DataError(
                f"{name} is a picture in {known}, which Pillow does not open here.",
                allowed=", ".join((*FORMATS, *filter(opens, OPTIONAL))),
                fix=f"{OPTIONAL[known][-1]}, or convert it to JPEG or PNG, or leave it out",
            )
        image = Image.open(io.BytesIO(data), formats=(called,) if called else FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(name, str(error)) from error
    except UnidentifiedImageError as error:
        what = f"a damaged {known}" if known else f"no picture that can be read: it begins with {data[:12]!r}"
        what = _kind_of_tiff(data) if known == "TIFF" else what
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


def remarks_on(image: Image, data: bytes) -> int:
    """Which of ``REMARKS`` are true of a picture that was loaded, a bit for each. data: content of its file."""
    is_dark = image.mode.startswith("I") and int(np.asarray(image).max()) < _DARK
    return _holds_several(data) | is_dark << 1


def _holds_several(data: bytes) -> bool:
    """Whether a file that was opened holds several pictures. It is opened anew: what was turned upright has no file."""
    from PIL import Image as library

    known = known_as(data)
    if known not in _OF_SEVERAL:
        return False
    try:
        return bool(getattr(library.open(io.BytesIO(data), formats=(known,)), "is_animated", False))
    except library.DecompressionBombError:
        return True  # the first was opened, so it is the second that is too large
    except _BROKEN:
        return False


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


def _kind_of_tiff(data: bytes) -> str:
    """What a TIFF is that Pillow does not know: of which numbers, or damaged."""
    from PIL.TiffImagePlugin import BITSPERSAMPLE, SAMPLESPERPIXEL, ImageFileDirectory_v2

    try:
        tags, stream = ImageFileDirectory_v2(data[: 16 if data[2:3] == b"+" else 8]), io.BytesIO(data)
        stream.seek(tags.next)
        with catch_warnings():
            simplefilter("ignore")
            tags.load(stream)
        bits, channels = dict.fromkeys(tags[BITSPERSAMPLE]), tags.get(SAMPLESPERPIXEL, 1)
    except _BROKEN:
        return "a damaged TIFF"
    return f"a TIFF with {channels} channels of {'/'.join(map(str, bits))} bits, which Pillow does not open"


def _damaged(name: str, error: BaseException) -> DataError:
    reason = " ".join(str(error).split()) or type(error).__name__
    if any(word in reason.casefold() for word in _UNKNOWN):
        return DataError(
            f"{name} is of a kind that Pillow does not open here ({reason}).",
            allowed=", ".join(FORMATS),
            fix="convert it, or leave it out",
        )
    return DataError(
        f"{name} is damaged ({reason}).",
        allowed="a picture that can be decoded to its end",
        fix="copy it again, or leave it out",
    )
