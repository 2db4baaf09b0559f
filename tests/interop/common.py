"""What the tests of this folder share: the C++ side, and a folder of files for each test."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = None


class ToolTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def tool(self, *arguments):
        """Runs a command of interop_tool, which must succeed."""
        done = subprocess.run([TOOL, *map(str, arguments)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def tool_error(self, *arguments):
        """What it says when it fails, as it must."""
        done = subprocess.run([TOOL, *map(str, arguments)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return done.stderr


def main():
    """unittest.main() of a program started with the path of interop_tool."""
    global TOOL
    import common  # the module that the tests import, which is another one than __main__
    common.TOOL = str(Path(sys.argv.pop(1)).resolve())
    unittest.main(module="__main__")
