"""scripts/loss_table.py and scripts/checkerboard.py with programs that only pretend to train."""
import contextlib
import io
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import checkerboard  # noqa: E402
import loss_table  # noqa: E402

# Write what the true programs would, and a line to calls.txt. A seed of 99 diverges, 98 fails.
TRAIN = '''#!{python}
import pathlib, sys
sys.path.insert(0, "{root}/scripts")
import checkerboard
flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
with open("{calls}", "a") as calls: calls.write("train " + flags["--out"] + "\\n")
if flags["--seed"] == "99": sys.exit("train_gan: a loss is not finite at step 2")
if flags["--seed"] == "98": sys.exit("train_gan: no space left")
out = pathlib.Path(flags["--out"])
(out / "samples").mkdir(parents=True)
(out / "checkpoint.safetensors").write_text(flags["--model"] + " " + flags["--loss"])
for step, grey in ((0, 10), (int(flags["--steps"]), 200)):
    rows = [bytes([grey, grey + 1, grey]) * 270] * 270
    checkerboard.write_png(out / "samples" / f"{{step:08d}}.png", rows)
'''
EVALUATE = '''#!{python}
import json, pathlib, sys
flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
with open("{calls}", "a") as calls: calls.write("evaluate " + flags["--generator"] + "\\n")
loss = pathlib.Path(flags["--generator"]).read_text()
seed = int(pathlib.Path(flags["--generator"]).parent.name.split("-")[-1])
distance = {{"sndcgan32 hinge": 20, "sndcgan32 lsgan": 29, "dcgan32 wasserstein": 25}}.get(loss, 22)
json.dump({{"count": int(flags["--count"]),
           "pixels": {{"checkerboard_energy": 0.02, "checkerboard_energy_of_real": 0.01,
                      "checkerboard_energy_untrained": 0.25}},
           "scores": {{"features": "ours", "frechet_distance": distance + seed,
                      "frechet_distance_untrained": 60}}}}, open(flags["--json"], "w"))
'''


class Pretended(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "apps").mkdir()
        for name, text in (("train_gan", TRAIN), ("evaluate", EVALUATE)):
            program = self.folder / "apps" / name
            program.write_text(text.format(python=sys.executable, root=ROOT,
                                           calls=self.folder / "calls.txt"))
            program.chmod(0o755)
        self.docs = self.folder / "losses.md"
        shutil.copy(ROOT / "docs" / "gan_losses.md", self.docs)

    def run_script(self, script, *flags):
        """(exit code, stdout, stderr)"""
        done = subprocess.run(
            [sys.executable, ROOT / "scripts" / script, "--build", self.folder, "--runs",
             self.folder / "runs", "--docs", self.docs, "--results", self.folder / "results.json",
             "--steps", "4", "--count", "50", *flags],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return done.returncode, done.stdout, done.stderr

    def calls(self):
        file = self.folder / "calls.txt"
        return file.read_text().splitlines() if file.exists() else []


class LossTableTest(Pretended):
    def test_every_loss_is_trained_scored_and_judged_and_nothing_is_done_twice(self):
        code, out, err = self.run_script("loss_table.py", "--jobs", "2")
        self.assertEqual((code, err), (0, ""), err)
        results = json.loads((self.folder / "results.json").read_text())
        rows = {row["loss"]: row for row in results["losses"]}
        self.assertEqual(list(rows), [s.name for s in loss_table.SETTINGS])
        self.assertEqual(len(rows), 7)
        self.assertEqual(rows["hinge"]["distances"], [21, 22, 23])
        self.assertEqual((rows["hinge"]["median"], rows["hinge"]["of_best"]), (22, 23 / 22))
        self.assertAlmostEqual(rows["hinge"]["of_untrained"], 23 / 60)
        self.assertTrue(rows["hinge"]["passes"])
        self.assertFalse(rows["lsgan"]["passes"])  # its worst seed, 32, is above half of 60
        self.assertLess(rows["lsgan"]["of_best"], loss_table.NEAR)
        self.assertEqual((results["steps"], results["count"], results["base"]), (4, 50, 16))
        text = self.docs.read_text()
        self.assertIn("| hinge | 60.000 | 21.000 | 22.000 | 23.000 | 22.000 | 0.38 | 1.05 | yes |",
                      text)
        self.assertIn("| 31.000 | 0.53 | 1.45 | **no** |", text)
        self.assertIn("50 images of each kind on ours; base 16, batch 64, 4 steps of G.", text)
        self.assertEqual(len(self.calls()), 2 * 21)
        self.assertEqual(sorted(path.suffix for path in (self.folder / "runs").iterdir()),
                         [".json"] * 21)

        code, out, err = self.run_script("loss_table.py")
        self.assertEqual((code, err, out.count(": done before")), (0, "", 21))
        self.assertEqual(len(self.calls()), 2 * 21)
        self.assertEqual(self.docs.read_text(), text)
        # Each run says where and when it was measured, whenever the table is written.
        runs = [run for row in results["losses"] for run in row["runs"]]
        self.assertEqual({run["cpu"] for run in runs}, {loss_table.cpu()})
        self.assertEqual({run["commit"] for run in runs}, set(results["commit"].split(", ")))
        first = next(row["runs"][0]["commit"] for row in results["losses"]
                     if row["loss"] == "lsgan")
        file = self.folder / "runs" / "lsgan-2.json"
        run = json.loads(file.read_text())
        file.write_text(json.dumps({**run, "cpu": "an abacus", "commit": "0123-dirty"}))
        file = self.folder / "runs" / "lsgan-3.json"
        run = json.loads(file.read_text())
        del run["cpu"], run["commit"]  # as of a run from before they were kept
        file.write_text(json.dumps(run))
        code, _, err = self.run_script("loss_table.py")
        self.assertEqual((code, err, len(self.calls())), (0, "", 2 * 21))
        again = json.loads((self.folder / "results.json").read_text())
        lsgan = next(row for row in again["losses"] if row["loss"] == "lsgan")
        self.assertEqual([run.get("commit") for run in lsgan["runs"]],
                         [first, "0123-dirty", None])
        self.assertLessEqual({first, "0123-dirty", "unknown"}, set(again["commit"].split(", ")))
        self.assertIn("an abacus", again["cpu"])
        # Other steps are other runs.
        self.run_script("loss_table.py", "--steps", "5", "--only", "hinge")
        self.assertEqual(len(self.calls()), 2 * 24)

    def test_one_loss_alone_leaves_the_table_until_all_are_there(self):
        before = self.docs.read_text()
        code, out, err = self.run_script("loss_table.py", "--only", "lsgan", "--keep-runs")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("18 of 21 results are missing", out)
        self.assertEqual(self.docs.read_text(), before)
        self.assertFalse((self.folder / "results.json").exists())
        self.assertTrue((self.folder / "runs" / "lsgan-2" / "checkpoint.safetensors").exists())
        # A run that was stopped has a folder and no result: it starts again.
        (self.folder / "runs" / "lsgan-2.json").unlink()
        code, out, _ = self.run_script("loss_table.py", "--only", "lsgan", "--keep-runs")
        self.assertEqual((code, out.count(": done before")), (0, 2))

    def test_a_run_that_diverges_is_a_result_and_does_not_pass(self):
        code, _, err = self.run_script("loss_table.py", "--seeds", "1,99")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("| hinge | 60.000 | 21.000 | diverged | diverged | diverged | diverged | "
                      "**no** |", self.docs.read_text())
        results = json.loads((self.folder / "results.json").read_text())
        self.assertFalse([row for row in results["losses"] if row["passes"]])

    def test_what_goes_wrong_ends_it_in_one_line(self):
        for flags, status, part in ((("--seeds", "98"), 1, "no space left"),
                                    (("--build", "/nowhere"), 1, "build it first"),
                                    (("--steps", "0"), 2, "--steps"),
                                    (("--only", "wgan"), 2, "--only"), (("--fast",), 2, "--fast")):
            code, _, err = self.run_script("loss_table.py", *flags)
            self.assertEqual((code, err.count("\n")), (status, 1), (flags, err))
            self.assertIn(part, err)
        self.docs.write_text("no markers")
        code, _, err = self.run_script("loss_table.py", "--settings")
        self.assertEqual((code, err.count("\n")), (1, 1))
        self.assertIn("<!-- settings -->", err)

    def test_the_chapter_shows_the_settings_of_the_script(self):
        before = self.docs.read_text()
        self.assertIn(loss_table.settings_table(), before)
        code, _, err = self.run_script("loss_table.py", "--settings")
        self.assertEqual((code, err, self.docs.read_text()), (0, "", before))

    def test_help(self):
        for script in ("loss_table.py", "checkerboard.py"):
            done = subprocess.run([sys.executable, ROOT / "scripts" / script, "--help"],
                                  stdout=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 0)
            self.assertIn("--steps N", done.stdout)

    def test_of_two_losses_the_better_is_what_the_other_is_held_against(self):
        def runs(*distances):
            return [{"evaluation": {"scores": {"frechet_distance": d,
                                               "frechet_distance_untrained": 10}}}
                    for d in distances]
        rows = loss_table.judge({"a": runs(1, 2, 6), "b": runs(2.9, 2.8, 3.1), "c": runs(2, 2, 3)})
        self.assertEqual([rows[name]["median"] for name in "abc"], [2, 2.9, 2])
        self.assertEqual([rows[name]["passes"] for name in "abc"], [False, False, True])
        self.assertEqual(rows["b"]["of_best"], 1.55)  # of its worst seed; its median is near


def filtered(kind, row, above):
    """A row as a PNG stores it, by the definitions of its five filters."""
    def at(line, i):
        return line[i] if i >= 0 else 0
    out = bytearray()
    for i, value in enumerate(row):
        a, b, c = at(row, i - 3), above[i], at(above, i - 3)
        if kind == 4:
            p = a + b - c
            pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
            guess = a if pa <= pb and pa <= pc else b if pb <= pc else c
        else:
            guess = (0, a, b, (a + b) // 2)[kind]
        out.append((value - guess) % 256)
    return bytes([kind]) + bytes(out)


class CheckerboardTest(Pretended):
    def test_png_files_of_every_filter_are_read(self):
        width, height = 7, 10
        rows = [bytes((x * x + 31 * y * y + 7 * x * y) % 256 for x in range(3 * width))
                for y in range(height)]
        raw, above = b"", bytes(3 * width)
        for y, row in enumerate(rows):
            raw += filtered(y % 5, row, above)
            above = row

        def chunk(kind, content):
            return (struct.pack(">I", len(content)) + kind + content
                    + struct.pack(">I", zlib.crc32(kind + content)))
        packed = zlib.compress(raw)
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        file = self.folder / "all.png"
        file.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                         + chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", packed[:20])
                         + chunk(b"IDAT", packed[20:]) + chunk(b"IEND", b""))
        self.assertEqual(checkerboard.read_png(file), (width, height, rows))
        again = self.folder / "again.png"
        checkerboard.write_png(again, rows)
        self.assertEqual(checkerboard.read_png(again), (width, height, rows))
        file.write_bytes(b"GIF")
        with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
            checkerboard.read_png(file)

    def test_three_generators_side_by_side_before_and_after(self):
        picture = self.folder / "images" / "checkerboard.png"
        code, out, err = self.run_script("checkerboard.py", "--picture", picture)
        self.assertEqual((code, err), (0, ""), err)
        width, height, rows = checkerboard.read_png(picture)
        wide, high = 3 * (4 * 34 - 2), 3 * (3 * 34 - 2)
        self.assertEqual((width, height), (3 * wide + 2 * 8, 2 * high + 8))
        before = bytes([0, 255, 0]) * 3 * 32 + bytes([10, 11, 10]) * 3 * 2  # stretched but for gaps
        self.assertEqual(rows[0][:3 * wide], (before * 4)[:3 * wide])
        self.assertEqual(rows[0][3 * wide:3 * (wide + 8)], b"\xff" * 24)
        self.assertEqual(rows[high], b"\xff" * 3 * width)
        self.assertEqual(rows[-1][-3 * wide:], bytes([200, 201, 200]) * wide)
        text = self.docs.read_text()
        self.assertIn("| `resize32` | nearest doubling, convolutions of kernel 3 | 0.25000 | "
                      "0.02000 | 2.00 | 23.000 |", text)
        self.assertIn("white noise 0.06158", text)
        results = json.loads((self.folder / "results.json").read_text())
        self.assertEqual([g["model"] for g in results["generators"]],
                         ["dcgan32", "resize32", "resnet32"])
        self.assertEqual({g["run"]["commit"] for g in results["generators"]},
                         set(results["commit"].split(", ")))
        self.assertEqual({g["run"]["cpu"] for g in results["generators"]}, {results["cpu"]})
        code, out, err = self.run_script("checkerboard.py", "--picture", picture)
        self.assertEqual((code, err, out.count(": done before")), (0, "", 3))
        self.assertEqual(len(self.calls()), 6)


if __name__ == "__main__":
    unittest.main()
