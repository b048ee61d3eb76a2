// Writes npy and npz files and has NumPy read them: `node test/io/scripts/numpy.mjs [python]`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { saveNpy, saveNpz, tensor, zeros } from "../../../dist/index.js";

const [python = "python3"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "nabla-numpy-"));
const dtypes = {
  bool: "bool",
  uint8: "uint8",
  int32: "<i4",
  int64: "<i8",
  float16: "<f2",
  float32: "<f4",
  float64: "<f8",
};
const tensors = { empty: zeros([3, 0]), scalar: tensor(2.5) };
for (const dtype of Object.keys(dtypes))
  tensors[dtype] = tensor([0, 1, 2, 3, 100, 1].map((x) => (dtype === "bool" ? x % 2 : x)))
    .reshape([2, 3])
    .to(dtype);
tensors.transposed = tensors.float64.t();
const show = (x) =>
  /float/.test(x.dtype) ? (n) => `${Number.isInteger(n) ? n.toFixed(1) : n}` : (n) => `${Number(n)}`;
const wanted = {};
for (const [name, x] of Object.entries(tensors)) {
  await saveNpy(join(folder, `${name}.npy`), x);
  wanted[name] = [dtypes[x.dtype], x.shape, Array.from(x.toTypedArray(), show(x))];
}
await saveNpz(join(folder, "plain.npz"), tensors);
await saveNpz(join(folder, "compressed.npz"), tensors, { compress: true });
writeFileSync(join(folder, "wanted.json"), JSON.stringify(wanted));
const check = fileURLToPath(new URL("../golden/npy.py", import.meta.url));
const { status, error } = spawnSync(python, [check, folder], { stdio: "inherit" });
rmSync(folder, { recursive: true });
if (error) throw error;
process.exitCode = status;
