"""Texts of the report that runs of language models need, in English and Chinese; part of ``words.WORDS``."""

from __future__ import annotations

LANGUAGE: dict[str, tuple[str, str]] = {
    # what the proof says of documents
    "say.bits.more": (
        "on {n} unseen documents text costs {change} more bits ({confidence} sure: at most {loss} more); you allowed "
        "{margin}.",
        "在 {n} 篇从未见过的文档上，同样的文本多用 {change} 的比特（{confidence} 置信度下至多多用 {loss}），"
        "您允许的上限是 {margin}。",
    ),
    "say.bits.fewer": (
        "on {n} unseen documents text costs {change} fewer bits ({confidence} sure: at most {loss} more); you allowed "
        "{margin} more.",
        "在 {n} 篇从未见过的文档上，同样的文本少用 {change} 的比特（{confidence} 置信度下至多多用 {loss}），"
        "您允许多用 {margin}。",
    ),
    "say.bits.same": (
        "on {n} unseen documents text costs as many bits as before ({confidence} sure: at most {loss} more); you "
        "allowed {margin}.",
        "在 {n} 篇从未见过的文档上，同样的文本所用比特数不变（{confidence} 置信度下至多多用 {loss}），"
        "您允许的上限是 {margin}。",
    ),
    "say.bits.no_loss": (
        "on {n} unseen documents text costs {change} fewer bits ({confidence} sure: no more than before); you allowed "
        "{margin} more.",
        "在 {n} 篇从未见过的文档上，同样的文本少用 {change} 的比特（{confidence} 置信度下不多于原模型），"
        "您允许多用 {margin}。",
    ),
    "say.bits.level": (
        "on {n} unseen documents it needs at most {value} ({confidence} bound); you asked for {floor}.",
        "在 {n} 篇从未见过的文档上，至多需要 {value}（{confidence} 置信界），您的要求是不超过 {floor}。",
    ),
    # cheap baselines
    "say.gain.bytes": (
        "The winner’s {quantity} is {value}, the original’s {first}",
        "优胜者的{quantity}为 {value}，原模型为 {first}",
    ),
    "say.baseline.winner": (
        "The winner is {kind}, learned from your own text: for this budget no language model is needed.",
        "优胜者是{kind}，由您自己的文本学得：就这一预算而言，并不需要语言模型。",
    ),
    "say.baseline.good": (
        "A cheap baseline keeps the floors as well: {name}, {kind} learned from your own text. You may not need a "
        "language model.",
        "有一个低成本基线同样达到质量下限：{name}，即由您自己的文本学得的{kind}。您或许并不需要语言模型。",
    ),
    "baseline.missed": (
        "No cheap baseline keeps the floors ({names}).",
        "没有一个低成本基线达到质量下限（{names}）。",
    ),
    "ratio.bytes": (
        "A token of one vocabulary is not a token of another: ratios of writing and reading compare the bytes of "
        "text, a token standing for as many as it holds in your own text.",
        "不同词表的词元并不等价：生成与读取的倍率按文本字节数比较，每个词元按其在您自己的文本中平均所占的字节数折算。",
    ),
    "quantity.tpot.compared": ("time per byte of text written", "每字节文本生成用时"),
    "quantity.decode.compared": ("text written per second", "每秒写出的文本量"),
    "quantity.decode4.compared": ("text written per second by 4 streams", "4 路每秒写出的文本量"),
    "quantity.decode16.compared": ("text written per second by 16 streams", "16 路每秒写出的文本量"),
    "quantity.decode_cpu.compared": ("CPU time per byte of text written", "每字节文本生成 CPU 时间"),
    "quantity.prefill.compared": ("text read per second", "每秒读取的文本量"),
    "baseline.bytes": (
        "The tokens of these baselines are bytes: their speeds are bytes per second and their time per token is per "
        "byte, while a token of most language models is about four bytes.",
        "这些基线的词元就是字节：其速度为每秒字节数，每词元用时即每字节用时；而多数语言模型的一个词元约合四个字节。",
    ),
    "baseline.train.ngram": ("an n-gram model", "n-gram 模型"),
    "baseline.train.hmm": ("a hidden Markov model", "隐马尔可夫模型"),
    "baseline.train.lstm": ("an LSTM", "LSTM 模型"),
    "baseline.train.linear": ("a linear model of n-grams", "n-gram 线性模型"),
    "baseline.other": ("a cheap baseline", "低成本基线模型"),
    # the roof
    "roof.share": ("{share} of the roof", "本机上限的 {share}"),
    "roof.lead": (
        "The roof is the most that this machine allows: in writing, the measured memory bandwidth over the bytes of "
        "weights that each token reads; in reading a prompt, the measured float32 matrix rate over two operations for "
        "each weight and token.",
        "“本机上限”指这台机器所能达到的极限：生成时为实测内存带宽除以每个词元需读取的权重字节数；"
        "读取提示时为实测 FP32 矩阵乘吞吐除以每个权重每个词元两次运算。",
    ),
    "roof.above": (
        "More than 100% is possible: small integers are multiplied faster than float32, and what fits into the "
        "processor’s cache is read faster than memory.",
        "超过 100% 是可能的：小整数的乘法快于 FP32，而能放入处理器缓存的数据读取快于内存。",
    ),
    # what changed
    "tokens.changed": (
        "At {share} of {n} places in the select documents the most likely next token is another than the original’s. "
        "This is no loss in itself; bits per byte says what it costs.",
        "在筛选文档的 {n} 处位置中，有 {share} 的最可能词元与原模型不同。这本身不算损失，其代价由每字节比特数衡量。",
    ),
    "answers.changed": (
        "{share} of the {n} prompts of the select part get another answer than from the original.",
        "在筛选部分的 {n} 条提示中，有 {share} 的答案与原模型不同。",
    ),
    "answers.counts": (
        "On the proof part {b} prompts were answered right by the original only, {c} by the winner only.",
        "在验证数据上，仅原模型答对的提示有 {b} 条，仅优胜者答对的有 {c} 条。",
    ),
    "flips.tokens": (
        "Where the winner would write something else than the original.",
        "优胜者会写出与原模型不同内容的地方。",
    ),
    "continuations.title": ("Side by side", "续写对照"),
    "continuations.lead": (
        "What both models write after the same beginnings from the proof part, always the most likely token. Samples "
        "to look at, no measure.",
        "两个模型对验证数据中相同开头的续写，每一步都取最可能的词元。仅供查看，不作为衡量依据。",
    ),
    "continuations.nothing": ("(nothing)", "（无输出）"),
    # the ladder of a language model
    "rung.brought": ("As brought", "原始文件"),
    "rung.engine": ("Same weights, best settings", "权重不变，最佳设置"),
    "rung.quantized": ("Stock quantization", "现成量化"),
    "rung.baseline": ("Cheap baseline", "低成本基线"),
    "proof.file": (
        "The original is the GGUF file as you brought it, quantized as it is; not the float weights read out of it.",
        "原模型即您提供的 GGUF 文件本身（保持其量化状态），而不是由它还原出的浮点权重。",
    ),
    # steps, in words
    "step.prune.layers": ("layers dropped (kept: {keep})", "删减层（保留：{keep}）"),
    "step.prune.width": ("attention heads and neurons cut", "裁剪注意力头与神经元"),
    "step.prune.vocabulary": (
        "vocabulary cut to the tokens of your data plus {spare} of the original",
        "词表裁剪至您数据所用的词元，另加原词表的 {spare}",
    ),
    "step.train.full": ("all weights trained on your data, passes: {epochs}", "在您的数据上训练全部权重 {epochs} 遍"),
    "step.train.lora": (
        "low-rank additions (rank {rank}) trained on your data and merged, passes: {epochs}",
        "在您的数据上训练秩为 {rank} 的低秩增量 {epochs} 遍并合并",
    ),
    "step.train.ngram": (
        "byte n-grams counted in your text, up to {order} bytes long",
        "统计您文本中的字节 n-gram，最长 {order} 字节",
    ),
    "step.train.hmm": (
        "hidden Markov model of {states} states learned from your text",
        "由您的文本学得 {states} 个状态的隐马尔可夫模型",
    ),
    "step.train.lstm": (
        "byte-level LSTM, {width} wide, trained on your text, passes: {epochs}",
        "在您的文本上训练宽 {width} 的字节级 LSTM {epochs} 遍",
    ),
    "step.train.linear": (
        "logistic regression on words, word pairs and character n-grams of your labelled rows",
        "在您的标注行上以词、词对与字符 n-gram 训练的逻辑回归",
    ),
    "step.distill.logits": (
        "trained to answer as the original does, passes: {epochs}",
        "训练其答案与原模型一致，{epochs} 遍",
    ),
    "step.distill.states": (
        "trained on the original’s inner states, passes: {epochs}",
        "以原模型的内部状态为目标训练 {epochs} 遍",
    ),
    "step.quantize.gguf": (
        "quantized: matrices {format} or finer, embedding {head} or finer, {more} more bytes where they help most",
        "量化：矩阵至少 {format}，词嵌入至少 {head}，另有 {more} 的字节用在收益最大之处",
    ),
    "step.quantize.gguf_plain": (
        "quantized tensor by tensor as llama.cpp’s own tool does: {mixture}",
        "按 llama.cpp 自带工具的做法逐张量量化：{mixture}",
    ),
    "step.quantize.int8_dynamic": (
        "8-bit integers, activations scaled while it runs",
        "INT8 量化，激活在运行时缩放",
    ),
    "step.quantize.int8_static": (
        "8-bit integers, activations scaled beforehand on your data",
        "INT8 量化，激活用您的数据预先标定",
    ),
    "step.quantize.int8_weights": ("weights in 8-bit integers", "权重量化为 INT8"),
    "step.quantize.openvino_language": (
        "exported to OpenVINO, weights in {weights}",
        "导出为 OpenVINO，权重格式为 {weights}",
    ),
    "step.export.dequantize": ("float weights read out of the GGUF file", "由 GGUF 文件还原浮点权重"),
    "step.export.gguf": ("written as a GGUF file", "写成 GGUF 文件"),
    "step.export.onnx": ("written as an ONNX file", "写成 ONNX 文件"),
    # engines, in words
    "engine.llama": ("llama.cpp", "llama.cpp"),
    "engine.eager": ("PyTorch, one operator after another", "PyTorch 逐算子执行"),
    "engine.numpy": ("NumPy, lighten’s own arithmetic", "NumPy（lighten 自带的运算）"),
    "engine.ort": ("ONNX Runtime", "ONNX Runtime"),
    "engine.ov": ("OpenVINO", "OpenVINO"),
    "engine.ov_genai": ("OpenVINO for language models", "OpenVINO 语言模型引擎"),
    # quantities: names in running text
    "quantity.bits_per_byte": ("bits per byte", "每字节比特数"),
    "quantity.token_flips": ("share of changed tokens", "词元变化率"),
    "quantity.exact_match": ("exact match", "精确匹配率"),
    "quantity.answer_flips": ("share of changed answers", "答案变化率"),
    "quantity.tpot": ("time per token", "每词元用时"),
    "quantity.ttft": ("time to first token", "首词元延迟"),
    "quantity.decode": ("decode speed", "解码速度"),
    "quantity.decode_cpu": ("CPU time of decoding", "解码 CPU 时间"),
    "quantity.decode4": ("decode speed of 4 streams", "4 路解码速度"),
    "quantity.decode16": ("decode speed of 16 streams", "16 路解码速度"),
    "quantity.decode_bytes": ("text written per second", "每秒写出的文本量"),
    "quantity.decode4_bytes": ("text written per second by 4 streams", "4 路每秒写出的文本量"),
    "quantity.decode16_bytes": ("text written per second by 16 streams", "16 路每秒写出的文本量"),
    "quantity.prefill_bytes": ("text read per second", "每秒读取的文本量"),
    "quantity.prefill": ("prefill speed", "预填充速度"),
    # units
    "unit.bits/byte": ("bits/byte", "比特/字节"),
    "unit.tok/s": ("tok/s", "词元/秒"),
    "unit.bytes/s": ("bytes/s", "字节/秒"),
    "unit.ms/byte": ("ms per byte", "毫秒/字节"),
    "unit.s/1000 tokens": ("s per 1,000 tokens", "秒/千词元"),
    "unit.s/1000 bytes": ("s per 1,000 bytes", "秒/千字节"),
}
"""Key -> (English, Chinese)."""
