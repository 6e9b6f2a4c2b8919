"""Contract that every engine keeps, lighten's own and a plug-in's: see :func:`check_engine`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lighten.core import catalog
from lighten.core.artifact import Artifact
from lighten.core.engine import Engine
from lighten.core.matching import fits
from lighten.core.recipe import engine_from, record_of
from lighten.core.session import Session
from lighten.core.step import settings_of
from lighten.testing.tiny import BAD, GOOD, PLAIN


def texts(n: int = 70, seed: int = 0) -> tuple[str, ...]:
    """Sentences of 0 to 24 words, in an order that has nothing to do with their length."""
    rng = np.random.default_rng(seed)
    words = np.array([*PLAIN, *GOOD, *BAD])
    return tuple(" ".join(rng.choice(words, rng.integers(0, 25))) for _ in range(n))


def check_engine(
    engine: Engine, artifact: Artifact, folder: Path, *, threads: int = 2, tolerance: float = 1e-3
) -> Artifact:
    """Build ``artifact`` into the empty ``folder``, open it and ask it in every way a session is asked.

    Args:
        artifact: of a format that the engine consumes, with two labels or more.
        tolerance: by how much a logit may depend on the batch it is computed in. Engines that take the range of
            activations over a whole batch need more.

    Returns:
        The built artifact.

    Raises:
        AssertionError: it breaks the contract; says how.
    """
    check_declaration(engine)
    folder.mkdir(parents=True, exist_ok=True)
    format = engine.build(artifact, folder)
    assert fits(format, engine.stores), f"build made {format}, which is not in stores {engine.stores}"
    built = Artifact.seal(folder, format=format, meta=artifact.meta)
    classes = len(artifact.meta["labels"])
    with engine.open(Artifact.open(folder), threads=threads) as session:
        check_answers(session, classes, tolerance)
    with engine.open(built, threads=1) as one_thread, engine.open(built, threads=threads) as more:
        apart = np.abs(one_thread.run(texts()) - more.run(texts())).max()
        assert apart <= tolerance, f"answers depend on the number of threads: {apart:.2g} apart"
    return built


def check_declaration(engine: Engine) -> None:
    """It says what it takes, keeps and is; its settings survive a round trip through a recipe."""
    name = catalog.name_of(engine)
    entry = next(e for e in catalog.entries("engines") if e.name == name)
    assert entry.doc.endswith("."), f"the first line of {entry.module} must be one sentence that says what it runs"
    assert engine.consumes and engine.stores, "an engine consumes and stores at least one format"
    library, _, number = engine.version().partition(" ")
    assert library and number[:1].isdigit(), f"version() is {engine.version()!r}; expected 'library 1.2.3'"
    assert engine_from(record_of(engine)) == engine, "settings must survive a round trip through a recipe"
    for setting in settings_of(type(engine)):
        assert setting.doc.endswith("."), f"{setting.name} needs a sentence"
        assert not setting.problem(setting.default), f"{setting.name}: the default is not allowed"
        assert not any(setting.problem(v) for v in setting.search), f"{setting.name}: searches what is not allowed"


def check_answers(session: Session, classes: int, tolerance: float) -> None:
    """Shape, type, order, repeatability; one at a time as all at once; nothing for nothing; closing twice."""
    asked = texts()
    found = session.run(asked)
    assert found.shape == (len(asked), classes), f"run gave {found.shape}; expected {(len(asked), classes)}"
    assert found.dtype == np.float32, f"run gave {found.dtype}; expected float32"
    assert np.isfinite(found).all(), "logits must be finite"
    assert found.std(axis=0).max() > 3 * tolerance, "all answers are alike: this model cannot show their order"
    _close(session.run(asked), found, tolerance, "asked again")
    _close(session.run(asked[::-1])[::-1], found, tolerance, "asked in reverse order")
    _close(np.concatenate([session.run([text]) for text in asked]), found, tolerance, "asked one at a time")
    _close(session.run([asked[3]] * 3), found[[3, 3, 3]], tolerance, "asked three times the same")
    kept = session.run([asked[0]]).copy()
    held = session.run([asked[0]])
    session.run([asked[1]])
    assert np.array_equal(held, kept), "an answer must not change when the next one is computed"
    long = session.run([" ".join(asked)])
    assert long.shape == (1, classes) and np.isfinite(long).all(), "an input that is too long is truncated"
    assert session.run([]).shape == (0, classes), "nothing in, nothing out"
    session.close()
    session.close()


def _close(found: np.ndarray, wanted: np.ndarray, tolerance: float, how: str) -> None:
    apart = float(np.abs(found - wanted).max())
    assert apart <= tolerance, f"answers differ when {how}: {apart:.2g} apart"
