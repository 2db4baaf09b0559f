#!/usr/bin/env python3
"""Sets three generators side by side, before training and after it: scripts/checkerboard.py [FLAGS]

dcgan32 doubles its images by transposed convolutions, resize32 by nearest neighbours before each
convolution, resnet32 so in residual blocks. Each trains as long as the others; then the picture
docs/images/checkerboard.png shows what the same noise gave in each, left to right, before the first
step (above, stretched to full contrast) and after the last (below). `evaluate` says how much
alternates from pixel to pixel: a table in docs/gan_losses.md, and all figures in
bench/results/MACHINE/checkerboard.json.

  --build FOLDER    where the programs are       build/release
  --steps N         of each run                  1500
  --batch N         images of each update        64
  --base N          width of the networks        16
  --count N         images of each kind          2000
  --seed N          of the runs                  1
  --device NAME     cpu, cuda or auto            cpu
  --runs FOLDER     for runs and scores          runs/checkerboard
  --machine NAME    folder of bench/results      epyc-zen5-2core
  --docs FILE       chapter with the markers     docs/gan_losses.md
  --picture FILE    to write                     docs/images/checkerboard.png
  --results FILE    in place of bench/results/MACHINE/checkerboard.json
"""
import pathlib
import struct
import sys
import zlib

import loss_table

ROOT = loss_table.ROOT

# The first two share a D, that of DCGAN; resnet32 has one of its own, made for the hinge loss.
GENERATORS = (
    ("dcgan32", "transposed convolutions, kernel 4, stride 2",
     "--model dcgan32 --loss nonsaturating"),
    ("resize32", "nearest doubling, convolutions of kernel 3",
     "--model resize32 --loss nonsaturating"),
    ("resnet32", "residual blocks with nearest doubling", "--model resnet32 --loss hinge"),
)

SIZE, GAP = 32, 2             # of an image of a grid of samples, and between two
COLUMNS, ROWS = 4, 3          # shown of each grid
SCALE = 3                     # by which they are enlarged
MARGIN = 8                    # pixels of the enlarged picture between two panels


def read_png(file):
    """A PNG of 8-bit RGB without interlacing, as stb writes it: (width, height, [rows of bytes])."""
    data = file.read_bytes()
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        loss_table.stop(f"{file} is no PNG")
    at, packed, header = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        content = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", content)
        elif kind == b"IDAT":
            packed += content
        at += 12 + length
    width, height, *kinds = header or (0, 0)
    if kinds[:2] != [8, 2] or kinds[-1] != 0:
        loss_table.stop(f"{file} is no PNG of 8-bit RGB without interlacing")
    raw, step = zlib.decompress(packed), 3
    stride = width * step
    rows, above = [], bytes(stride)
    for y in range(height):
        start = y * (stride + 1)
        above = unfiltered(raw[start], raw[start + 1:start + 1 + stride], above, step)
        rows.append(above)
    return width, height, rows


def unfiltered(kind, line, above, step):
    """One row of pixels: the inverse of the five filters of the PNG specification, section 9."""
    row = bytearray(line)
    for i, value in enumerate(line):
        left = row[i - step] if i >= step else 0
        up, corner = above[i], above[i - step] if i >= step else 0
        guess = (0, left, up, (left + up) // 2, paeth(left, up, corner))[kind]
        row[i] = (value + guess) & 255
    return bytes(row)


def paeth(left, up, corner):
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))


def write_png(file, rows):
    """rows: bytes of RGB, all of one length. Each is stored as its difference from the one above."""
    width, raw, above = len(rows[0]) // 3, bytearray(), bytes(len(rows[0]))
    for row in rows:
        raw += b"\x02" + bytes((a - b) & 255 for a, b in zip(row, above))
        above = row

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"\x89PNG\r\n\x1a\n"
                     + chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(bytes(raw), 9)) + chunk(b"IEND", b""))


def stretched(image):
    """Rows of bytes, brought to the whole range from 0 to 255. A fresh DCGAN paints grey that differs
    by less than a level or two of 8 bits, so nobody would see its pattern."""
    low, high = min(map(min, image)), max(map(max, image))
    scale = 255 / max(1, high - low)
    return [bytes(round((value - low) * scale) for value in row) for row in image]


def panel(file, stretch):
    """The first images of a grid, each pixel SCALE x SCALE: rows of bytes."""
    width, height, rows = read_png(file)
    wide = COLUMNS * (SIZE + GAP) - GAP
    high = ROWS * (SIZE + GAP) - GAP
    if width < wide or height < high:
        loss_table.stop(f"{file} is {width}x{height}, not a grid of images of {SIZE}x{SIZE}")
    rows = [bytearray(row) for row in rows[:high]]
    places = [(x, y) for y in range(0, high, SIZE + GAP) for x in range(0, wide, SIZE + GAP)]
    for x, y in places if stretch else ():
        across = slice(3 * x, 3 * (x + SIZE))
        for i, line in enumerate(stretched([row[across] for row in rows[y:y + SIZE]])):
            rows[y + i][across] = line
    enlarged = []
    for row in rows:
        pixels = [bytes(row[3 * x:3 * x + 3]) * SCALE for x in range(wide)]
        enlarged += [b"".join(pixels)] * SCALE
    return enlarged


def side_by_side(panels):
    """panels: rows of panels of one size -> rows of bytes, with white between them."""
    picture = []
    for line in panels:
        if picture:
            picture += [b"\xff" * len(picture[0])] * MARGIN
        between = b"\xff" * (3 * MARGIN)
        picture += [between.join(parts) for parts in zip(*line)]
    return picture


def arguments(argv):
    parser = loss_table.Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    for name, default in (("steps", 1500), ("batch", 64), ("base", 16), ("count", 2000),
                          ("seed", 1)):
        parser.add_argument(f"--{name}", type=loss_table.positive, default=default)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda", "auto"))
    parser.add_argument("--runs", type=pathlib.Path, default=ROOT / "runs" / "checkerboard")
    parser.add_argument("--machine", default="epyc-zen5-2core")
    parser.add_argument("--docs", type=pathlib.Path, default=ROOT / "docs" / "gan_losses.md")
    parser.add_argument("--picture", type=pathlib.Path,
                        default=ROOT / "docs" / "images" / "checkerboard.png")
    parser.add_argument("--results", type=pathlib.Path)
    options = parser.parse_args(argv)
    if options.help:
        print(__doc__)
        sys.exit(0)
    options.results = options.results or (ROOT / "bench" / "results" / options.machine /
                                          "checkerboard.json")
    options.build, options.runs = options.build.resolve(), options.runs.resolve()
    options.jobs, options.keep_runs = 1, True  # as loss_table.py has them
    return options


def table_of(results):
    lines = ["| generator | doubles by | untrained | trained | trained / real | Fréchet distance |",
             "|---|---|---|---|---|---|"]
    for (model, how, _), result in zip(GENERATORS, results):
        pixels = result["evaluation"]["pixels"]
        energy, real = pixels["checkerboard_energy"], pixels["checkerboard_energy_of_real"]
        lines.append(f"| `{model}` | {how} | {pixels['checkerboard_energy_untrained']:.5f} | "
                     f"{energy:.5f} | {energy / real:.2f} | "
                     f"{loss_table.distance_of(result):.3f} |")
    return "\n".join(lines)


def main(argv):
    options = arguments(argv)
    results, panels = [], ([], [])
    for model, _, flags in GENERATORS:
        result = loss_table.result_of(options, flags, f"{model}-{options.seed}", options.seed)
        if "diverged" in result:
            loss_table.stop(f"{model} diverged: {result['diverged']}")
        results.append(result)
        samples = options.runs / f"{model}-{options.seed}" / "samples"
        for line, step in zip(panels, (0, options.steps)):
            line.append(panel(samples / f"{step:08d}.png", stretch=step == 0))
    write_png(options.picture, side_by_side(panels))
    pixels = results[0]["evaluation"]["pixels"]
    note = (f"{options.count} images of each kind; real images have "
            f"{pixels['checkerboard_energy_of_real']:.5f}, white noise "
            f"{(2 * SIZE - 1) / (SIZE * SIZE - 1):.5f}. Base {options.base}, batch "
            f"{options.batch}, {options.steps} steps, seed {options.seed}.")
    table = table_of(results)
    loss_table.put_between_markers(options.docs, "checkerboards", f"{table}\n\n{note}")
    loss_table.write_results(options.results, {
        "format": "imago-checkerboards-1", **loss_table.conditions(options, results),
        "generators": [{"model": model, "doubles_by": how, "flags": flags, "run": result}
                       for (model, how, flags), result in zip(GENERATORS, results)]})
    print(f"\n{table}\n\n{note}\nWrote {options.picture}, {options.docs} and {options.results}")


if __name__ == "__main__":
    main(sys.argv[1:])
