"""Training steps of hot-train, in fp32 and bf16, v the same network, loss, optimizer and batch in Python PyTorch, eager
and channels-last.

Every variant is a process of its own; they take turns, a few steps each, and medians of the rounds are compared: of the
time on the wall and, for one thread, of the CPU time, which says more on a busy machine. The first losses of all have
to agree. Last line: JSON.
Run it as: scripts/bench train [rounds [ssd|cpn width HEIGHTxWIDTH batch threads]]
"""
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NETWORKS = (("ssd", 0.35, "160x160"), ("ssd", 1.0, "160x160"), ("cpn", 0.35, "128x128"), ("cpn", 1.0, "256x192"))
SETTINGS = [(*network, 16, threads) for threads in (1, 2) for network in NETWORKS]
STEPS = 4  # a turn
PEERS = ("eager", "channels_last")


# --- the peer: what one would write in Python -----------------------------------------------------------------------

def read_safetensors(path):
    import numpy
    import torch
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data, numpy.float32, (end - begin) // 4, 8 + length + begin)
        tensors[name] = torch.from_numpy(values.copy()).view(entry["shape"])
    return tensors


def make_network(description, weights):
    import torch
    from torch import nn

    nodes = description["nodes"]

    def layer(node, channels_in):
        top, left, bottom, right = node["pads"]
        if node["op"] == "conv":
            even = top == bottom and left == right
            conv = nn.Conv2d(channels_in, node["channels"], node["kernel"], node["stride"], (top, left) if even else 0,
                             groups=node["groups"], bias=node["bias"])
            return conv if even else nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), conv)
        if node["op"] == "batch_norm":
            return nn.BatchNorm2d(node["channels"], eps=node["eps"])
        if node["op"] == "upsample":
            return nn.Upsample(scale_factor=node["height"] // nodes[node["inputs"][0]]["height"], mode="nearest")
        return {"relu": nn.ReLU, "relu6": nn.ReLU6}[node["op"]](inplace=True)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.plan, self.layers = [], nn.ModuleList()
            for i, node in enumerate(nodes):
                if node["op"] in ("input", "add", "concat"):
                    self.plan.append((node["op"], node["inputs"], None))
                    continue
                made = layer(node, nodes[node["inputs"][0]]["channels"])
                conv = made[-1] if isinstance(made, nn.Sequential) else made
                with torch.no_grad():
                    for part, tensor in itertools.chain(conv.named_parameters(), conv.named_buffers()):
                        if part != "num_batches_tracked":
                            tensor.copy_(weights[f'{node["name"]}.{part}'])
                self.layers.append(made)
                self.plan.append((node["op"], node["inputs"], made))
            self.outputs = description["outputs"]
            self.names = [nodes[i]["name"] for i in self.outputs]
            self.last = {}
            for i, (_, inputs, _) in enumerate(self.plan):
                for value in inputs:
                    self.last[value] = i

        def forward(self, x):
            values = {}
            for i, (op, inputs, made) in enumerate(self.plan):
                if op == "input":
                    values[i] = x
                elif op == "add":
                    values[i] = values[inputs[0]] + values[inputs[1]]
                elif op == "concat":
                    values[i] = torch.cat([values[value] for value in inputs], 1)
                else:
                    values[i] = made(values[inputs[0]])
                for value in inputs:
                    if self.last[value] == i and value not in self.outputs:
                        del values[value]
            return [values[i] for i in self.outputs]

    return Network()


class SsdLoss:
    """Matching as torchvision's SSDMatcher does it, loss as in torchvision's SSD, both on whole batches of anchors."""

    def __init__(self, description, batch):
        import torch
        self.objects = batch["objects"]
        self.side = batch["shape"][2]
        self.anchors = torch.tensor(description["anchors"])
        half = self.anchors[:, 2:] / 2
        self.corners = torch.cat([self.anchors[:, :2] - half, self.anchors[:, :2] + half], 1)

    def match(self, objects):
        import torch
        boxes = torch.tensor([each["box"] for each in objects]) / self.side
        labels = torch.tensor([each["label"] + 1 for each in objects])
        low = torch.max(boxes[:, None, :2], self.corners[None, :, :2])
        high = torch.min(boxes[:, None, 2:], self.corners[None, :, 2:])
        common = (high - low).clamp(min=0).prod(2)
        area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        iou = common / (area[:, None] + self.anchors[:, 2:].prod(1)[None] - common)
        best_iou, best = iou.max(0)
        best[best_iou < 0.5] = -1
        best[iou.argmax(1)] = torch.arange(len(objects))
        matched = best.clamp(min=0)
        target = boxes[matched]
        centre, size = (target[:, :2] + target[:, 2:]) / 2, target[:, 2:] - target[:, :2]
        offsets = torch.cat([(centre - self.anchors[:, :2]) / self.anchors[:, 2:] / 0.1,
                             torch.log(size / self.anchors[:, 2:]) / 0.2], 1)
        return torch.where(best >= 0, labels[matched], 0), offsets

    def __call__(self, outputs, names):
        import torch
        from torch.nn import functional as F

        def rows(kind, values):
            maps = [map for map, name in zip(outputs, names) if name.startswith(f"head.{kind}")]
            return torch.cat([map.permute(0, 2, 3, 1).reshape(len(map), -1, values) for map in maps], 1)

        targets = [self.match(objects) for objects in self.objects]
        labels, offsets = torch.stack([t[0] for t in targets]), torch.stack([t[1] for t in targets])
        scores, boxes = rows("cls", 4), rows("box", 4)
        positive = labels > 0
        box_loss = F.smooth_l1_loss(boxes[positive], offsets[positive], reduction="sum")
        cross_entropy = F.cross_entropy(scores.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape)
        hardness = cross_entropy.detach().clone()
        hardness[positive] = -float("inf")
        rank = hardness.sort(1, descending=True)[1].sort(1)[1]
        negative = rank < 3 * positive.sum(1, keepdim=True).clamp(min=1)
        negative &= ~positive
        return (box_loss + cross_entropy[positive].sum() + cross_entropy[negative].sum()) / positive.sum().clamp(min=1)


class CpnLoss:
    """Heat maps of whole batches, squared errors as CPN's published code weighs them."""

    def __init__(self, description, batch):
        self.description = description
        self.points = [objects[0]["keypoints"] for objects in batch["objects"]]

    def heatmaps(self, x, y, height, width, sigma):
        import torch

        def profile(position, cells):
            return torch.exp(-(torch.arange(cells) + 0.5 - position[..., None]) ** 2 / (2 * sigma ** 2))
        return profile(y, height)[..., :, None] * profile(x, width)[..., None, :]

    def __call__(self, outputs, names):
        import math

        import torch
        stride, sigmas = self.description["stride"], self.description["sigmas"]
        x, y, visibility = torch.tensor(self.points).unbind(2)
        height, width = outputs[0].shape[2:]
        targets = [self.heatmaps(x / stride, y / stride, height, width, sigma) for sigma in sigmas]
        loss = 0
        for level, target in zip(outputs[1:], targets):
            loss = loss + 0.5 * (((level - target) ** 2).mean((2, 3)) * (visibility == 2)).mean()
        refine = ((outputs[0] - targets[-1]) ** 2).mean((2, 3)) * (visibility > 0)
        loss = loss + refine.topk(self.description["hard"], 1)[0].mean()
        return loss * height * width / (math.pi * sigmas[-1] ** 2)


def peer(folder, variant, threads):
    import numpy
    import torch
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    description = json.loads((folder / "network.json").read_text())
    batch = json.loads((folder / "batch.json").read_text())
    images = torch.from_numpy(numpy.fromfile(folder / "images.f32", numpy.float32)).view(batch["shape"])
    layout = torch.channels_last if variant == "channels_last" else torch.contiguous_format
    network = make_network(description, read_safetensors(folder / "weights.safetensors"))
    network = network.to(memory_format=layout).train()
    loss_of = (SsdLoss if "anchors" in description else CpnLoss)(description, batch)
    optimizer = torch.optim.Adam(network.parameters(), lr=description["lr"], fused=True)
    print("ready", flush=True)
    for line in sys.stdin:
        first = None
        start = time.perf_counter()
        for _ in range(int(line)):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(network(images.to(memory_format=layout)), network.names)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), description["clip_norm"])
            optimizer.step()
            value = loss.item()
            first = value if first is None else first
        print(f"{time.perf_counter() - start:.9f} {first:.9g}", flush=True)


# --- the comparison -------------------------------------------------------------------------------------------------

class Variant:
    def __init__(self, name, command):
        self.name, self.seconds, self.cpu_seconds = name, [], []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit(f"bench: {name} did not start")

    def cpu_time(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def run(self, steps):
        before = self.cpu_time()
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        seconds, loss = self.process.stdout.readline().split()
        self.seconds.append(float(seconds) / steps)
        self.cpu_seconds.append((self.cpu_time() - before) / steps)
        return float(loss)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(program, rounds, setting):
    task, width, shape, batch, threads = setting
    with tempfile.TemporaryDirectory() as folder:
        variants = [Variant(name, [program, folder, *map(str, setting), *more])
                    for name, more in (("hot", []), ("hot_bf16", ["bf16"]))]
        variants += [Variant(name, [sys.executable, __file__, "--peer", folder, name, str(threads)]) for name in PEERS]
        losses = [variant.run(1) for variant in variants]
        for variant, loss in zip(variants, losses):
            if abs(loss - losses[0]) > (1e-2 if variant.name == "hot_bf16" else 1e-3) * losses[0]:
                raise SystemExit(f"bench: not the same training: first losses {losses}")
        for variant in variants:
            variant.run(2)  # the first steps choose kernels and fill caches
            variant.seconds.clear()
            variant.cpu_seconds.clear()
        for i in range(rounds):
            turn = i % len(variants)
            for variant in variants[turn:] + variants[:turn]:
                variant.run(STEPS)
        for variant in variants:
            variant.close()
    rates = {"": {variant.name: batch / statistics.median(variant.seconds) for variant in variants}}
    if threads == 1:
        rates["cpu_"] = {variant.name: batch / statistics.median(variant.cpu_seconds) for variant in variants}
    row = {"task": task, "width": width, "input": shape, "batch": batch, "threads": threads}
    for clock, rate in rates.items():
        row |= {clock + name: round(value, 1) for name, value in rate.items()}
        row[clock + "ratio"] = round(rate["hot"] / max(rate[name] for name in PEERS), 3)
        row[clock + "bf16_ratio"] = round(rate["hot_bf16"] / rate["hot"], 3)
        print(f"{task:4} {width:5} {shape:>8} {batch:5} {threads:7} {'CPU' if clock else 'wall':>5}   {rate['hot']:8.1f} "
              f"{rate['eager']:8.1f} {rate['channels_last']:13.1f} {row[clock + 'ratio']:9.2f}   {rate['hot_bf16']:8.1f} "
              f"{row[clock + 'bf16_ratio']:9.2f}", flush=True)
    return row


def main(program, rounds="9", *setting):
    if setting:
        task, width, shape, batch, threads = setting
        settings = [(task, float(width), shape, int(batch), int(threads))]
    else:
        settings = SETTINGS
    print("pictures/s\ntask width    input batch threads clock        hot    eager channels_last  hot/best       "
          "bf16 bf16/fp32")
    rows = [compare(program, int(rounds), each) for each in settings]
    worst = min(rows, key=lambda row: row["ratio"])
    print(json.dumps({"bench": "train", "unit": "pictures/s", "ours": worst["hot"],
                      "peer": max(worst[name] for name in PEERS), "ratio": worst["ratio"], "rows": rows}))


if __name__ == "__main__":
    if sys.argv[1] == "--peer":
        peer(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        main(*sys.argv[1:])
