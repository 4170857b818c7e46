"""Keys of the sections recipes and embeddings. Keys that one launcher needs stand in its module, as `SPEC`."""

from instructmining.settings import (
    BATCH_TOKENS,
    DEVICE,
    GPUS,
    MAX_LENGTH,
    MAX_PROMPT_LENGTH,
    MODEL,
    NOTHING,
    PRECISION,
    REVISION,
    TEMPLATE,
    Fields,
    Setting,
    anything,
    flag,
    mapping,
    number,
    one_of,
    whole,
)
from instructmining.settings.discovery import specs

_LAUNCHERS = specs("training/launchers")
LAUNCHERS = list(_LAUNCHERS)


def launcher_settings() -> dict[str, Setting]:
    """Keys of a recipe that one launcher alone has."""
    return {
        key: setting.but(only_with={"launcher": launcher})
        for launcher, spec in _LAUNCHERS.items()
        for key, setting in spec.settings.items()
    }


LORA = Fields(
    {
        "r": whole(8, "rank", minimum=1),
        "alpha": number(16, "scale", above=0),
        "dropout": number(0.0, "dropout in the adapters", minimum=0, below=1),
        "target_modules": anything(
            {
                "type": ["array", "null"],
                "minItems": 1,
                "uniqueItems": True,
                "items": {"type": "string", "minLength": 1},
            },
            "list of text",
            None,
            "layers that get adapters; peft's choice for the architecture when absent",
        ),
    },
    again="the recipe's runs",
)


RECIPES = Fields(
    {
        "model": MODEL,
        "revision": REVISION,
        "template": TEMPLATE,
        "epochs": whole(3, "passes over the subset", minimum=1),
        "batch_size": whole(
            128,
            "examples an optimiser step, over all GPUs; a multiple of `gpus` · `nodes` · `micro_batch_size`",
            minimum=1,
        ),
        "micro_batch_size": whole(8, "examples a forward pass on one GPU; gradients are accumulated", minimum=1),
        "learning_rate": number(2e-05, "peak learning rate of AdamW", above=0),
        "scheduler": one_of(["cosine", "linear", "constant"], "cosine", "course of the learning rate"),
        "warmup_ratio": number(0.0, "share of the steps that warm up", minimum=0, below=1),
        "weight_decay": number(0.0, "AdamW's weight decay", minimum=0),
        "max_grad_norm": number(
            1.0, "gradients are clipped to this norm, 0 does not clip; the paper is silent: ours", minimum=0
        ),
        "max_length": MAX_LENGTH.but(meaning="tokens of prompt and response together; the rest is cut off and counted"),
        "max_prompt_length": MAX_PROMPT_LENGTH,
        "method": one_of(["full", "lora"], "full", "all weights, or LoRA adapters"),
        "lora": mapping(LORA, {}, "see below", only_with={"method": "lora"}),
        "precision": PRECISION.but(meaning="number format; bfloat16 is slower than float32 on most CPUs"),
        "device": DEVICE,
        "activation_checkpointing": flag(
            False, "recompute activations in the backward pass: less memory, about a third slower"
        ),
        "seed": whole(0, "order of the examples, dropout", minimum=0),
        "launcher": one_of(
            LAUNCHERS,
            "single",
            "what starts the processes; DeepSpeed is installed apart, see below",
        ),
        "gpus": whole(1, "processes a node, one a GPU", minimum=1),
        "nodes": whole(
            1, "machines; several need a Slurm job, in which `srun` starts `launcher`'s processes", minimum=1
        ),
        **launcher_settings(),
        "runs_per_job": whole(
            1,
            "mixtures that one job trains in turn: they share imports, base weights and processes; every run keeps its "
            "own results, and finished runs outlive a job that dies. A larger `count` also trains the mixtures of the "
            "last job again, if that job was not full",
            minimum=1,
            again="its mixtures, so settle it before you train",
            never_a_param=True,
        ),
        "checkpoint_minutes": number(
            10, "an interrupted run goes on from a checkpoint that is at most this old", above=0, again=NOTHING
        ),
        "threads": whole(1, "CPU threads of the job", minimum=1, again=NOTHING),
    },
    again="its runs",
)


EMBEDDINGS = Fields(
    {
        "model": MODEL,
        "revision": REVISION,
        "text": one_of(["prompt", "example"], "example", "the prompt in its template, or prompt and response"),
        "pooling": one_of(["last_token", "mean"], "last_token", "the state at the last token, or the mean over all"),
        "template": TEMPLATE,
        "max_length": MAX_LENGTH.but(meaning="tokens that are read; cuts are counted"),
        "max_prompt_length": MAX_PROMPT_LENGTH,
        "batch_tokens": BATCH_TOKENS,
        "device": DEVICE,
        "gpus": GPUS,
        "precision": PRECISION,
    },
    again="the entry",
)
