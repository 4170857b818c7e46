import pytest
import torch

from instructmining.models.attention import use_packed_attention
from instructmining.models.loading import load_causal_lm, load_tokenizer
from instructmining.models.prompts import encode
from instructmining.training.trainer import Rows, pack
from tiny import tiny_gpt_neox_lm, tiny_llama
from training import EXAMPLES


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = str(tiny_llama(tmp_path_factory.mktemp("llama")))
    return encode(EXAMPLES, load_tokenizer(folder), "alpaca", 128)


@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt_neox_lm])
def test_packed_examples_have_the_loss_they_have_alone(tmp_path, make):
    folder = str(make(tmp_path))
    network, plain = load_causal_lm(folder), load_causal_lm(folder)
    assert use_packed_attention(network)
    rows = encode(EXAMPLES, load_tokenizer(folder), "alpaca", 128)
    batch = pack(rows)
    labels = batch.pop("labels")
    del batch["shift_labels"]
    with torch.no_grad():
        together = torch.nn.functional.cross_entropy(
            network(**batch, use_cache=False).logits[0], labels, reduction="none"
        )
        at = 0
        for row in rows:
            logits = plain(torch.tensor([row.ids]), use_cache=False).logits[0]
            targets = torch.tensor(row.ids[row.start :])
            alone = torch.nn.functional.cross_entropy(logits[row.start - 1 : -1], targets, reduction="none")
            torch.testing.assert_close(together[at : at + len(targets)], alone, atol=1e-4, rtol=1e-4)
            at += len(targets)
    assert at == len(labels)


def test_an_epoch_has_every_row_once_in_an_order_of_its_own(rows):
    data = Rows(rows, seed=3, multiple=1)
    orders = []
    for epoch in (0, 1, 0):
        data.set_epoch(epoch)
        orders.append([data[place] for place in range(len(data))])
    assert orders[0] == orders[2] != orders[1]
    assert sorted(map(repr, orders[0])) == sorted(map(repr, orders[1])) == sorted(map(repr, rows))


def test_rows_of_nothing_come_last_and_leave_the_order_of_the_others(rows):
    alone, shared = Rows(rows[:9], seed=0, multiple=1), Rows(rows[:9], seed=0, multiple=4)
    assert (len(alone), len(shared)) == (9, 12)
    assert [shared[place] for place in range(9)] == [alone[place] for place in range(9)]
    assert not len(pack([shared[place] for place in range(9, 12)])["labels"])
