"""tests/goldens/recognition.safetensors: verification, identification and confusion in numpy.

Names and shapes are in make_goldens.py. Written for clarity: every threshold looks at every pair
anew. Similarities are multiples of 1/64, so many are equal, and exact in f32.
"""
import numpy as np


def similarities(random, rows, columns):
    """More alike where the person is one."""
    same = rows[:, None] == columns[None, :]
    values = random.standard_normal(same.shape) * 0.25 + 0.4 * same
    return np.round(values * 64) / 64


def roc(similarity, same):
    """FAR, TAR and threshold of accepting nothing, then of every score, from above."""
    scores = np.unique(similarity)[::-1]
    first = float(np.nextafter(np.float32(scores[0]), np.float32(np.inf)))
    return np.array([[(similarity[~same] >= t).sum() / (~same).sum(),
                      (similarity[same] >= t).sum() / same.sum(), t]
                     for t in np.concatenate([[first], scores])])


def auc(similarity, same):
    g, i = similarity[same][:, None], similarity[~same][None, :]
    return ((g > i).sum() + (g == i).sum() / 2) / (g.size * i.size)


def eer(points):
    """Where the line through the points meets FAR = 1 - TAR."""
    far, frr = points[:, 0], 1 - points[:, 1]
    at = np.argmax(far >= frr)
    a, b = far[at - 1] - frr[at - 1], far[at] - frr[at]
    return far[at - 1] + (far[at] - far[at - 1]) * a / (a - b)


def tar_at(points, rate):
    """TAR and the threshold."""
    return points[points[:, 0] <= rate][-1, 1:]


def best_threshold(similarity, gain):
    """The best of the cuts half way between scores, and above and below all. `gain` is what a pair
    brings where it is accepted; of equals the widest gap, then the highest."""
    scores = np.unique(similarity)
    above = float(np.nextafter(np.float32(scores[-1]), np.float32(np.inf)))
    cuts = [(above, 0.0)] + [((a + b) / 2, b - a) for a, b in zip(scores, scores[1:])]
    cuts.append((scores[0], 0.0))
    return max((gain[similarity >= t].sum(), gap, t) for t, gap in cuts)[2]


def verification(random):
    people = random.randint(0, 12, size=48)
    matrix = similarities(random, people, people)
    i, j = np.triu_indices(len(people), 1)
    similarity, same = matrix[i, j], people[i] == people[j]
    fold = np.arange(len(i)) % 10
    points = roc(similarity, same)
    balanced = np.where(same, (~same).sum(), -same.sum())
    threshold = best_threshold(similarity, balanced)
    thresholds, shares = [], []
    for f in range(10):
        out = fold == f
        t = best_threshold(similarity[~out], np.where(same[~out], 1, -1))
        thresholds.append(t)
        shares.append(((similarity[out] >= t) == same[out]).mean())
    rates = np.array([0.1, 0.01])
    assert (~same).sum() * rates[1] >= 10 and (~same).sum() * 1e-3 < 10
    return {"similarity": matrix.astype(np.float32), "people": people.astype(np.float32),
            "roc": points, "auc": auc(similarity, same), "eer": eer(points),
            "accuracy": (((similarity >= threshold)[same].mean()
                          + (similarity < threshold)[~same].mean()) / 2),
            "accuracy_threshold": threshold,
            "tar": np.array([tar_at(points, rate) for rate in rates]),
            "fold_accuracy": np.array(shares), "fold_thresholds": np.array(thresholds),
            "fold_mean": np.mean(shares),
            "fold_error": np.std(shares, ddof=1) / np.sqrt(len(shares))}


def identification(random):
    gallery = np.concatenate([np.arange(14), random.randint(0, 14, size=9)])
    probes = random.permutation(np.concatenate([random.randint(0, 14, size=70),
                                                random.randint(100, 160, size=130)]))
    matrix = similarities(random, probes, gallery)
    names = np.unique(gallery)
    best = np.stack([matrix[:, gallery == name].max(1) for name in names], 1)
    known = np.isin(probes, names)
    own = best[known, np.searchsorted(names, probes[known])]
    ranks = (best[known] >= own[:, None]).sum(1)
    strangers, allowed = np.sort(best[~known].max(1)), 13  # of 130, a rate of 0.1
    # The lowest f32 that refuses all but 13 strangers.
    threshold = float(np.nextafter(np.float32(strangers[-allowed - 1]), np.float32(np.inf)))
    return {"probe_similarity": matrix.astype(np.float32),
            "probe_people": probes.astype(np.float32), "gallery_people": gallery.astype(np.float32),
            "cmc": np.array([(ranks <= r).mean() for r in range(1, len(names) + 1)]),
            "dir": ((ranks == 1) & (own >= threshold)).mean(), "dir_threshold": threshold}


def confusion(random):
    K = 4
    truth = random.randint(0, K, size=90)
    answer = np.where(random.uniform(size=90) < 0.6, truth, random.randint(0, K, size=90))
    counts = np.array([[((truth == t) & (answer == a)).sum() for a in range(K)] for t in range(K)])
    recall = np.diag(counts) / counts.sum(1)
    precision = np.diag(counts) / counts.sum(0)
    return {"truth": truth.astype(np.float32), "answer": answer.astype(np.float32),
            "counts": counts.astype(np.float64), "recall": recall, "precision": precision,
            "f1": 2 * precision * recall / (precision + recall),
            "right": (truth == answer).mean(), "balanced": recall.mean()}


def make():
    random = np.random.RandomState(910)  # its bits are promised never to change
    out = verification(random) | identification(random) | confusion(random)
    return ({name: np.asarray(value) for name, value in out.items()},
            {"about": "names and shapes: scripts/make_goldens.py"})
