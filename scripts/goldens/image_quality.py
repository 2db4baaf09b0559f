"""tests/goldens/image_quality.safetensors: PSNR and SSIM by their formulas in numpy.

Names and shapes are in make_goldens.py. Written for clarity: a window of two dimensions, put at one
place after the other.
"""
import numpy as np

SIZE, DEVIATION, C1, C2 = 11, 1.5, 0.01 ** 2, 0.03 ** 2


def psnr(x, y):
    """Of images in [-1, 1]."""
    return 10 * np.log10(2 ** 2 / ((x - y) ** 2).mean())


def ssim(x, y):
    """The mean over channels and places of images (H, W, C) in [-1, 1]."""
    x, y = (x + 1) / 2, (y + 1) / 2
    d = np.arange(SIZE) - SIZE // 2
    window = np.exp(-(d[:, None] ** 2 + d[None, :] ** 2) / (2 * DEVIATION ** 2))
    window /= window.sum()
    values = []
    for c in range(x.shape[2]):
        for i in range(x.shape[0] - SIZE + 1):
            for j in range(x.shape[1] - SIZE + 1):
                a = x[i:i + SIZE, j:j + SIZE, c]
                b = y[i:i + SIZE, j:j + SIZE, c]
                ma, mb = (window * a).sum(), (window * b).sum()
                va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
                cov = (window * (a - ma) * (b - mb)).sum()
                values.append((2 * ma * mb + C1) * (2 * cov + C2)
                              / ((ma ** 2 + mb ** 2 + C1) * (va + vb + C2)))
    return np.mean(values)


def make():
    random = np.random.RandomState(500)  # its bits are promised never to change
    truth = random.uniform(-1, 1, (4, 14, 17, 3))
    for axis in (1, 2):  # smoother than noise, as images are
        truth = (truth + np.roll(truth, 1, axis) + np.roll(truth, 2, axis)) / 3
    truth = truth / np.abs(truth).max()
    images = truth.copy()
    images[0] += 0.1 * random.standard_normal(truth.shape[1:])
    images[1] = 0.5 * truth[1]
    images[2] = truth[2] + 0.2
    images[3] = random.uniform(-1, 1, truth.shape[1:])
    # In f32, and so exact on both sides.
    images, truth = np.clip(images, -1, 1).astype(np.float32), truth.astype(np.float32)
    x, y = images.astype(np.float64), truth.astype(np.float64)
    out = {"images": images, "truth": truth,
           "psnr": np.array([psnr(a, b) for a, b in zip(x, y)]),
           "ssim": np.array([ssim(a, b) for a, b in zip(x, y)])}
    return out, {"about": "names and shapes: scripts/make_goldens.py"}
