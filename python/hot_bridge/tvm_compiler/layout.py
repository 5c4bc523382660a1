"""Where the numbers of a tensor lie: channels in blocks of one vector (NCHWc), rows and columns with a halo around them
for the convolutions that pad, so that no kernel has to ask whether it is at a border."""

from dataclasses import dataclass

BYTES = {"float32": 4, "float16": 2, "uint8": 1, "int8": 1}


@dataclass(frozen=True)
class Layout:
    channels: int
    height: int
    width: int
    block: int  # channels in a block
    dtype: str  # as stored
    pads: tuple = (0, 0, 0, 0)  # halo: top, left, bottom, right

    @property
    def is_float(self):
        return self.dtype.startswith("float")

    @property
    def blocks(self):
        return -(-self.channels // self.block)

    @property
    def row(self):
        """Elements from one row to the next."""
        return (self.width + self.pads[1] + self.pads[3]) * self.block

    @property
    def plane(self):
        return (self.height + self.pads[0] + self.pads[2]) * self.row

    @property
    def elements(self):
        return self.blocks * self.plane

    @property
    def bytes(self):
        return self.elements * BYTES[self.dtype]

    @property
    def is_flat(self):
        """Rows follow each other without a gap."""
        return self.pads[1] == self.pads[3] == 0

    def index(self, block, y, x):
        """Of a block's first channel at row y, column x; -pad and beyond are in the halo."""
        return block * self.plane + (y + self.pads[0]) * self.row + (x + self.pads[1]) * self.block
