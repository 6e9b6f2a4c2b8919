"""Pictures of every kind become the arrays that a network takes; what is no picture is named."""

from __future__ import annotations

import base64
import io
import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from lighten.core.errors import DataError, ModelError, UnsafeFile
from lighten.core.item import Reference, content_hash, held
from lighten.core.readers import is_known, kinds_of_files, reader_in
from lighten.files.stored_zip import write_stored
from lighten.readers import _pixels
from lighten.readers._pixels import in_channels
from lighten.readers.image import FEW, PIXELS, PROCESSOR, ImageReader, _known_remarks
from lighten.testing.pictures import picture

PLAIN = {"image_processor_type": "ViTImageProcessor", "size": {"height": 6, "width": 8}, "do_normalize": False}


@pytest.fixture
def reader() -> ImageReader:
    """Leaves pictures of 8 x 6 pixels as they are, from 0 to 1."""
    return ImageReader(PLAIN, 3)


def saved(image: Image.Image, path: Path, **options: Any) -> Reference:
    image.save(path, **options)
    return ImageReader.describe(path)


def pixels(reader: ImageReader, item: Reference) -> np.ndarray[Any, Any]:
    (example,) = reader([item])
    return example


COLOURS = np.random.default_rng(1).integers(0, 256, (6, 8, 3)).astype(np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm", ".tif", ".webp"])
def test_files_without_loss_give_their_very_pixels(reader: ImageReader, tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True} if suffix == ".webp" else {}
    item = saved(Image.fromarray(COLOURS), tmp_path / f"a{suffix}", **options)
    np.testing.assert_array_equal(pixels(reader, item), COLOURS)
    assert (item.kind, item.size, item.path) == ("image", 1, str(tmp_path / f"a{suffix}"))
    assert item.hash == content_hash((tmp_path / f"a{suffix}").read_bytes())


def test_a_small_picture_that_lies_nowhere_is_read_as_its_file_is(reader: ImageReader, tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    Image.fromarray(COLOURS).save(path)
    data = path.read_bytes()
    size = ImageReader.look(data, "it")
    assert size == ImageReader.describe(path).size
    np.testing.assert_array_equal(pixels(reader, held(data, "image", size)), COLOURS)
    with pytest.raises(DataError, match="it is no picture"):
        ImageReader.look(b"no picture", "it")
    with pytest.raises(DataError, match=r"^the file is damaged"):
        reader([held(data[:-30], "image", size)])


def test_large_pictures_are_more_work(tmp_path: Path) -> None:
    assert saved(picture(0, size=(320, 240)), tmp_path / "a.jpg").size == 300


def test_grey_and_palettes_become_colour(reader: ImageReader, tmp_path: Path) -> None:
    grey = Image.fromarray(COLOURS[:, :, 0])
    found = pixels(reader, saved(grey, tmp_path / "grey.png"))
    np.testing.assert_array_equal(found, np.repeat(COLOURS[:, :, :1], 3, axis=2))
    palette = Image.fromarray(COLOURS).convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
    found = pixels(reader, saved(palette, tmp_path / "palette.png"))
    np.testing.assert_array_equal(found, np.asarray(palette.convert("RGB")))
    found = pixels(reader, saved(Image.fromarray(COLOURS[:, :, 0] > 127), tmp_path / "ink.png"))
    assert set(np.unique(found)) == {0, 255}


def test_what_is_transparent_shows_white(reader: ImageReader, tmp_path: Path) -> None:
    levels = np.zeros((6, 8, 4), np.uint8)
    levels[:, :4] = (200, 0, 0, 255)
    levels[:, 4:6] = (200, 0, 0, 0)
    levels[:, 6:] = (0, 0, 0, 51)
    wanted = np.array([[200, 0, 0]] * 4 + [[255, 255, 255]] * 2 + [[204, 204, 204]] * 2, np.uint8)
    np.testing.assert_array_equal(pixels(reader, saved(Image.fromarray(levels), tmp_path / "a.png"))[0], wanted)
    grey = Image.fromarray(levels[:, :, 2:])
    assert pixels(reader, saved(grey, tmp_path / "la.png"))[0, :, 0].tolist() == [0] * 4 + [255] * 2 + [204] * 2
    keyed = saved(Image.fromarray(levels[:, :, :3]), tmp_path / "key.png", transparency=(200, 0, 0))
    assert pixels(reader, keyed)[0].tolist() == [[255, 255, 255]] * 6 + [[0, 0, 0]] * 2
    gif = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8) % 4, "P")
    gif.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    found = pixels(reader, saved(gif, tmp_path / "a.gif", transparency=2))
    assert found[0, :4].tolist() == [[255, 0, 0], [0, 255, 0], [255, 255, 255], [9, 9, 9]]


def test_grey_networks_get_one_channel(tmp_path: Path) -> None:
    grey = ImageReader(PLAIN, 1)
    found = pixels(grey, saved(Image.fromarray(COLOURS), tmp_path / "a.png"))
    assert found.shape == (6, 8, 1)
    np.testing.assert_array_equal(found[:, :, 0], np.asarray(Image.fromarray(COLOURS).convert("L")))
    clear = pixels(grey, saved(Image.new("RGBA", (8, 6), (0, 0, 0, 0)), tmp_path / "clear.png"))
    assert set(np.unique(clear)) == {255}
    assert grey.batch([found, clear])[PIXELS].shape == (2, 1, 6, 8)


def test_sixteen_bits_are_not_clipped(reader: ImageReader, tmp_path: Path) -> None:
    levels = np.tile(np.array([0, 255, 256, 257, 32768, 40000, 65279, 65535], np.uint16), (6, 1))
    for suffix in (".png", ".tif"):
        found = pixels(reader, saved(Image.fromarray(levels), tmp_path / f"deep{suffix}"))
        assert found[0, :, 1].tolist() == [0, 0, 1, 1, 128, 156, 254, 255]
    with pytest.raises(DataError, match=r"deep\.tiff holds numbers from 0 to 0\.5, which are no grey levels"):
        reader([_float_picture(tmp_path / "deep.tiff")])


def _float_picture(path: Path) -> Reference:
    Image.fromarray(np.linspace(0, 0.5, 48, dtype=np.float32).reshape(6, 8)).save(path)
    return Reference(str(path), "", "image", 48)


def test_inks_become_colours(reader: ImageReader, tmp_path: Path) -> None:
    inks = Image.new("CMYK", (8, 6), (255, 0, 0, 0))
    found = pixels(reader, saved(inks, tmp_path / "ink.jpg", quality=100))
    assert np.abs(found.astype(int) - [0, 255, 255]).max() <= 2
    found = pixels(reader, saved(inks, tmp_path / "ink.tif"))
    np.testing.assert_array_equal(found[0, 0], [0, 255, 255])


def in_lab(image: Image.Image) -> Image.Image:
    profiles = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
    made = ImageCms.applyTransform(image, ImageCms.buildTransform(*profiles, "RGB", "LAB"))
    assert made is not None
    return made


def test_colours_of_lab_are_those_that_were_stored(reader: ImageReader, tmp_path: Path) -> None:
    found = pixels(reader, saved(in_lab(Image.fromarray(COLOURS)), tmp_path / "lab.tif"))
    assert np.abs(found.astype(int) - COLOURS).mean() < 3
    picture(5).save(tmp_path / "own.png")
    in_lab(picture(5)).save(tmp_path / "other.tif")
    items = [ImageReader.describe(tmp_path / name) for name in ("own.png", "other.tif")]
    assert bits_apart(*items) <= ImageReader.alike
    assert ImageReader.preview(items[1]).startswith("data:image/")


@pytest.mark.parametrize("mode", Image.MODES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_mode_is_read_or_refused_by_the_name_of_the_file(mode: str, channels: int) -> None:
    made = Image.new(mode, (4, 3))
    if mode == "F":
        with pytest.raises(DataError, match=r"^a\.tif holds numbers"):
            in_channels(made, channels, "a.tif")
    else:
        assert len(in_channels(made, channels, "a.tif").getbands()) == channels


def test_colours_that_pillow_does_not_convert_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Image.new("LAB", (4, 3))

    def convert(mode: str) -> Image.Image:
        raise ValueError(f"conversion to {mode} not supported")

    monkeypatch.setattr(made, "convert", convert)
    with pytest.raises(DataError, match=r"a\.tif has colours that cannot be read: Pillow does not convert LAB to RGB"):
        in_channels(made, 3, "a.tif")


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))])
def test_a_picture_is_turned_as_its_camera_says(tmp_path: Path, orientation: int, corner: tuple[int, int]) -> None:
    """The bright corner, top left in the file, is where the camera's orientation puts it."""
    levels = np.zeros((64, 64, 3), np.uint8)
    levels[:16, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    item = saved(Image.fromarray(levels), tmp_path / "turned.jpg", exif=exif, quality=95)
    seen = pixels(ImageReader({**PLAIN, "size": 64}, 3), item)[:, :, 0]
    assert seen[corner] > 200
    assert sum(seen[at] > 200 for at in ((0, 0), (0, -1), (-1, 0), (-1, -1))) == 1


def test_the_first_of_several_pictures_is_read(reader: ImageReader, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    assert pixels(reader, ImageReader.describe(tmp_path / "two.gif"))[0, 0].tolist() == [255, 0, 0]


def test_the_content_decides_not_the_name(reader: ImageReader, tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "right.png")
    shutil.copy(tmp_path / "right.png", tmp_path / "wrong.jpg")
    np.testing.assert_array_equal(pixels(reader, ImageReader.describe(tmp_path / "wrong.jpg")), COLOURS)
    (tmp_path / "text.png").write_text("a cat, painted")
    with pytest.raises(DataError, match=r"text\.png is no picture that can be read: it begins with b'a cat"):
        ImageReader.describe(tmp_path / "text.png")


def test_damaged_empty_and_missing_files_are_named(tmp_path: Path) -> None:
    picture(0, size=(320, 240)).save(tmp_path / "whole.jpg")
    picture(0, size=(320, 240)).save(tmp_path / "whole.png")
    for suffix in (".jpg", ".png"):
        whole = (tmp_path / f"whole{suffix}").read_bytes()
        (tmp_path / f"cut{suffix}").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DataError, match=rf"cut\{suffix} is damaged"):
            ImageReader.describe(tmp_path / f"cut{suffix}")
    (tmp_path / "head.png").write_bytes((tmp_path / "whole.png").read_bytes()[:10])
    with pytest.raises(DataError, match=r"head\.png is a damaged PNG"):
        ImageReader.describe(tmp_path / "head.png")
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"empty\.png is empty"):
        ImageReader.describe(tmp_path / "empty.png")
    with pytest.raises(DataError, match=r"gone\.png cannot be read: No such file"):
        ImageReader.describe(tmp_path / "gone.png")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("side", [9_500, 14_000])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, side: int) -> None:
    head = f"P6 {side} {side} 255\n".encode()
    (tmp_path / "bomb.ppm").write_bytes(head)
    with pytest.raises(DataError, match=r"bomb\.ppm is too large to be opened"):
        ImageReader.describe(tmp_path / "bomb.ppm")


def test_a_line_of_pixels_is_not_made_a_wall_of_them(tmp_path: Path) -> None:
    told = {"image_processor_type": "MobileNetV1ImageProcessor", "size": {"shortest_edge": 256}}
    reader = ImageReader({**told, "do_center_crop": False}, 3)
    for size in ((60_000, 1), (1, 60_000)):
        item = saved(Image.new("L", size), tmp_path / "line.png")
        with pytest.raises(DataError, match=r"line\.png is too large to be resized to a shorter edge of 256"):
            reader([item])
    assert reader([saved(Image.new("L", (60, 1)), tmp_path / "short.png")])[0].shape == (256, 256 * 60, 3)


def changed_tag(data: bytes, tag: int, value: int) -> bytes:
    """A TIFF with another number in one of its tags."""
    at = data.index(struct.pack("<HHI", tag, 3, 1))
    return data[: at + 8] + struct.pack("<I", value) + data[at + 12 :]


@pytest.mark.filterwarnings("ignore")
def test_what_pillow_does_not_open_is_named_as_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(0).save(tmp_path / "a.tif")
    (tmp_path / "five.tif").write_bytes(changed_tag((tmp_path / "a.tif").read_bytes(), 277, 5))
    with pytest.raises(DataError, match=r"five\.tif is a TIFF with 5 channels of 8 bits, which Pillow does not open"):
        ImageReader.describe(tmp_path / "five.tif")
    (tmp_path / "cut.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:12])
    with pytest.raises(DataError, match=r"cut\.tif is a damaged TIFF"):
        ImageReader.describe(tmp_path / "cut.tif")
    heic = {"HEIC": ("HEIF", "", "no_such_plugin", "pip install it")}
    monkeypatch.setattr(_pixels, "OPTIONAL", {**_pixels.OPTIONAL, **heic})
    _pixels.opens.cache_clear()
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40))
    with pytest.raises(DataError, match=r"a\.heic is a picture in HEIC, which Pillow does not open here") as caught:
        ImageReader.describe(tmp_path / "a.heic")
    assert "pip install it, or convert it" in caught.value.fix
    (tmp_path / "sound.webp").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    with pytest.raises(DataError, match=r"sound\.webp is no picture that can be read"):
        ImageReader.describe(tmp_path / "sound.webp")
    _pixels.opens.cache_clear()


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".jp2", ".j2k", ".avif", ".pbm"])
def test_less_usual_names_and_formats_are_read(tmp_path: Path, suffix: str) -> None:
    kind = {".jp2": "JPEG2000", ".j2k": "JPEG2000", ".avif": "AVIF"}.get(suffix)
    if kind and not _pixels.opens(kind):
        pytest.skip(f"Pillow does not open {kind} here")
    made = picture(0).convert("1") if suffix == ".pbm" else picture(0)
    item = saved(made, tmp_path / f"a{suffix}")
    assert pixels(ImageReader(PLAIN, 3), item).shape == (6, 8, 3) and kinds_of_files()[suffix] == "image"
    assert is_known((tmp_path / f"a{suffix}").read_bytes()) or suffix == ".pbm"


def test_what_stands_for_several_or_is_too_dark_is_remarked(tmp_path: Path) -> None:
    frames = [picture(at) for at in range(3)]
    for suffix in (".gif", ".tif", ".webp", ".png"):
        item = saved(frames[0], tmp_path / f"many{suffix}", save_all=True, append_images=frames[1:])
        assert ImageReader.remarked(item) == 1, suffix
        assert ImageReader.remarked(saved(frames[0], tmp_path / f"one{suffix}")) == 0
    for most, said in ((4095, 2), (4096, 0)):
        levels = np.linspace(0, most, 48).astype(np.uint16).reshape(6, 8)
        item = saved(Image.fromarray(levels), tmp_path / f"{most}.png")
        assert ImageReader.remarked(item) == said
        _known_remarks.clear()
        assert ImageReader.remarked(item) == said, "also where it was described by another process"


def test_several_are_remarked_whatever_the_second_is_and_whichever_way_they_are_turned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    for suffix in (".webp", ".png", ".tif"):
        frames = [picture(at) for at in range(2)]
        item = saved(frames[0], tmp_path / f"turned{suffix}", save_all=True, append_images=frames[1:], exif=turned)
        assert ImageReader.remarked(item) == 1, suffix
        _known_remarks.clear()
        assert ImageReader.remarked(item) == 1, "also where it was described by another process"
    small, large = picture(0, size=(8, 6)), picture(1, size=(100, 100))
    for suffix in (".gif", ".tif"):
        small.save(tmp_path / f"large{suffix}", save_all=True, append_images=[large])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for suffix in (".gif", ".tif"):
        assert ImageReader.remarked(ImageReader.describe(tmp_path / f"large{suffix}")) == 1, suffix


def test_what_has_no_plugin_to_open_it_is_not_opened_by_a_module_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(_pixels, "import_module", asked.append)
    monkeypatch.setitem(_pixels.OPTIONAL, "NONE", ("NONE", "", "", "nothing"))
    assert _pixels.opens("NONE") == "" and not asked


def test_a_text_is_no_picture(reader: ImageReader) -> None:
    with pytest.raises(DataError, match="An input is no picture: 'a cat'"):
        reader(["a cat"])


def test_many_come_in_their_order_as_each_alone(tmp_path: Path) -> None:
    reader = ImageReader({"image_processor_type": "ViTImageProcessor", "size": 16}, 3)
    items = [saved(picture(seed, size=(40, 30)), tmp_path / f"{seed}.png") for seed in range(3 * FEW)]
    many = reader(items)
    assert len(many) == len(items)
    for item, example in zip(items, many, strict=True):
        np.testing.assert_array_equal(pixels(reader, item), example)
    whole = reader.batch(many)[PIXELS]
    np.testing.assert_array_equal(whole[5:6], reader.batch(many[5:6])[PIXELS])
    assert (whole.shape, reader.size(many[0]), reader([])) == ((24, 3, 16, 16), 768, [])


def test_members_of_a_stored_zip_are_pictures_too(reader: ImageReader, tmp_path: Path) -> None:
    written = io.BytesIO()
    Image.fromarray(COLOURS).save(written, "PPM")
    write_stored(tmp_path / "kept.zip", [("a.ppm", written.getvalue()), ("b.ppm", b"none")])
    item = ImageReader.describe(tmp_path / "kept.zip", "a.ppm")
    np.testing.assert_array_equal(pixels(reader, item), COLOURS)
    with pytest.raises(DataError, match=r"kept\.zip:b\.ppm is no picture"):
        ImageReader.describe(tmp_path / "kept.zip", "b.ppm")
    with pytest.raises(DataError, match=r"kept\.zip:c\.ppm cannot be read"):
        ImageReader.describe(tmp_path / "kept.zip", "c.ppm")


def test_pictures_of_several_sizes_are_no_batch() -> None:
    reader = ImageReader({**PLAIN, "size": {"shortest_edge": 8}}, 3)
    assert reader.axes() == {PIXELS: ("batch", "", "height", "width")}
    with pytest.raises(DataError, match=r"several sizes cannot be answered at once \(8 x 6, 8 x 8\)"):
        reader.batch([np.zeros((6, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)])


def test_a_build_is_asked_pictures_that_differ(reader: ImageReader) -> None:
    asked = reader.probe()
    assert {example.shape for example in asked} == {(6, 8, 3)}
    assert len({example.tobytes() for example in asked}) == len(asked) > 1
    assert reader.axes() == {PIXELS: ("batch",)}


def folder(path: Path, processor: dict[str, Any], config: dict[str, Any] | None = None) -> Path:
    path.mkdir(exist_ok=True)
    (path / PROCESSOR).write_text(json.dumps(processor))
    if config is not None:
        (path / "config.json").write_text(json.dumps(config))
    return path


def test_a_saved_reader_reads_the_same_without_the_model(tmp_path: Path) -> None:
    config = {"model_type": "resnet", "num_channels": 1}
    first = ImageReader.open(folder(tmp_path / "a", {"size": 28, "image_mean": [0.3], "image_std": [0.4]}, config))
    (tmp_path / "b").mkdir()
    first.save(tmp_path / "b")
    again = reader_in(tmp_path / "b")
    assert isinstance(again, ImageReader)
    assert (again.channels, again.settings) == (1, first.settings)
    examples = first.probe()
    np.testing.assert_array_equal(again.batch(examples)[PIXELS], first.batch(examples)[PIXELS])
    assert examples[0].shape == (28, 28, 1)


def test_a_saved_reader_is_opened_by_transformers_too(tmp_path: Path) -> None:
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    first = ImageReader({"image_processor_type": "ViTImageProcessor", "size": 20, "image_mean": [0.1, 0.2, 0.3]}, 3)
    first.save(tmp_path)
    image = picture(0, size=(320, 240))
    theirs = ViTImageProcessorPil.from_pretrained(tmp_path)(image)[PIXELS][0]
    np.testing.assert_array_equal(first.batch([first._processed(image, "it")])[PIXELS][0], theirs)


def test_a_processor_that_does_not_fit_the_weights_is_refused(tmp_path: Path) -> None:
    vit = {"image_processor_type": "ViTImageProcessor", "size": 224}
    with pytest.raises(ModelError, match="makes pictures of 224 x 224 pixels, and the network takes 32 x 32"):
        ImageReader.open(folder(tmp_path / "a", vit, {"model_type": "vit", "image_size": 32}))
    with pytest.raises(ModelError, match="has 3 numbers, and the network takes 1 channels"):
        ImageReader.open(folder(tmp_path / "b", vit, {"model_type": "resnet", "num_channels": 1}))
    with pytest.raises(ModelError, match="pictures of 5 channels"):
        ImageReader.open(folder(tmp_path / "c", vit, {"model_type": "resnet", "num_channels": 5}))
    with pytest.raises(UnsafeFile, match="auto_map"):
        ImageReader.open(folder(tmp_path / "d", {**vit, "auto_map": {"AutoImageProcessor": "x.Y"}}))
    assert ImageReader.open(folder(tmp_path / "e", vit, {"model_type": "resnet", "image_size": 32})).channels == 3


def test_sound_is_not_taken_for_a_picture(tmp_path: Path) -> None:
    sound = folder(tmp_path / "sound", {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 16000})
    assert not ImageReader.is_in(sound)
    assert not ImageReader.is_in(tmp_path)
    with pytest.raises(ModelError, match="does not say how inputs become numbers"):
        reader_in(tmp_path)


def test_files_are_known_by_how_they_begin(tmp_path: Path) -> None:
    for suffix in (".png", ".jpg", ".gif", ".bmp", ".tif", ".webp", ".ppm"):
        picture(0).save(tmp_path / f"a{suffix}")
        assert is_known((tmp_path / f"a{suffix}").read_bytes()), suffix
    assert not is_known(b"a text") and not is_known(b"")


def test_suffixes_are_of_this_reader() -> None:
    assert {kinds_of_files()[suffix] for suffix in (".jpg", ".jpeg", ".png", ".webp")} == {"image"}
    assert ".txt" not in kinds_of_files()


def bits_apart(one: Reference, other: Reference) -> int:
    hashes = [ImageReader.perceptual(item) for item in (one, other)]
    assert None not in hashes
    return (hashes[0] ^ hashes[1]).bit_count()  # type: ignore[operator]


def test_copies_stored_anew_are_alike_and_other_pictures_are_not(tmp_path: Path) -> None:
    whole = picture(0, size=(320, 240))
    first = saved(whole, tmp_path / "first.png")
    for path, options, image in (
        ("again.jpg", {"quality": 80}, whole),
        ("small.jpg", {"quality": 90}, whole.resize((160, 120), 2)),
        ("bright.png", {}, whole.point(lambda level: min(255, level + 6))),
    ):
        copy = saved(image, tmp_path / path, **options)
        assert copy.hash != first.hash
        assert bits_apart(first, copy) <= ImageReader.alike, path
    for seed in range(1, 20):
        assert (
            bits_apart(first, saved(picture(seed, size=(320, 240)), tmp_path / f"other{seed}.png"))
            > 3 * ImageReader.alike
        )


def test_a_blank_picture_is_like_no_other(tmp_path: Path) -> None:
    assert ImageReader.perceptual(saved(Image.new("RGB", (40, 40), "white"), tmp_path / "white.png")) is None


def test_a_hash_does_not_depend_on_whether_the_picture_was_described_here(tmp_path: Path) -> None:
    item = saved(picture(3), tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    elsewhere = Reference(str(tmp_path / "b.png"), "0" * 32, "image", item.size)
    assert ImageReader.perceptual(elsewhere) == ImageReader.perceptual(item)


@pytest.mark.parametrize(("size", "kind"), [((28, 28), "png"), ((640, 480), "jpeg"), ((3000, 20), "jpeg")])
def test_a_preview_is_a_small_picture_inside_the_page(tmp_path: Path, size: tuple[int, int], kind: str) -> None:
    address = ImageReader.preview(saved(picture(0, size=size), tmp_path / "a.png"))
    head, _, data = address.partition(",")
    assert head == f"data:image/{kind};base64"
    shown = Image.open(io.BytesIO(base64.b64decode(data)))
    assert max(shown.size) == min(96, max(size))
    assert len(address) < 12_000


@pytest.mark.parametrize("channels", [0, 1, 3, 4])
def test_an_array_becomes_a_file_that_reads_as_the_same_levels(tmp_path: Path, channels: int) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (5, 7, channels) if channels else (5, 7), np.uint8)
    path = tmp_path / "a"
    for given in (levels, (levels / 255).astype(np.float32), levels / 255):
        path.write_bytes(ImageReader.encode(given))
        assert np.array_equal(np.asarray(Image.open(path)), levels.reshape(5, 7) if channels == 1 else levels)
        assert ImageReader.glance(path).size == ImageReader.look(path.read_bytes(), "it") == 1


@pytest.mark.parametrize(
    ("array", "seen"),
    [
        (np.zeros((3, 5, 7), np.uint8), r"shape \[3, 5, 7\]"),
        (np.zeros(4, np.uint8), r"shape \[4\]"),
        (np.zeros((0, 5, 3), np.uint8), r"shape \[0, 5, 3\]"),
        (np.full((5, 7, 3), 1.01, np.float32), "between 0 and 1"),
        (np.full((5, 7, 3), np.nan, np.float32), "between 0 and 1"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(array: np.ndarray[Any, Any], seen: str) -> None:
    with pytest.raises(DataError, match=seen) as error:
        ImageReader.encode(array)
    assert "height x width x channels" in error.value.allowed
