"""Writes the state files of tensor_file_test.cpp. Any PyTorch from 1.6 on will do."""
import collections

import torch


def numbers(*shape):
    count = 1
    for side in shape:
        count *= side
    return torch.arange(count, dtype=torch.float32).reshape(shape) / 8 - 1


state = collections.OrderedDict()
state["a.weight"] = numbers(2, 3, 1, 2)
state["a.channels_last"] = numbers(2, 3, 2, 2).to(memory_format=torch.channels_last)
state["view"] = numbers(4, 5)[1:3, 2:4]
state["half"] = numbers(3).half()
state["brain"] = numbers(3).bfloat16()
state["double"] = numbers(3).double()
state["count"] = torch.tensor(-7)
state["flag"] = torch.tensor([True, False])
state["empty"] = torch.zeros(0, 3)
torch.save(state, "state.pt")
torch.save(state, "state_old.pt", _use_new_zipfile_serialization=False)

module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2))
with torch.no_grad():
    for value in module.state_dict().values():
        value.copy_(numbers(*value.shape))
torch.save({"epoch": 3, "state_dict": module.state_dict(), "optimizer": {"lr": [0.1], "name": "sgd"},
            "best": torch.tensor(0.5).item(), "parameter": module[0].weight, "note": b"x"}, "checkpoint.pt", pickle_protocol=4)
torch.save(module, "module.pt")
torch.jit.save(torch.jit.script(module), "script.pt")
