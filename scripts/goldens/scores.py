"""tests/goldens/scores.safetensors: the scores of models/scores.h, by their formulas in numpy.

Names and shapes are in make_goldens.py. Written for clarity: whole matrices of distances, roots by
eigenvalues of the product in the order of the formula.
"""
import numpy as np


def root(matrix):  # of a symmetric matrix without negative eigenvalues
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def frechet(a, b):
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)); the trace of the root of S1 S2 is that of the
    root of S1^(1/2) S2 S1^(1/2), which is symmetric."""
    s1, s2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    half = root(s1)
    mixed = np.sqrt(np.maximum(np.linalg.eigvalsh(half @ s2 @ half), 0)).sum()
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * mixed


def frechet_by_size(a, b):
    def parts(n):
        return np.mean([frechet(a[i * (len(a) // n):(i + 1) * (len(a) // n)],
                                b[i * (len(b) // n):(i + 1) * (len(b) // n)]) for i in range(n)])
    values = np.array([parts(4), parts(2), parts(1)])
    inverse = 1 / np.array([len(a) // 4, len(a) // 2, len(a)])
    slope, at_infinity = np.polyfit(inverse, values, 1)
    return values, at_infinity


def kernel_distance(a, b, block):
    """The unbiased squared MMD of each block of `block` rows: their mean and its standard error."""
    def k(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    values = []
    for i in range(min(len(a), len(b)) // block):
        x, y = a[i * block:(i + 1) * block], b[i * block:(i + 1) * block]
        xx, yy = k(x, x), k(y, y)
        pairs = block * (block - 1)
        values.append((xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)) / pairs
                      - 2 * k(x, y).mean())
    return np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))


def distances(a, b):
    return np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(-1))


def radii(x, k):  # to the k-th nearest other
    return np.sort(distances(x, x), axis=1)[:, k]


def manifold(fake, real, k):
    """Precision, recall, density, coverage."""
    between = distances(real, fake)
    in_real = between <= radii(real, k)[:, None]   # fake j is in the ball of real i
    in_fake = between <= radii(fake, k)[None, :]   # real i is in the ball of fake j
    return np.array([in_real.any(0).mean(), in_fake.any(1).mean(),
                     in_real.sum() / (k * len(fake)), in_real.any(1).mean()])


def on_a_line(u, v):
    """The Wasserstein-1 distance of samples on a line: the area between their distribution
    functions, |F_u - F_v| between one value of either and the next."""
    all = np.sort(np.concatenate([u, v]))
    f_u = np.searchsorted(np.sort(u), all[:-1], side="right") / len(u)
    f_v = np.searchsorted(np.sort(v), all[:-1], side="right") / len(v)
    return (np.abs(f_u - f_v) * np.diff(all)).sum()


def sliced_wasserstein(a, b, directions):
    return np.mean([on_a_line(a @ d, b @ d) for d in directions])


def make():
    random = np.random.RandomState(300)  # its bits are promised never to change
    D = 12
    mix_real, mix_fake = random.standard_normal((2, D, D)) / np.sqrt(D)
    real = random.standard_normal((150, D)) @ mix_real + 0.5
    fake = random.standard_normal((121, D)) @ (mix_real + 0.3 * mix_fake) + 0.6
    fake[100:] = fake[:21] + 0.01 * random.standard_normal((21, D))  # some crowding
    few = random.standard_normal((7, D))  # covariance without full rank
    directions = random.standard_normal((24, D))
    directions /= np.sqrt((directions ** 2).sum(1, keepdims=True))
    # Multiples of 2^-12 are exact in f32, and do not depend on how a library sums a product.
    real, fake = np.round(real * 4096) / 4096, np.round(fake * 4096) / 4096
    out = {"real": real.astype(np.float32), "fake": fake.astype(np.float32), "few": few,
           "directions": directions}
    sizes, at_infinity = frechet_by_size(fake, real)
    value, error = kernel_distance(fake, real, 40)
    out.update({"frechet": frechet(fake, real), "frechet_few": frechet(few, real),
                "frechet_sizes": sizes, "frechet_at_infinity": at_infinity,
                "kernel": value, "kernel_error": error,
                "sliced": sliced_wasserstein(fake, real, directions),
                "sliced_equal": sliced_wasserstein(fake, real[:len(fake)], directions),
                "manifold_3": manifold(fake, real, 3), "manifold_5": manifold(fake, real, 5)})
    return ({name: np.asarray(value) for name, value in out.items()},
            {"about": "names and shapes: scripts/make_goldens.py"})
