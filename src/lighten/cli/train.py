"""lighten train"""

from __future__ import annotations

from typing import Annotated

import typer

from lighten.cli import options

Model = Annotated[
    str,
    typer.Argument(
        help="HF folder, hub id, GGUF file, sample:NAME, package.module:function, an artifact of lighten; with "
        "--from-scratch a config.json."
    ),
]
Data = Annotated[
    str,
    typer.Option(
        help="csv, tsv, jsonl, parquet, text files, HF dataset folder or hub id, sample:NAME, or a toml "
        "file with a section for each of several tasks.",
        show_default=False,
    ),
]
Time = Annotated[
    str | None,
    typer.Option(
        help="Time of the training, such as 10m; planned by timing the first updates. With --search: of all of it.",
        show_default=False,
    ),
]
Epochs = Annotated[
    float | None,
    typer.Option(help="Passes over the training rows, at most. Default: what suits the model.", show_default=False),
]
Rate = Annotated[
    float | None, typer.Option("--lr", help="Peak learning rate. Default: by the model's width.", show_default=False)
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of the training in --out.")]
FromScratch = Annotated[
    bool, typer.Option("--from-scratch", help="Begin with random weights: the architecture alone is taken.")
]
BatchRows = Annotated[int | None, typer.Option(help="Rows per update, of each worker.", min=1, show_default=False)]
WeightDecay = Annotated[float | None, typer.Option(help="Decay of the matrices.", show_default=False)]
Dropout = Annotated[float | None, typer.Option(help="Rate of dropout. Default: 0.", show_default=False)]
LabelSmoothing = Annotated[
    float | None, typer.Option(help="Share of each label spread over all classes. Default: 0.", show_default=False)
]
Freeze = Annotated[
    str,
    typer.Option(
        help="What stays as it is: embeddings, a number (so many of the first blocks, and the embeddings), or all "
        "(only the head learns).",
        show_default=False,
    ),
]
Lora = Annotated[
    int | None,
    typer.Option(
        help="Learn changes of this rank (LoRA) beside the weights, and merge them in the end; adapter/ has them "
        "for peft.",
        show_default=False,
    ),
]
Optimizer = Annotated[str, typer.Option(help="adamw, or muon: for the matrices of blocks, beside adamw for the rest.")]
Precision = Annotated[str, typer.Option(help="auto (what computes faster here, measured), fp32 or bf16.")]
Augment = Annotated[
    str,
    typer.Option(
        help="How examples are varied: auto (what was measured to help, which is nothing yet), off, or of "
        "pictures shift, flip (mirrored: only where left and right mean the same). Texts are not varied."
    ),
]
Teachers = Annotated[
    list[str] | None,
    typer.Option(
        help="A trained model of the same classes to learn from beside the labels; several (--teacher A --teacher B) "
        "are averaged. One of the same kind, trained on the same rows, was measured to bring nothing.",
        show_default=False,
    ),
]
Unlabelled = Annotated[
    str | None,
    typer.Option(
        help="Data without labels to adapt to: answered by --teacher, else by the model after a first training.",
        show_default=False,
    ),
]
Harden = Annotated[
    float,
    typer.Option(
        help="Learn also from inputs moved against the model, by up to this share: of a pixel's range (0.03), of "
        "the length of a text's embeddings (0.02)."
    ),
]
GroupGrid = Annotated[
    bool,
    typer.Option(
        "--grid",
        help="Also train on each group alone, and test on every group: one training for each, together as long again.",
    ),
]
Price = Annotated[
    float | None, typer.Option(help="What an hour of this machine costs, for the report.", show_default=False)
]
Search = Annotated[
    int | None,
    typer.Option(
        help="Search learning rate, batch, passes (not with --time), weight decay, dropout and label smoothing, "
        "where they are not given, in so many trials; then train once more with the best.",
        show_default=False,
    ),
]
Workers = Annotated[
    int, typer.Option(help="Processes that train together, each on part of the cores with a batch of its own.", min=1)
]


def command(
    model: Model,
    data: Data,
    time: Time = None,
    epochs: Epochs = None,
    out: options.Out = None,
    resume: Resume = False,
    from_scratch: FromScratch = False,
    lr: Rate = None,
    batch_rows: BatchRows = None,
    weight_decay: WeightDecay = None,
    dropout: Dropout = None,
    label_smoothing: LabelSmoothing = None,
    freeze: Freeze = "",
    lora: Lora = None,
    optimizer: Optimizer = "adamw",
    precision: Precision = "auto",
    augment: Augment = "auto",
    teacher: Teachers = None,
    unlabelled: Unlabelled = None,
    harden: Harden = 0.0,
    grid: GroupGrid = False,
    price: Price = None,
    search: Search = None,
    task: options.TaskName = None,
    prompt: options.Template = None,
    answer: options.Answer = None,
    choices: options.Choices = None,
    shots: options.Shots = 0,
    text: options.Text = None,
    label: options.Label = None,
    labels: options.Labels = None,
    group: options.Group = None,
    unit: options.Unit = None,
    split_column: options.SplitColumn = None,
    drop_empty: options.DropEmpty = False,
    longest: options.Longest = None,
    merge_labels: options.MergeLabels = None,
    drop_rare: options.DropRare = 0,
    threads: options.Threads = 0,
    workers: Workers = 1,
    seed: options.Seed = 0,
    as_json: options.Json = False,
    quiet: options.QuietOption = False,
) -> None:
    """Train a model on your data, and score it on rows that nothing has seen.

    Killed at any moment and taken up with --resume, it ends with the same weights, bit for bit. What comes out is an
    ordinary HF folder; lighten optimize takes the run's folder as it is.

    Several machines: torchrun --nnodes 2 --nproc-per-node 1 ... -m lighten train MODEL --data D, on each of them, with
    model and data at the same path; the first one writes and shows.

    Exit code 0: trained; 1: the training came apart or its process died; 2: bad input, or a folder that cannot be
    used; 130: interrupted (go on with --resume).
    """
    asked = options.arguments(locals(), "as_json", "quiet")
    from lighten.cli.screen import watched
    from lighten.cli.trained import printed
    from lighten.fitting.launch import Launch
    from lighten.verbs.train import train

    quiet = quiet or not Launch.found(workers, threads).leads
    result = watched(lambda listener: train(**asked, listener=listener), quiet=quiet)
    printed(result, as_json=as_json)
