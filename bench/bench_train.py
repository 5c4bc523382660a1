"""Training steps of hot-train v the same network, loss, optimizer and batch in Python PyTorch, eager and channels-last.

Every variant is a process of its own; they take turns, a few steps each, and medians of the rounds are compared. The
first losses of all have to agree. Last line: JSON. Run it as: scripts/bench train [rounds [width side batch threads]]
"""
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NETWORKS = ((0.35, 160), (1.0, 224), (1.0, 320))  # width, input side
SETTINGS = [(width, side, 16, threads) for threads in (1, 2) for width, side in NETWORKS]
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

    def layer(node, channels_in):
        top, left, bottom, right = node["pads"]
        if node["op"] == "conv":
            even = top == bottom and left == right
            conv = nn.Conv2d(channels_in, node["channels"], node["kernel"], node["stride"], (top, left) if even else 0,
                             groups=node["groups"], bias=node["bias"])
            return conv if even else nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), conv)
        if node["op"] == "batch_norm":
            return nn.BatchNorm2d(node["channels"], eps=node["eps"])
        return {"relu": nn.ReLU, "relu6": nn.ReLU6}[node["op"]](inplace=True)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            nodes = description["nodes"]
            self.plan, self.layers = [], nn.ModuleList()
            for i, node in enumerate(nodes):
                if node["op"] in ("input", "add"):
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
                else:
                    values[i] = made(values[inputs[0]])
                for value in inputs:
                    if self.last[value] == i and value not in self.outputs:
                        del values[value]
            return [values[i] for i in self.outputs]

    return Network()


class SsdLoss:
    """Matching as torchvision's SSDMatcher does it, loss as in torchvision's SSD, both on whole batches of anchors."""

    def __init__(self, anchors, side):
        import torch
        self.side = side
        self.anchors = torch.tensor(anchors)
        half = self.anchors[:, 2:] / 2
        self.corners = torch.cat([self.anchors[:, :2] - half, self.anchors[:, :2] + half], 1)

    def match(self, objects):
        import torch
        boxes = torch.tensor([box for _, *box in objects]) / self.side
        labels = torch.tensor([label + 1 for label, *_ in objects])
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

    def __call__(self, outputs, names, batch):
        import torch
        from torch.nn import functional as F

        def rows(kind, values):
            maps = [map for map, name in zip(outputs, names) if name.startswith(f"head.{kind}")]
            return torch.cat([map.permute(0, 2, 3, 1).reshape(len(map), -1, values) for map in maps], 1)

        targets = [self.match(objects) for objects in batch]
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
    loss_of = SsdLoss(description["anchors"], batch["shape"][2])
    optimizer = torch.optim.Adam(network.parameters(), lr=description["lr"], fused=True)
    print("ready", flush=True)
    for line in sys.stdin:
        first = None
        start = time.perf_counter()
        for _ in range(int(line)):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(network(images.to(memory_format=layout)), network.names, batch["objects"])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), description["clip_norm"])
            optimizer.step()
            value = loss.item()
            first = value if first is None else first
        print(f"{time.perf_counter() - start:.9f} {first:.9g}", flush=True)


# --- the comparison -------------------------------------------------------------------------------------------------

class Variant:
    def __init__(self, name, command):
        self.name, self.seconds = name, []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit(f"bench: {name} did not start")

    def run(self, steps):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        seconds, loss = self.process.stdout.readline().split()
        self.seconds.append(float(seconds) / steps)
        return float(loss)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(program, rounds, width, side, batch, threads):
    with tempfile.TemporaryDirectory() as folder:
        variants = [Variant("hot", [program, folder, str(width), str(side), str(batch), str(threads)])]
        variants += [Variant(name, [sys.executable, __file__, "--peer", folder, name, str(threads)]) for name in PEERS]
        losses = [variant.run(1) for variant in variants]
        if max(losses) - min(losses) > 1e-3 * max(losses):
            raise SystemExit(f"bench: not the same training: first losses {losses}")
        for variant in variants:
            variant.run(2)  # the first steps choose kernels and fill caches
            variant.seconds.clear()
        for i in range(rounds):
            for variant in variants[i % 3:] + variants[:i % 3]:
                variant.run(STEPS)
        for variant in variants:
            variant.close()
    rate = {variant.name: batch / statistics.median(variant.seconds) for variant in variants}
    best_peer = max(rate[name] for name in PEERS)
    print(f"{width:5} {side:5} {batch:5} {threads:7}   {rate['hot']:8.1f} {rate['eager']:8.1f} "
          f"{rate['channels_last']:13.1f}   {rate['hot'] / best_peer:5.2f}", flush=True)
    return {"width": width, "side": side, "batch": batch, "threads": threads, "ours": round(rate["hot"], 1),
            **{name: round(rate[name], 1) for name in PEERS}, "ratio": round(rate["hot"] / best_peer, 3)}


def main(program, rounds="9", *setting):
    settings = [(float(setting[0]), *map(int, setting[1:]))] if setting else SETTINGS
    print("width  side batch threads   pictures/s: hot    eager channels_last   hot/best")
    rows = [compare(program, int(rounds), *each) for each in settings]
    worst = min(rows, key=lambda row: row["ratio"])
    print(json.dumps({"bench": "train", "unit": "pictures/s", "ours": worst["ours"],
                      "peer": max(worst[name] for name in PEERS), "ratio": worst["ratio"], "rows": rows}))


if __name__ == "__main__":
    if sys.argv[1] == "--peer":
        peer(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        main(*sys.argv[1:])
