"""Our UniEval scores against those that its authors published for 360 responses of Topical-Chat.

    PYTHONPATH=src python benchmarks/unieval_published.py CHECKPOINT unieval_topical_chat_360.json

CHECKPOINT: a folder with MingZhong/unieval-dialog, its weights as safetensors. Engagingness only with --engagingness:
it is added up over the sentences that NLTK finds, whose data must be installed.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from data import ALPACA
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import read_json
from instructmining.models.batching import Budget
from instructmining.scorers import unieval

DIMENSIONS = ("naturalness", "coherence", "understandability", "groundedness")
MAX_LENGTH = 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("predictions", type=Path, nargs="?", default=ALPACA.with_name("unieval_topical_chat_360.json"))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--rows", type=int, help="the first ones only")
    parser.add_argument("--engagingness", action="store_true", help="needs NLTK's punkt_tab data")
    options = parser.parse_args()
    if not (options.checkpoint / "config.json").is_file():
        sys.exit(f"{options.checkpoint}: no UniEval checkpoint: expected a folder with config.json and safetensors")
    try:
        compare(options)
    except InputError as error:
        sys.exit(f"error: {error}")


def compare(options: argparse.Namespace) -> None:
    settings = {"model_path": str(options.checkpoint), "revision": "main", "precision": "float32"}
    tokenizer, model = unieval.load_model({**settings, "device": options.device})
    judge = unieval.judge(tokenizer, model)
    turns = read_json(options.predictions)[: options.rows]
    dimensions = [*DIMENSIONS, *(["engagingness"] if options.engagingness else [])]
    print("| dimension | rows | largest difference | mean difference | correlation |\n|---|---|---|---|---|")
    for dimension in dimensions:
        asked = [unieval.questions(dimension, t["system_output"], t["source"], t["context"]) for t in turns]
        texts = [text for some in asked for text in some]
        answers = iter(judge(unieval.question_ids(tokenizer, texts, MAX_LENGTH)[0], Budget(4096)))
        ours = np.array([sum(next(answers) for _ in some) for some in asked], dtype=float)
        theirs = np.array([turn["predict_scores"][dimension] for turn in turns])
        apart = np.abs(ours - theirs)
        correlation = np.corrcoef(ours, theirs)[0, 1]
        print(
            f"| {dimension} | {len(turns)} | {apart.max():.1e} | {apart.mean():.1e} | {correlation:.6f} |", flush=True
        )


if __name__ == "__main__":
    main()
