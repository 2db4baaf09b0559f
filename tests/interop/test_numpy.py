"""Arrays between NumPy and Imago: .npy and .npz, both ways, bit for bit."""
import io
import zipfile

import numpy as np

import common


def arrays():
    rng = np.random.RandomState(1)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45], np.float32)
    return {
        "f32": rng.standard_normal((3, 5, 2)).astype(np.float32), "special": special,
        "f64": rng.standard_normal((2, 7)), "i32": rng.randint(-2**31, 2**31 - 1, (4,), np.int32),
        "i64": rng.randint(-2**63, 2**63 - 1, (2, 2), np.int64),
        "u8": rng.randint(0, 256, (5, 3), np.uint8), "scalar": np.array(2.5),
        "empty": np.zeros((0, 4), np.float32), "eight": np.ones((1,) * 8, np.int32),
        "large": rng.standard_normal((300, 400)).astype(np.float32),
    }


class NumpyTest(common.ToolTest):
    def assert_same(self, got, want, name=""):
        self.assertEqual((got.dtype, got.shape), (want.dtype, want.shape), name)
        self.assertEqual(got.tobytes(), want.tobytes(), name)

    def through(self, array, **options):
        """What Imago makes of an array: read from a file of NumPy, written for NumPy."""
        with open(self.path("in.npy"), "wb") as file:
            np.lib.format.write_array(file, array, **options)
        self.tool("npy", self.path("in.npy"), self.path("out.npy"))
        return np.load(self.path("out.npy"), allow_pickle=False)

    def test_every_dtype_both_ways(self):
        for name, array in arrays().items():
            self.assert_same(self.through(array), array, name)

    def test_the_bytes_are_those_of_numpy(self):
        for name, array in arrays().items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, version=(1, 0))
            self.through(array)
            with open(self.path("out.npy"), "rb") as file:
                self.assertEqual(file.read(), buffer.getvalue(), name)

    def test_fortran_order_is_rearranged(self):
        for name, array in arrays().items():
            fortran = np.array(array, order="F")
            self.assert_same(self.through(fortran), array, name)

    def test_format_versions(self):
        array = arrays()["f32"]
        for version in ((1, 0), (2, 0), (3, 0)):
            self.assert_same(self.through(array, version=version), array, version)

    def test_other_types(self):
        f32 = arrays()["f32"]
        self.assert_same(self.through(f32.astype(">f4")), f32)
        f16 = f32.astype(np.float16)
        self.assert_same(self.through(f16), f16.astype(np.float32))
        self.assert_same(self.through(f32 > 0), (f32 > 0).astype(np.uint8))
        every_half = np.arange(2**16, dtype=np.uint16).view(np.float16)
        finite = every_half[np.isfinite(every_half)]
        self.assert_same(self.through(finite), finite.astype(np.float32))

    def test_types_that_are_not_here_are_named(self):
        for array in (np.zeros(3, np.int16), np.zeros(3, np.complex64), np.array(["a", "b"]),
                      np.zeros(2, [("a", "f4"), ("b", "i4")]), np.array([None, 3])):
            np.save(self.path("in.npy"), array, allow_pickle=True)
            error = self.tool_error("npy", self.path("in.npy"), self.path("out.npy"))
            self.assertIn("in.npy", error)
            self.assertRegex(error, "astype|several fields")

    def test_npz_both_ways(self):
        want = arrays()
        for save in (np.savez, np.savez_compressed):
            save(self.path("in.npz"), **want)
            for command in ("npz", "wide"):
                self.tool(command, self.path("in.npz"), self.path("out.npz"))
                with np.load(self.path("out.npz"), allow_pickle=False) as got:
                    self.assertEqual(sorted(got.files), sorted(want))
                    for name in want:
                        self.assert_same(got[name], want[name], name)
                with zipfile.ZipFile(self.path("out.npz")) as archive:
                    self.assertIsNone(archive.testzip())
                self.tool("npz", self.path("out.npz"), self.path("again.npz"))

    def test_damaged_archives_are_named(self):
        np.savez_compressed(self.path("in.npz"), a=arrays()["f32"])
        with open(self.path("in.npz"), "rb") as file:
            whole = file.read()
        damaged = bytearray(whole)
        damaged[len(whole) // 3] ^= 0x10
        for name, contents in (("cut.npz", whole[:-30]), ("damaged.npz", bytes(damaged))):
            with open(self.path(name), "wb") as file:
                file.write(contents)
            error = self.tool_error("npz", self.path(name), self.path("out.npz"))
            self.assertIn(name, error)


if __name__ == "__main__":
    common.main()
