"""Pictures to arrays with Pillow alone, just as the model's own ``preprocessor_config.json`` says; no torch."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lighten.core.errors import DataError, ModelError, UnsafeFile
from lighten.core.item import Item, Reference, content_hash, shown, size_of
from lighten.core.reader import Reader
from lighten.files.json_file import read_object
from lighten.files.stored_zip import read_bytes
from lighten.isolate.machine import allowed_cores
from lighten.readers._measured import processor_of
from lighten.readers._pixels import (
    MODES,
    REMARKS,
    encoded,
    in_channels,
    known_as,
    library_version,
    loaded,
    open_picture,
    remarks_on,
)
from lighten.readers._plain_picture import plain_picture
from lighten.readers._processing import processing, resolved
from lighten.readers._varied import varied

if TYPE_CHECKING:
    from PIL.Image import Image

    from lighten.core.plain import PlainReading

PROCESSOR, CONFIG = "preprocessor_config.json", "config.json"
PIXELS = "pixel_values"
Pixels = NDArray[np.uint8]
"""A picture as it is kept: [height, width, channels]."""

BLOCK = 256
"""Pixels that count as much work as a character of a text does."""
FEW = 8
"""So many pictures are decoded one after the other: threads would cost more than they save."""
SMALL = 64
"""Pictures of fewer blocks on average, 128 x 128, are too: threads take turns at what Python does for each, and 28 x 28
grey levels took 119 microseconds with two of them instead of 58."""
EXACT_SIZE = ("vit", "deit")
"""Families whose networks take pictures of one size and no other."""
ALIKE_SIDE, ALIKE_WAVES = 32, 12
"""A perceptual hash is made of so many waves in each direction of a picture with so many pixels a side."""
PLAIN = 64.0
"""Size of the largest wave below which a picture has nothing to be known by: noise of some two grey levels."""
DESCRIBING = 2
"""Counts the ways in which size, perceptual hash and remark were found: another one knows nothing of what was kept."""
PREVIEW = 96
"""Pixels of the longer side of a preview."""
_PROBE_SIZE = (320, 240)


class ImageReader(Reader[Pixels]):
    """The image processor of a model: resize, crop, levels to floats.

    Attributes:
        settings: content of ``preprocessor_config.json``, with all that it leaves open filled in.
        channels: 1 for grey, 3 for colour, 4 for colour with transparency.
    """

    suffixes: ClassVar[tuple[str, ...]] = (
        ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pnm",
        ".pbm", ".jp2", ".j2k", ".avif", ".heic", ".heif",
    )  # fmt: skip
    example: ClassVar[str] = "photo.jpg"
    variations: ClassVar[tuple[str, ...]] = ("shift", "flip")
    alike: ClassVar[int] = 10
    remarks: ClassVar[tuple[str, ...]] = REMARKS
    arrays: ClassVar[str] = (
        "height x width x channels (1 for grey, 3 for colour, 4 with transparency), as levels from 0 to 255 (uint8) or "
        "from 0 to 1 (float32)"
    )
    extra: ClassVar[str] = "vision"

    def __init__(self, settings: Mapping[str, Any], channels: int, *, family: str = "", place: str = PROCESSOR) -> None:
        """Args: as the file has them; of the network; its ``model_type``; what errors call the file.

        Raises:
            ModelError: settings that are not known, or do not fit the channels.
        """
        if channels not in MODES:
            raise ModelError(f"The network takes pictures of {channels} channels.", allowed="1, 3 or 4")
        self.channels = channels
        self.settings = {**resolved(settings, family, place), "num_channels": channels}
        self.processing = processing(self.settings, channels, place)

    @classmethod
    def is_in(cls, folder: Path) -> bool:
        """See :meth:`Reader.is_in`. Feature extractors of sound have a file of the same name."""
        path = folder / PROCESSOR
        return path.is_file() and "sampling_rate" not in read_object(path)

    @classmethod
    def open(cls, folder: Path) -> ImageReader:
        """Read ``preprocessor_config.json``, and ``config.json`` when it is there.

        Raises:
            ModelError: missing, not known, or for pictures that the network does not take.
            UnsafeFile: it wants to run code of its own (``auto_map``).
        """
        path = folder / PROCESSOR
        settings, config = read_object(path), read_object(folder / CONFIG, missing={})
        if "auto_map" in settings:
            raise UnsafeFile(f"{path} names Python code to run (auto_map).", allowed="processors that lighten knows")
        family = str(config.get("model_type") or "")
        mean = settings.get("image_mean")
        said = config.get("num_channels") or settings.get("num_channels")
        reader = cls(
            settings, int(said or (len(mean) if isinstance(mean, list) else 3)), family=family, place=str(path)
        )
        _refuse_other_size(reader, config, family, path)
        return reader

    def save(self, folder: Path) -> None:
        """Write ``preprocessor_config.json``; ``open`` of ``folder`` makes the same of every picture."""
        text = json.dumps(self.settings, indent=2, sort_keys=True)
        (folder / PROCESSOR).write_text(text + "\n", encoding="utf-8")

    def __call__(self, items: Sequence[Item]) -> list[Pixels]:
        """See :meth:`Reader.__call__`: resized and cropped, in eight bits."""
        if len(items) <= FEW or threads() == 1 or self.hinder(items):
            return [self._read(item) for item in items]
        return list(_decoders().map(self._read, items))

    def hinder(self, items: Sequence[Item]) -> bool:
        """See :meth:`Reader.hinder`: small pictures do."""
        return sum(map(size_of, items)) < SMALL * len(items)

    def size(self, example: Pixels) -> int:
        """See :meth:`Reader.size`: its numbers."""
        return example.size

    def batch(self, examples: Sequence[Pixels], size: int | None = None) -> dict[str, NDArray[Any]]:
        """See :meth:`Reader.batch`. Returns floats [batch, channels, height, width]; pictures have one size.

        Raises:
            DataError: they have several sizes.
        """
        shapes = {example.shape for example in examples}
        if len(shapes) > 1:
            sizes = ", ".join(f"{width} x {height}" for height, width, _ in sorted(shapes)[:5])
            raise DataError(f"Pictures of several sizes cannot be answered at once ({sizes}).", allowed="one size")
        levels = examples[0][None] if len(examples) == 1 else np.stack(examples)
        count, height, width, channels = levels.shape
        floats = np.empty((count, channels, height, width), np.float32)
        for channel in range(channels):
            np.take(self.processing.levels[channel], levels[..., channel], out=floats[:, channel], mode="clip")
        return {PIXELS: floats}

    def axes(self) -> Mapping[str, tuple[str, ...]]:
        """See :meth:`Reader.axes`."""
        return {PIXELS: ("batch",) if self.processing.shape else ("batch", "", "height", "width")}

    def probe(self) -> list[Pixels]:
        """See :meth:`Reader.probe`: black, a slope, and noise."""
        return [self._processed(image, "the probe") for image in _drawn()]

    def plain(self) -> PlainReading:
        """See :meth:`Reader.plain`: with Pillow and numpy alone."""
        return plain_picture(self)

    def samples(self, folder: Path) -> list[Item]:
        """See :meth:`Reader.samples`: the pictures of the probe."""
        paths = [folder / f"probe{number}.png" for number in range(len(_drawn()))]
        for path, image in zip(paths, _drawn(), strict=True):
            image.save(path)
        return [self.describe(path) for path in paths]

    def ranges(self) -> Mapping[str, tuple[NDArray[Any], NDArray[Any]]]:
        """See :meth:`Reader.ranges`: the floats of the darkest and the brightest level."""
        return {PIXELS: (self.processing.levels.min(axis=1), self.processing.levels.max(axis=1))}

    def vary(self, examples: Sequence[Pixels], how: Sequence[str], chance: NDArray[np.float64]) -> list[Pixels]:
        """See :meth:`Reader.vary`: moved by up to an eighth of a side, and half of them mirrored."""
        return varied(examples, how, chance)

    @classmethod
    def fitted(cls, items: Sequence[Item], wanted: Mapping[str, Any]) -> ImageReader:
        """See :meth:`Reader.fitted`: the most frequent size, grey or colour, levels as they are on average."""
        settings = processor_of([item for item in items if isinstance(item, Reference)], wanted)
        return cls(settings, int(settings["num_channels"]))

    def sizes(self) -> Mapping[str, Any]:
        """See :meth:`Reader.sizes`: ``channels``, and ``size``: pixels of a side, of oblongs height and width."""
        height, width = self.processing.shape or (0, 0)
        return {"channels": self.channels, "size": height if height == width else (height, width)}

    def told(self) -> str:
        """See :meth:`Reader.told`."""
        height, width = self.processing.shape or (0, 0)
        colours = "grey" if self.channels == 1 else "colour"
        return (
            f"Pictures are read in {colours}, {width} x {height} pixels, with the mean and spread of train taken out."
        )

    @classmethod
    def begins(cls, data: bytes) -> bool:
        """See :meth:`Reader.begins`."""
        return bool(known_as(data))

    @classmethod
    def version(cls) -> str:
        """See :meth:`Reader.version`: of what is done here, and of the library that decodes."""
        return f"{DESCRIBING}, Pillow {library_version()}"

    @classmethod
    def encode(cls, array: NDArray[Any]) -> bytes:
        """See :meth:`Reader.encode`: as PPM, which is not compressed; with transparency as PNG."""
        height, width, channels = (
            array.shape if array.ndim == 3 else (*array.shape, 1) if array.ndim == 2 else (0, 0, 0)
        )
        if channels not in MODES or not height or not width:
            raise DataError(f"it is an array of shape {list(array.shape)}.", allowed=cls.arrays)
        if array.dtype != np.uint8:
            if not (array.min() >= 0 and array.max() <= 1):
                raise DataError("its levels are not all between 0 and 1.", allowed=cls.arrays)
            array = np.rint(array * 255).astype(np.uint8)
        return encoded(array.reshape(height, width, channels))

    @classmethod
    def describe(cls, path: Path, member: str = "") -> Reference:
        """See :meth:`Reader.describe`. The file is decoded to its end, and what it is like remembered."""
        found, image, data = _opened(path, member)
        _known_likeness[found.hash] = _likeness(image, shown(found))
        _known_remarks[found.hash] = remarks_on(image, data)
        return found

    @classmethod
    def glance(cls, path: Path, member: str = "") -> Reference:
        """See :meth:`Reader.glance`: of a picture its header."""
        return _opened(path, member)[0]

    @classmethod
    def look(cls, data: bytes, name: str) -> int:
        """See :meth:`Reader.look`: blocks of its pixels, by its header."""
        _know_every_format()
        return _blocks(open_picture(data, name))

    @classmethod
    def remarked(cls, item: Reference) -> int:
        """See :meth:`Reader.remarked`: of several pictures in a file, and of levels that are too dark to be seen."""
        if item.hash not in _known_remarks:
            data = _content(item)
            _known_remarks[item.hash] = remarks_on(loaded(open_picture(data, shown(item)), shown(item)), data)
        return _known_remarks[item.hash]

    @classmethod
    def perceptual(cls, item: Reference) -> int | None:
        """See :meth:`Reader.perceptual`: signs of the slowest waves of its grey levels (Zauner 2010), 143 bits.

        None for a picture that has next to nothing on it.
        """
        if item.hash not in _known_likeness:
            _known_likeness[item.hash] = _likeness(open_picture(_content(item), shown(item)), shown(item))
        return _known_likeness[item.hash]

    @classmethod
    def preview(cls, item: Reference) -> str:
        """See :meth:`Reader.preview`: a JPEG, or a PNG of a picture that is small anyway."""
        image = open_picture(_content(item), shown(item))
        small = max(image.size) <= PREVIEW
        image.draft("RGB", (2 * PREVIEW, 2 * PREVIEW))
        image = in_channels(loaded(image, shown(item)), 3, shown(item))
        image.thumbnail((PREVIEW, PREVIEW))
        written, kind = io.BytesIO(), "png" if small else "jpeg"
        image.save(written, kind.upper(), optimize=True, **({} if small else {"quality": 80}))
        return f"data:image/{kind};base64,{base64.b64encode(written.getvalue()).decode('ascii')}"

    def _read(self, item: Item) -> Pixels:
        if not isinstance(item, Reference):
            raise DataError(f"An input is no picture: {shown(item)!r:.60}.", allowed="picture files")
        name = shown(item)
        return self._processed(loaded(open_picture(_content(item), name), name), name)

    def _processed(self, image: Image, name: str) -> Pixels:
        pixels = np.asarray(self.processing.apply(in_channels(image, self.channels, name), name))
        return pixels if pixels.ndim == 3 else pixels[:, :, None]


_known_likeness: dict[str, int | None] = {}
"""Perceptual hash by content hash, of what this process has described."""
_known_remarks: dict[str, int] = {}
"""The same for remarks."""


def _drawn() -> list[Image]:
    """Pictures that need no file: black, a slope, and noise."""
    from PIL import Image as library

    width, height = _PROBE_SIZE
    slope = np.add.outer(np.arange(height), np.arange(width)) * 255 // (width + height)
    noise = np.random.default_rng(0).integers(0, 256, (height, width))
    return [library.fromarray(levels.astype(np.uint8)) for levels in (np.zeros_like(slope), slope, noise)]


def threads() -> int:
    """How many pictures are decoded at a time: as many as a child process was given threads, or the machine allows."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(allowed_cores(), int(given) if given.isdigit() else allowed_cores()))


@cache
def _decoders() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads(), thread_name_prefix="decode")


def _opened(path: Path, member: str) -> tuple[Reference, Image, bytes]:
    """The reference to a picture, the picture of which the header was read, and the content of its file."""
    reference = Reference(str(path.absolute()), "", "image", 0, member)
    data = _content(reference)
    image = open_picture(data, shown(reference))
    return Reference(reference.path, content_hash(data), "image", _blocks(image), member), image, data


@cache
def _know_every_format() -> None:
    """Import what opens rare formats, which Pillow does where it first meets one: then others would have to wait."""
    from PIL import Image as library

    library.init()


def _blocks(image: Image) -> int:
    return -(-image.width * image.height // BLOCK)


def _content(item: Reference) -> bytes:
    try:
        return read_bytes(item)
    except (OSError, KeyError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{shown(item)} cannot be read: {reason}.", allowed="a picture file") from error


def _likeness(image: Image, name: str) -> int | None:
    side = ALIKE_SIDE
    image.draft("L", (4 * side, 4 * side))
    grey = in_channels(loaded(image, name), 1, name).resize((side, side), reducing_gap=3.0)
    waves = (_cosines() @ np.asarray(grey, np.float32) @ _cosines().T).ravel()[1:]
    if np.abs(waves).max() < PLAIN:
        return None
    middle = len(waves) // 2
    return int.from_bytes(np.packbits(waves > np.partition(waves, middle)[middle]).tobytes(), "big")


@cache
def _cosines() -> NDArray[np.float32]:
    """The slowest waves of a cosine transform (DCT-II): float32 [waves, side]."""
    wave, place = np.arange(ALIKE_WAVES)[:, None], np.arange(ALIKE_SIDE)[None, :]
    return np.cos(np.pi * wave * (2 * place + 1) / (2 * ALIKE_SIDE)).astype(np.float32)


def _refuse_other_size(reader: ImageReader, config: Mapping[str, Any], family: str, path: Path) -> None:
    """Refuse a processor that makes pictures of another size than the only one that the network takes."""
    size, shape = config.get("image_size"), reader.processing.shape
    wanted = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, list) else None
    if family in EXACT_SIZE and wanted is not None and shape != wanted:
        seen = f"{shape[1]} x {shape[0]} pixels" if shape else "several sizes"
        raise ModelError(
            f"{path} makes pictures of {seen}, and the network takes {wanted[1]} x {wanted[0]}.",
            allowed=f"{wanted[1]} x {wanted[0]}",
            fix="take the processor's configuration and the weights from the same place",
        )
