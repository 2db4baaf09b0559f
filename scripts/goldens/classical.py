"""tests/goldens/classical.safetensors: Eigenfaces, 2D-PCA and LBP by their formulas in numpy.

Names and shapes are in make_goldens.py. Written for clarity: axes from the singular values of the
centred images, patterns one pixel after the other.
"""
import itertools

import numpy as np

TRAINING, SIZE = 12, 18


def grey(images):  # (N, H, W, 3)
    return images @ np.array([0.299, 0.587, 0.114])


def equalized(images):
    rows = images.reshape(len(images), -1)
    rows = rows - rows.mean(1, keepdims=True)
    deviation = rows.std(1, keepdims=True)
    return np.where(deviation > 1e-9, rows / np.maximum(deviation, 1e-9), 0).reshape(images.shape)


def positive(axes):  # the largest element of each row
    return axes * np.sign(np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1))


def cosines(rows):
    lengths = np.sqrt((rows ** 2).sum(1))
    return rows @ rows.T / lengths[:, None] / lengths[None, :]


def eigenfaces(images, components, skip, whiten):
    """Coordinates of all images, variances, and the share of all variance."""
    rows = images.reshape(len(images), -1)
    mean = rows[:TRAINING].mean(0)
    _, values, axes = np.linalg.svd(rows[:TRAINING] - mean, full_matrices=False)
    variances = values ** 2 / (TRAINING - 1)
    chosen = slice(skip, skip + components)
    coordinates = (rows - mean) @ positive(axes)[chosen].T
    if whiten:
        coordinates /= np.sqrt(variances[chosen])
    return coordinates, variances[chosen], variances[chosen].sum() / variances.sum()


def two_d_pca(images, components):
    """The projection, all features (N, size, components), and distances by the columns of those."""
    centred = images[:TRAINING] - images[:TRAINING].mean(0)
    covariance = np.mean([a.T @ a for a in centred], axis=0)
    axes = positive(np.linalg.eigh(covariance)[1].T[::-1][:components])
    features = images @ axes.T
    distances = np.array([[sum(np.linalg.norm(a[:, k] - b[:, k]) for k in range(components))
                           for b in features] for a in features])
    return axes.T, features, distances


def uniform_codes():
    def changes(bits):
        return sum(bits[p] != bits[p - 1] for p in range(8))
    codes = []
    for bits in itertools.product((0, 1), repeat=8):  # bits[0] is that of neighbour 0
        if changes(bits) <= 2:
            codes.append(sum(bit << p for p, bit in enumerate(bits)))
    return sorted(codes)


def lbp(image, radius, grid):
    """(grid * grid * 59): shares of the pixels of each cell."""
    codes = uniform_codes()
    side = SIZE - 2 * radius
    counts = np.zeros((grid, grid, 59))
    for y, x in itertools.product(range(side), repeat=2):
        code, centre = 0, image[radius + y, radius + x]
        for p in range(8):
            across = radius + x + radius * np.cos(2 * np.pi * p / 8)
            down = radius + y - radius * np.sin(2 * np.pi * p / 8)
            value = sum(image[i, j] * (1 - abs(down - i)) * (1 - abs(across - j))
                        for i in range(SIZE) for j in range(SIZE)
                        if abs(down - i) < 1 and abs(across - j) < 1)
            difference = value - centre
            # Equal, or apart by more than what f32 rounds.
            if 1e-9 < abs(difference) < 1e-6:
                raise ValueError("take another seed: a neighbour is almost equal to its pixel")
            code |= (difference > -1e-9) << p
        # The cell whose pixels begin at or before this one.
        row = max(c for c in range(grid) if c * side // grid <= y)
        column = max(c for c in range(grid) if c * side // grid <= x)
        counts[row, column, codes.index(code) if code in codes else 58] += 1
    return (counts / counts.sum(2, keepdims=True)).reshape(-1)


def chi_square(rows):
    def distance(a, b):
        return sum((x - y) ** 2 / (x + y) for x, y in zip(a, b) if x + y > 0)
    return np.array([[distance(a, b) for b in rows] for a in rows])


def make():
    random = np.random.RandomState(900)  # its bits are promised never to change
    images = random.uniform(-1, 1, (20, SIZE, SIZE, 3))
    for axis in (1, 2, 1, 2):  # smoother than noise, as images are
        images = (images + np.roll(images, 1, axis) + np.roll(images, 2, axis)) / 3
    images += 0.2 * images.mean(3, keepdims=True)  # grey varies more than colours do
    images = np.clip(images / np.abs(images).max(), -1, 1)
    images[17] = 0.5 * images[2] - 0.2  # another light
    images[18] = images[3]
    images[19] = [0.25, -0.5, 0.125]  # of one colour
    images = images.astype(np.float32)
    plain = grey(images.astype(np.float64))
    level = equalized(plain)
    out = {"images": images}
    for name, faces, components, skip, whiten in (("whitened", level, 6, 0, True),
                                                  ("skipped", level, 5, 2, False),
                                                  ("unequalized", plain, 4, 0, True)):
        rows, variances, explained = eigenfaces(faces, components, skip, whiten)
        out.update({f"{name}.rows": rows, f"{name}.variances": variances,
                    f"{name}.explained": explained, f"{name}.similarity": cosines(rows)})
    projection, features, distances = two_d_pca(level, 4)
    out.update({"two_d.projection": projection,
                "two_d.rows": features.transpose(0, 2, 1).reshape(20, -1),
                "two_d.similarity": -distances})
    for name, radius, grid in (("lbp_2", 2, 3), ("lbp_1", 1, 4)):
        rows = np.array([lbp(image, radius, grid) for image in plain])
        out.update({f"{name}.rows": rows.astype(np.float32),
                    f"{name}.similarity": -chi_square(rows)})
    return ({name: np.asarray(value) for name, value in out.items()},
            {"about": "names and shapes: scripts/make_goldens.py"})
