"""The scripts for GPU machines as far as they go without a GPU, and bench/peers/table.py."""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*command):
    """(exit code, stdout, stderr)"""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr


class FlagsTest(unittest.TestCase):
    def test_bad_flags_end_with_2_and_one_line(self):
        for script, *flags in (("gpu_check.sh", "--fast"), ("gpu_check.sh", "--out"),
                               ("gpu_bundle.sh", "--arch"), ("gpu_bundle.sh", "-j", "0"),
                               ("gpu_bundle.sh", "--all"), ("mutate.sh", "--sample", "0"),
                               ("mutate.sh", "--only", "("), ("mutate.sh", "--all")):
            code, out, err = run(ROOT / "scripts" / script, *flags)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), (script, flags, err))
            self.assertTrue(err.startswith(script + ": "), err)

    def test_help(self):
        for script in ("gpu_check.sh", "gpu_bundle.sh"):
            code, out, err = run(ROOT / "scripts" / script, "--help")
            self.assertEqual((code, err), (0, ""))
            self.assertIn(f"scripts/{script} [--", out)
            self.assertNotIn("set -", out)

    @unittest.skipIf(shutil.which("nvidia-smi"), "there may be a GPU here")
    def test_without_a_gpu_it_says_so_and_ends_with_3(self):
        code, out, err = run(ROOT / "scripts" / "gpu_check.sh")
        self.assertEqual((code, out), (3, ""))
        self.assertIn("no GPU here", err)


def paths_read(source):
    """What a test program's source names below IMAGO_SOURCE_DIR; None for a use with no path."""
    paths = []
    for use in re.finditer(r"\bIMAGO_SOURCE_DIR\b", source):
        path = re.match(r'\)?\s*[+/]?\s*"/?([^"]+)"', source[use.end():])
        variable = re.search(r"(\w+)\s*(?:=\s*|\()(?:[\w:]+\()?$", source[:use.start()])
        if path:
            paths.append(path[1].rstrip("/"))
        elif variable:
            below = rf'\b{variable[1]}\s*[+/]\s*"/?([^"]+)"'
            paths += [name.rstrip("/") for name in re.findall(below, source)] or [None]
        else:
            paths.append(None)
    return paths


class BundleTest(unittest.TestCase):
    def test_paths_are_found_in_sources(self):
        for source, paths in (
                ('for (auto& e : fs::directory_iterator(IMAGO_SOURCE_DIR "/nn")) {', ["nn"]),
                ('load(std::string(IMAGO_SOURCE_DIR) + "/tests/goldens/" + name);',
                 ["tests/goldens"]),
                ('fs::path(IMAGO_SOURCE_DIR) / "docs"', ["docs"]),
                ('const fs::path root = IMAGO_SOURCE_DIR; read(root / "nn/loss.h"); root / "a";',
                 ["nn/loss.h", "a"]),
                ('const fs::path root(IMAGO_SOURCE_DIR); read(root / "nn");', ["nn"]),
                ("const fs::path root = IMAGO_SOURCE_DIR; walk(root);", [None]),
                ("walk(IMAGO_SOURCE_DIR);", [None]), ("IMAGO_SOURCE_DIRECTORY", [])):
            self.assertEqual(paths_read(source), paths, source)

    def test_it_has_what_its_tests_read(self):
        script = (ROOT / "scripts/gpu_bundle.sh").read_text()
        shipped = re.search(r"^sources=\((.*)\)$", script, re.M)[1].split()
        folders = re.search(r"tests/test_\{([\w,]+)\}", script)[1].split(",")
        self.assertFalse([path for path in shipped if not (ROOT / path).exists()])
        seen = set()
        for folder in (*folders, "support"):
            for file in sorted((ROOT / "tests" / folder).rglob("*")):
                if file.suffix not in (".h", ".cpp", ".cu"):
                    continue
                for path in paths_read(file.read_text()):
                    name = file.relative_to(ROOT)
                    self.assertIsNotNone(path, f"{name}: say what is read next to IMAGO_SOURCE_DIR")
                    self.assertTrue(any(f"{path}/".startswith(f"{part}/") for part in shipped),
                                    f"{name} reads {path}; add it to `sources` of gpu_bundle.sh")
                    seen.add(path)
        self.assertIn("tests/goldens", seen)
        self.assertIn("autograd/ops", seen)


class OrderTest(unittest.TestCase):
    def test_what_is_right_comes_before_what_is_fast(self):
        script = (ROOT / "scripts/gpu_check.sh").read_text()
        parts = ['part "test_$folder"', 'part "$tool"', "\nconv_f32 conv_f32\n", "peer_conv f32",
                 "again conv_f32_again", "our_step step\n", "peer_step default", "again step_again"]
        places = [script.index(part) for part in parts]
        self.assertEqual(places, sorted(places))


class TableTest(unittest.TestCase):
    FILES = {
        "conv_f32.json": {"benchmarks": [
            {"name": "D2/G4/forward/blocked/f32/iterations:30/manual_time", "median_ms": 0.2,
             "GFLOP/s": 42949.0, "%floor": 64.0},
            {"name": "G1/forward/naive/f32/iterations:30/manual_time", "median_ms": 1.0,
             "GFLOP/s": 210.0},
            {"name": "D2/G4/weight_grad/wrong/f32/manual_time", "error_occurred": True}]},
        "ops_f32.json": {"benchmarks": [
            {"name": "add/f32/iterations:30/manual_time", "median_ms": 0.03, "GB/s": 3355.0,
             "%floor": 78.0}]},
        "peer_conv.json": {"rows": [
            {"layer": "D2", "pass": "forward", "precision": "f32", "ms_median": 0.25},
            {"layer": "G1", "pass": "input_grad", "precision": "f32", "ms_median": 0.5},
            {"layer": "D2", "pass": "forward", "precision": "tf32", "ms_median": 0.1}]},
        "peer_step_default.json": {"ms_mean": 4.0, "ms_median": 3.9, "ms_p10": 3.8, "ms_p90": 4.2,
                                   "images_per_s": 32000.0, "precision": "default",
                                   "tf32": {"cudnn": True, "matmul": False}},
        "step.json": {"ms_mean": 2.0, "ms_median": 2.0, "ms_p10": 1.9, "ms_p90": 2.1,
                      "images_per_s": 64000.0},
    }

    def table(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                (Path(folder) / name).write_text(json.dumps(content))
            code, out, err = run(sys.executable, ROOT / "bench/peers/table.py", folder)
        self.assertEqual((code, err), (0, ""))
        return [line.split() for line in out.splitlines()]

    def test_rows_meet_their_peers(self):
        rows = self.table(self.FILES)
        for row in (["D2/G4/forward/blocked/f32", "0.2000", "42949", "64.0", "0.2500", "1.25"],
                    ["G1/forward/naive/f32", "1.0000", "210", "nan", "0.5000", "0.50"],
                    ["PyTorch/D2/forward/tf32", "–", "–", "–", "0.1000"],
                    ["add/f32", "0.0300", "3355", "78.0"],
                    ["peer_step_default", "4.000", "3.900", "3.800", "4.200", "32000", "2.00"],
                    ["step", "2.000", "2.000", "1.900", "2.100", "64000"]):
            self.assertIn(row, rows)
        self.assertFalse([row for row in rows if row and "wrong" in row[0]])

    def test_two_equal_runs_are_the_noise(self):
        def conv(*rows):
            return {"benchmarks": [{"name": f"{layer}/forward/auto/f32/manual_time",
                                    "median_ms": ms, "GFLOP/s": 1.0} for layer, ms in rows]}

        def peer(layer, ms):
            return {"layer": layer, "pass": "forward", "precision": "f32", "ms_median": ms}
        files = {
            # Apart by 2, 4 and 20 per cent: the usual noise is 4.
            "conv_f32.json": conv(("D1", 1.0), ("D2", 1.0), ("D3", 1.0), ("D4", 1.0)),
            "conv_f32_again.json": conv(("D1", 1.02), ("D2", 1.04), ("D3", 1.2)),
            "peer_conv_f32.json": {"rows": [peer("D1", 1.03), peer("D2", 1.1), peer("D3", 1.3)]},
            "peer_conv_bf16.json": {"rows": [peer("D4", 0.5)]},
            "peer_step_default.json": {**self.FILES["step.json"], "ms_mean": 2.1},
            "peer_step_graph.json": {**self.FILES["step.json"], "ms_mean": 1.5},
            "step.json": self.FILES["step.json"],
            "step_again.json": {**self.FILES["step.json"], "ms_mean": 2.2},
        }
        rows = self.table(files)
        for row in (["D1/forward/auto/f32", "1.0100", "1", "nan", "1.0300", "1.02", "±4.0%",
                     "ambiguous"],
                    ["D2/forward/auto/f32", "1.0200", "1", "nan", "1.1000", "1.08", "±4.0%"],
                    ["D3/forward/auto/f32", "1.1000", "1", "nan", "1.3000", "1.18", "±20.0%",
                     "ambiguous"],
                    ["D4/forward/auto/f32", "1.0000", "1", "nan", "0.5000", "0.50", "±4.0%"],
                    "noise: two equal runs of 3 rows differ by 4.0% in the median, by 20.0% at "
                    "most; times are their means".split(),
                    ["peer_step_default", "2.100", "2.000", "1.900", "2.100", "64000", "1.00",
                     "±10.0%", "ambiguous"],
                    ["peer_step_graph", "1.500", "2.000", "1.900", "2.100", "64000", "0.71",
                     "±10.0%"]):
            self.assertIn(row, rows)

    def test_missing_results_are_no_error(self):
        self.assertEqual(len(self.table({})), 1)

    def test_a_folder_is_needed(self):
        self.assertEqual(run(sys.executable, ROOT / "bench/peers/table.py")[0], 2)


if __name__ == "__main__":
    unittest.main()
