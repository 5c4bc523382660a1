"""Times torchvision's v2 transforms with its DataLoader on the pictures of a job and prints {"pictures_per_second"}.

Usage: loader_peer.py JOB.json tensor|pil|late
  tensor  the order of torchvision's own SSD recipe on uint8 tensors (decoded by torchvision.io)
  pil     the same on PIL pictures
  late    as tensor, but colours are changed after the picture was resized, as ours does
The job: {"pictures": [{"path", "boxes": [[x0, y0, x1, y1]], "labels"}], "height", "width", "batch", "workers", "epochs"}.
One epoch warms up (and starts the workers), "epochs" are timed.
"""
import json
import sys
import time

import torch
from PIL import Image
from torchvision import io, tv_tensors
from torchvision.transforms import v2


class Colours(v2.RandomPhotometricDistort):
    """SSD's colour distortion as ours: without swapped channels."""

    def make_params(self, flat_inputs):
        return {**super().make_params(flat_inputs), "channel_permutation": None}


def transforms(job, variant):
    colours = Colours(brightness=(1 - 32 / 255, 1 + 32 / 255))
    shape = [v2.RandomZoomOut(fill=128, side_range=(1.0, 4.0), p=0.5), v2.RandomIoUCrop(),
             v2.RandomHorizontalFlip(p=0.5), v2.Resize((job["height"], job["width"]), antialias=True)]
    steps = shape + [colours] if variant == "late" else [colours] + shape
    if variant == "pil":
        steps.append(v2.ToImage())
    return v2.Compose(steps + [v2.SanitizeBoundingBoxes(), v2.ToDtype(torch.float32, scale=True),
                               v2.Normalize(mean=[0.5] * 3, std=[0.5] * 3)])


class Pictures(torch.utils.data.Dataset):
    def __init__(self, job, variant):
        self.pictures = job["pictures"]
        self.pil = variant == "pil"
        self.transforms = transforms(job, variant)

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        entry = self.pictures[index]
        if self.pil:
            picture = Image.open(entry["path"]).convert("RGB")
            height, width = picture.height, picture.width
        else:
            picture = tv_tensors.Image(io.decode_image(entry["path"], mode=io.ImageReadMode.RGB))
            height, width = picture.shape[-2:]
        boxes = tv_tensors.BoundingBoxes(entry["boxes"], format="XYXY", canvas_size=(height, width),
                                         dtype=torch.float32)
        return self.transforms(picture, {"boxes": boxes, "labels": torch.tensor(entry["labels"])})


def collate(examples):
    return torch.stack([picture for picture, _ in examples]), [target for _, target in examples]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    torch.manual_seed(0)
    loader = torch.utils.data.DataLoader(Pictures(job, sys.argv[2]), batch_size=job["batch"], shuffle=True,
                                         num_workers=job["workers"], persistent_workers=True, collate_fn=collate)
    expected = (3, job["height"], job["width"])
    for batch, _ in loader:
        assert batch.shape[1:] == expected and batch.dtype == torch.float32
    pictures, start = 0, time.perf_counter()
    for _ in range(job["epochs"]):
        for batch, _ in loader:
            pictures += len(batch)
    print(json.dumps({"pictures_per_second": pictures / (time.perf_counter() - start)}))


if __name__ == "__main__":
    main()
