"""How pictures are read without lighten: the file of their processor, and Python with Pillow and numpy."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Protocol

from lighten.core.plain import PlainReading
from lighten.readers._pixels import MODES
from lighten.readers._processing import Processing

HEAD = '''
def arrays_of(picture):
    """A picture as the network takes it, a batch of one. picture: the path of a file, or its content."""
    image = Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture)
    image = ImageOps.exif_transpose(image)
    if image.mode == "F" or image.mode.startswith("I"):  # 16 bits: the upper eight
        levels = np.asarray(image)
        if image.mode == "F" or levels.min() < 0 or levels.max() > 0xFFFF:
            raise ValueError(f"numbers from {levels.min():g} to {levels.max():g} are no grey levels")
        image = Image.fromarray((levels.astype(np.uint16) >> 8).astype(np.uint8))
'''
OPAQUE = """\
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa"):  # what is transparent shows white
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
"""
SHORTEST = """\
    short, long = sorted(image.size)
    other = int({shortest} * long / short)
    size = ({shortest}, other) if image.width <= image.height else (other, {shortest})
    image = image.resize(size, {resample}) if size != image.size else image
"""
WHOLE = """\
    image = image.resize(({width}, {height}), {resample}) if image.size != ({width}, {height}) else image
"""
CROP = """\
    left, top = (image.width - {width}) // 2, (image.height - {height}) // 2
    image = image.crop((left, top, left + {width}, top + {height}))
"""


class PictureProcessor(Protocol):
    """An image processor; see ``readers.image.ImageReader`` for what each means."""

    example: ClassVar[str]
    settings: dict[str, Any]
    channels: int
    processing: Processing


def plain_picture(reader: PictureProcessor) -> PlainReading:
    """How ``reader`` reads, in the same arithmetic: eight bits until the last, float64 to rescale, then float32."""
    done, settings, channels = reader.processing, reader.settings, reader.channels
    code = [HEAD, OPAQUE if channels != 4 else "", f'    image = image.convert("{MODES[channels]}")\n']
    if done.shortest:
        code.append(SHORTEST.format(shortest=done.shortest, resample=done.resample))
    elif done.height:
        code.append(WHOLE.format(width=done.width, height=done.height, resample=done.resample))
    if done.crop[0]:
        code.append(CROP.format(height=done.crop[0], width=done.crop[1]))
    code.append(_levels(reader))
    shape = done.shape
    return PlainReading(
        files={"preprocessor_config.json": json.dumps(settings, indent=2, sort_keys=True) + "\n"},
        settings="",
        libraries=("pillow",),
        imports=("import io", "from PIL import Image, ImageOps"),
        setup=(),
        code="".join(code),
        value=("a picture", "一张图片"),
        from_bytes="data",
        from_json="base64.b64decode(data)",
        family="vit",
        head="ForImageClassification",
        pipeline="image-classification",
        example=reader.example,
        config={"num_channels": channels, **({"image_size": max(shape)} if shape else {})},
    )


def _levels(reader: PictureProcessor) -> str:
    """From the picture to floats, [1, channels, height, width]."""
    settings, channels = reader.settings, reader.channels
    lines = [f"levels = np.asarray(image).reshape(image.height, image.width, {channels})"]
    if settings["do_rescale"]:
        lines.append(f"levels = (levels.astype(np.float64) * {float(settings['rescale_factor'])!r}).astype(np.float32)")
    else:
        lines.append("levels = levels.astype(np.float32)")
    if settings["do_rescale"] and settings.get("rescale_offset"):
        lines.append("levels = levels - np.float32(1)")
    if settings["do_normalize"]:
        lines.append(
            f"levels = (levels - np.array({settings['image_mean']!r}, np.float32)) / "
            f"np.array({settings['image_std']!r}, np.float32)"
        )
    if settings.get("include_top"):
        lines.append(f"levels = levels / np.array({settings['image_std']!r}, np.float32)")
    lines.append('return {"pixel_values": np.ascontiguousarray(levels.transpose(2, 0, 1)[None], np.float32)}')
    return "".join(f"    {line}\n" for line in lines)
