"""What the golden generators share: safetensors files, layouts, random numbers."""
import json
import struct

import numpy as np
import torch


# Our own few lines, because the safetensors library writes metadata in a random order.
def save(path, tensors, metadata):
    tensors = {name: np.ascontiguousarray(t) if np.ndim(t) else np.asarray(t)
               for name, t in tensors.items()}
    names = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    header, offset = {"__metadata__": dict(sorted(metadata.items()))}, 0
    for name in names:
        t = tensors[name]
        if t.dtype not in (np.float64, np.float32) or not np.isfinite(t).all():
            raise ValueError(f"{name}: {t.dtype}, or not finite")
        header[name] = {"dtype": f"F{8 * t.dtype.itemsize}", "shape": list(t.shape),
                        "data_offsets": [offset, offset + t.nbytes]}
        offset += t.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text +
                     b"".join(tensors[name].tobytes() for name in names))


def load(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__")
    return {name: np.frombuffer(data[8 + size:][slice(*t["data_offsets"])],
                                {"F64": "<f8", "F32": "<f4"}[t["dtype"]]).reshape(t["shape"])
            for name, t in header.items()}


def nchw(t):  # (N, H, W, C) -> (N, C, H, W); a batch of vectors stays
    return t.permute(0, 3, 1, 2) if t.dim() == 4 else t


def nhwc(t):  # (N, C, H, W) -> (N, H, W, C), and (K, C, R, S) -> (K, R, S, C)
    return t.permute(0, 2, 3, 1) if t.dim() == 4 else t


def numpy(t):
    return t.detach().numpy().copy()


class Random:
    """Legacy numpy streams: their bits are promised never to change."""

    def __init__(self, seed):
        self.state = np.random.RandomState(seed)

    def normal(self, *shape, mean=0.0, std=1.0):
        return torch.from_numpy(mean + std * self.state.standard_normal(shape))

    def uniform(self, *shape, low=-1.0, high=1.0):
        return torch.from_numpy(self.state.uniform(low, high, shape))
