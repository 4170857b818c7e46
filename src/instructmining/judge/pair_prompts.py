"""Prompts of a judge that compares two responses. Nothing here needs torch: the config checks their names.

``mt_bench_pair``: MT-Bench's for one turn, with the request it is asked in (Zheng et al. 2023, arXiv 2306.05685;
lm-sys/FastChat, ``llm_judge/data/judge_prompts.jsonl``, pair-v2, and ``common.py``); an explanation, then [[A]], [[B]]
or [[C]]. ``alpaca_eval``: AlpacaEval 2's (Dubois et al. 2024, arXiv 2404.04475; tatsu-lab/alpaca_eval,
``weighted_alpaca_eval_gpt4_turbo``); one token, and the preference is from the log-probabilities of both it may be.
"""

from typing import Any, NamedTuple


class PairPrompt(NamedTuple):
    """Messages as (role, text with {instruction}, {output_1} and {output_2}), and what is sent beside them.

    ``choices``: the tokens that name the first and the second response where their log-probabilities are the verdict;
    none where the answer is to be read. ``version`` is part of the key of every recorded answer.
    """

    version: str
    messages: tuple[tuple[str, str], ...]
    request: dict[str, Any]
    choices: tuple[str, ...] = ()


VERDICTS = ("[[A]]", "[[B]]", "[[C]]")
EXPLAINED = {"temperature": 0.0, "max_tokens": 2048}

PAIR_PROMPTS = {
    "mt_bench_pair": PairPrompt(
        "mt_bench_pair/1",
        (
            (
                "system",
                "Please act as an impartial judge and evaluate the quality of the responses provided by two AI "
                "assistants to the user question displayed below. You should choose the assistant that follows the "
                "user's instructions and answers the user's question better. Your evaluation should consider factors "
                "such as the helpfulness, relevance, accuracy, depth, creativity, and level of detail of their "
                "responses. Begin your evaluation by comparing the two responses and provide a short explanation. "
                "Avoid any positional biases and ensure that the order in which the responses were presented does not "
                "influence your decision. Do not allow the length of the responses to influence your evaluation. Do "
                "not favor certain names of the assistants. Be as objective as possible. After providing your "
                'explanation, output your final verdict by strictly following this format: "[[A]]" if assistant A is '
                'better, "[[B]]" if assistant B is better, and "[[C]]" for a tie.',
            ),
            (
                "user",
                "[User Question]\n{instruction}\n\n[The Start of Assistant A's Answer]\n{output_1}\n"
                "[The End of Assistant A's Answer]\n\n[The Start of Assistant B's Answer]\n{output_2}\n"
                "[The End of Assistant B's Answer]",
            ),
        ),
        EXPLAINED,
    ),
    "alpaca_eval": PairPrompt(
        "alpaca_eval/1",
        (
            (
                "system",
                "You are a highly efficient assistant, who evaluates and selects the best large language model (LLMs) "
                "based on the quality of their responses to a given instruction. This process will be used to create a "
                "leaderboard reflecting the most accurate and human-preferred answers.",
            ),
            (
                "user",
                "I require a leaderboard for various large language models. I'll provide you with prompts given to "
                "these models and their corresponding outputs. Your task is to assess these responses, and select the "
                "model that produces the best output from a human perspective.\n\n"
                '## Instruction\n\n{\n    "instruction": """{instruction}""",\n}\n\n'
                "## Model Outputs\n\nHere are the unordered outputs from the models. Each output is associated with a "
                "specific model, identified by a unique model identifier.\n\n"
                '{\n    {\n        "model_identifier": "m",\n        "output": """{output_1}"""\n    },\n'
                '    {\n        "model_identifier": "M",\n        "output": """{output_2}"""\n    }\n}\n\n'
                "## Task\n\nEvaluate the models based on the quality and relevance of their outputs, and select the "
                "model that generated the best output. Answer by providing the model identifier of the best model. We "
                "will use your output as the name of the best model, so make sure your output only contains one of the "
                "following model identifiers and nothing else (no quotes, no spaces, no new lines, ...): m or M.\n\n"
                "## Best Model Identifier",
            ),
        ),
        {"temperature": 1.0, "max_tokens": 1, "logprobs": True, "top_logprobs": 5},
        ("m", "M"),
    ),
}
