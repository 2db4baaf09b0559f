"""Weights between PyTorch and Imago, as safetensors: both ways, with the same outputs.

The networks are those of networks.py. Ours compute in f32, PyTorch's in f64 on the same f32
weights; the bound on their difference is TOLERANCE times the largest output (at least 1).
"""
import os
import subprocess

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import common
from networks import NETWORKS, dcgan_g, seed003_cnn

TOLERANCE = 5e-5  # resnet128, whose activations grow to some tens, needs half of it
torch.set_num_threads(1)


def stirred(net):
    """Weights large enough to matter, and batch norms unlike fresh ones; in evaluation mode."""
    with torch.no_grad():
        for name, t in net.state_dict().items():
            if name.endswith("running_var"):
                t.uniform_(0.5, 2)
            elif name.endswith("num_batches_tracked"):
                t.fill_(12)
            elif t.dim() == 1 and not name.endswith(("weight_u", "weight_v")):
                t.normal_(1.0 if "weight" in name else 0.0, 0.2)
    return net.eval()


def to_ours(x):
    return np.ascontiguousarray(x.permute(0, 2, 3, 1).numpy() if x.shape[2:] not in ((), (1, 1))
                                else x.reshape(x.shape[0], -1).numpy())


class PytorchTest(common.ToolTest):
    worst = 0.0

    @classmethod
    def tearDownClass(cls):
        print(f"largest difference of any output: {cls.worst:.2e}, allowed {TOLERANCE:.0e}")

    def assert_close(self, got, want, tolerance=TOLERANCE):
        """Ours (N, H, W, C) or rows against PyTorch's (N, C, H, W)."""
        want = to_ours(want.detach().float()).reshape(got.shape)
        difference = np.abs(got.astype(np.float64) - want).max() / max(1, np.abs(want).max())
        self.assertTrue(difference <= tolerance, difference)
        self.assertGreater(np.abs(want).max(), 1e-3)  # a comparison of something
        if tolerance == TOLERANCE:
            PytorchTest.worst = max(PytorchTest.worst, difference)

    def ask(self, name, x, weights):
        np.save(self.path("in.npy"), to_ours(x))
        self.tool("load", name, weights, self.path("in.npy"), self.path("out.npy"))
        return np.load(self.path("out.npy"))

    def test_state_dicts_of_pytorch_give_the_same_outputs_here(self):
        torch.manual_seed(3)
        for name, (make, shape) in NETWORKS.items():
            with self.subTest(name), torch.no_grad():
                net, x = stirred(make()), torch.randn(*shape)
                save_file(net.state_dict(), self.path("net.safetensors"))
                self.assert_close(self.ask(name, x, self.path("net.safetensors")),
                                  net.double()(x.double()))

    def test_weights_of_ours_give_the_same_outputs_in_pytorch(self):
        torch.manual_seed(4)
        for name, (make, shape) in NETWORKS.items():
            with self.subTest(name), torch.no_grad():
                x = torch.randn(*shape)
                np.save(self.path("in.npy"), to_ours(x))
                self.tool("export", name, 5, self.path("net.safetensors"), self.path("in.npy"),
                          self.path("out.npy"))
                net = make().eval()
                net.load_state_dict(load_file(self.path("net.safetensors")), strict=True)
                self.assert_close(np.load(self.path("out.npy")), net.double()(x.double()))

    def test_the_example_of_the_docs(self):
        """apps/examples/from_pytorch.cpp, which docs/interop.md shows."""
        torch.manual_seed(7)
        net, z = stirred(dcgan_g(64, 64)), torch.randn(3, 100, 1, 1)
        save_file(net.state_dict(), self.path("netG.safetensors"))
        np.save(self.path("z.npy"), to_ours(z))
        program = os.path.join(os.path.dirname(common.TOOL), "../apps/examples/from_pytorch")
        subprocess.run([os.path.realpath(program)], cwd=self.folder.name, check=True)
        with torch.no_grad():
            self.assert_close(np.load(self.path("faces.npy")), net(z))
        ours = load_file(self.path("ours.safetensors"))
        dcgan_g(64, 64).load_state_dict(ours)
        for name, t in net.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                self.assertTrue(torch.equal(ours[name], t), name)

    def test_other_dtypes(self):
        """The file's rounding is the file's; what was read must be exactly that."""
        torch.manual_seed(5)
        for dtype in (torch.float16, torch.bfloat16, torch.float64):
            for name in ("dcgan16/8/g", "seed003_cnn"):
                with self.subTest(f"{name} {dtype}"), torch.no_grad():
                    make, shape = NETWORKS[name]
                    net, x = stirred(make()), torch.randn(*shape)
                    state = {key: t.to(dtype) if t.is_floating_point() else t
                             for key, t in net.state_dict().items()}
                    save_file(state, self.path("net.safetensors"))
                    net.load_state_dict({key: t.float() if t.is_floating_point() else t
                                         for key, t in state.items()})
                    self.assert_close(self.ask(name, x, self.path("net.safetensors")), net(x))

    def test_without_the_permutation_the_seed_cnn_would_differ(self):
        """Guards the test above: reordered columns of the first Linear change the output."""
        torch.manual_seed(6)
        net, x = stirred(seed003_cnn()), torch.randn(2, 3, 64, 64)
        with torch.no_grad():
            before = net(x)
            w = net.main[10].weight
            w.copy_(w.reshape(128, 128, 36).transpose(1, 2).reshape(128, 4608))
            difference = (net(x) - before).abs().max().item()
        self.assertGreater(difference, 1e-2)

    def test_without_the_maps_a_vae_would_differ(self):
        """The same for what else has the right shape in any order, or is a scalar."""
        def swap(net):
            net.mu, net.log_variance = net.log_variance, net.mu

        def columns(net):
            w = net.log_variance.weight
            w.copy_(w.reshape(5, 6, 16).transpose(1, 2).reshape(5, 96))

        def rows(net):
            w = net.decoder[0].weight
            w.copy_(w.reshape(6, 16, 5).transpose(0, 1).reshape(96, 5))

        def sigma(net):
            net.pixels.log_sigma.fill_(-0.3)

        for part, change in (("encode", swap), ("encode", columns), ("decode", rows),
                             ("likelihood", sigma)):
            with self.subTest(change.__name__), torch.no_grad():
                torch.manual_seed(8)
                make, shape = NETWORKS[f"vae16/gaussian/{part}"]
                net, x = stirred(make()), torch.randn(*shape)
                before = net(x)
                change(net)
                difference = (net(x) - before).abs().max() / before.abs().max().clamp(min=1)
                self.assertGreater(difference.item(), 100 * TOLERANCE)

    def test_what_does_not_fit_is_listed(self):
        net = seed003_cnn()
        state = net.state_dict()
        state["main.3.weight"] = state["main.3.weight"].permute(0, 2, 3, 1).contiguous()
        state["extra"] = state.pop("main.12.bias")
        save_file(state, self.path("net.safetensors"))
        np.save(self.path("in.npy"), np.zeros((1, 64, 64, 3), np.float32))
        error = self.tool_error("load", "seed003_cnn", self.path("net.safetensors"),
                                self.path("in.npy"), self.path("out.npy"))
        for part in ("net.safetensors", "missing: main.12.bias (1,)", "unexpected: extra (1,)",
                     "different: main.3.weight should be (64, 32, 3, 3)"):
            self.assertIn(part, error)
        torch.save(state, self.path("net.pth"))
        error = self.tool_error("load", "seed003_cnn", self.path("net.pth"), self.path("in.npy"),
                                self.path("out.npy"))
        self.assertIn("safetensors.torch.save_file", error)

    def test_checkpoints_open_in_python_and_come_back(self):
        for model in ("dcgan16", "dcgan32"):
            self.tool("train", model, self.path("run.safetensors"), self.path("run.npz"))
            with safe_open(self.path("run.safetensors"), framework="pt") as file, \
                    np.load(self.path("run.npz")) as arrays:
                metadata = file.metadata()
                self.assertEqual((metadata["model"], metadata["step"]), (model, "1"))
                self.assertEqual(sorted(file.keys()), sorted(arrays.files))
                self.assertGreater(len(arrays.files), 40)
                for name in file.keys():
                    t = file.get_tensor(name)
                    self.assertEqual(t.numpy().tobytes(), arrays[name].tobytes(), name)
                    self.assertEqual(tuple(t.shape), arrays[name].shape, name)
            with safe_open(self.path("run.safetensors"), framework="numpy") as file:
                self.assertEqual(file.get_tensor("g.layers.1.conv.weight").shape[1:3], (4, 4))
            # Written by Python, read and written here: the same values under the same names.
            tensors = load_file(self.path("run.safetensors"))
            save_file(tensors, self.path("python.safetensors"), metadata=metadata)
            self.tool("resave", self.path("python.safetensors"), self.path("again.safetensors"))
            with open(self.path("run.safetensors"), "rb") as a, \
                    open(self.path("again.safetensors"), "rb") as b:
                self.assertEqual(a.read(), b.read())

    def test_every_dtype_of_a_file(self):
        tensors = {"f32": torch.randn(2, 3), "f64": torch.randn(3).double(),
                   "bf16": torch.randn(5).bfloat16(), "i32": torch.arange(3, dtype=torch.int32),
                   "i64": torch.arange(4), "u8": torch.arange(5, dtype=torch.uint8),
                   "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 4)}
        widened = {"f16": torch.randn(7).half(), "bool": torch.tensor([True, False])}
        save_file({**tensors, **widened}, self.path("a.safetensors"))
        self.tool("resave", self.path("a.safetensors"), self.path("b.safetensors"))
        got = load_file(self.path("b.safetensors"))
        want = {**tensors, "f16": widened["f16"].float(), "bool": widened["bool"].byte()}
        self.assertEqual(sorted(got), sorted(want))
        for name, t in want.items():
            self.assertEqual((got[name].dtype, got[name].shape), (t.dtype, t.shape), name)
            self.assertTrue(torch.equal(got[name], t), name)


if __name__ == "__main__":
    common.main()
