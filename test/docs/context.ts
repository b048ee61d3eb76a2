/** What the examples of the documentation take for granted: a model, some data, files in the current folder. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  DataLoader,
  defineJob,
  encodeSafetensors,
  nn,
  ones,
  optim,
  randint,
  randn,
  saveCheckpoint,
  saveNpy,
  saveNpz,
  saveSafetensors,
  type Tensor,
  TensorDataset,
  tensor,
} from "nabla";

export const model = new nn.Linear(2, 2);
export const x = ones([256, 2]);
export const y = ones([256], { dtype: "int32" });
export const options: { dim?: number; keepdim?: boolean } = { keepdim: true };
/** Their product is an error. */
export const a = ones([2, 3]);
export const b = ones([4, 5]);
export const w = tensor([1, 2], { requiresGrad: true });
export const images = randn([256, 2]);
export const labels = randint(0, 2, [256]);
export const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
export const schedule = new optim.StepLR(optimizer, { stepSize: 1 });
export const loader = new DataLoader(new TensorDataset(images, labels), { batchSize: 64 });
export const bytes = encodeSafetensors({ weight: ones([1, 2]) });
export const job = defineJob({
  model: () => new nn.Linear(2, 2),
  data: () => ({ train: new TensorDataset(images, labels) }),
  loss: (net, [x, y]) => nn.functional.crossEntropy(net.forward(x), y),
  epochs: 1,
});
export const step = (...batch: readonly Tensor[]): void => void model.forward(batch[0]!);

/** An IDX file of zeros: type 8 (bytes) and the sizes, then the elements. */
function idx(...shape: number[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint32(0, 0x0800 + shape.length);
  shape.forEach((size, i) => header.setUint32(4 + 4 * i, size));
  const elements = Buffer.alloc(shape.reduce((product, size) => product * size, 1));
  return gzipSync(Buffer.concat([Buffer.from(header.buffer), elements]), { level: 1 });
}

/** Makes a folder with the files that the examples name and goes there. */
export async function enterFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "nabla-docs-"));
  process.chdir(folder);
  await saveSafetensors("weights.safetensors", model.stateDict());
  await saveNpy("embeddings.npy", ones([100, 8]));
  await saveNpz("data.npz", { x: tensor([1, 2]) });
  writeFileSync("houses.csv", "city,rooms,price\nRome,3,500\nOslo,,700\n");
  writeFileSync("reviews.jsonl", '{"text":"dull","stars":1}\n{"text":"fine","stars":5}\n');
  writeFileSync("story.txt", "hello world");
  mkdirSync(join("data", "cifar-10-batches-bin"), { recursive: true });
  for (const name of [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat("test_batch.bin"))
    writeFileSync(join("data", "cifar-10-batches-bin", name), new Uint8Array(2 * 3073));
  await saveCheckpoint("last.safetensors", { model, optimizer, schedule, loader, epoch: 3 });
  const digits = { "train-images-idx3-ubyte.gz": idx(60_000, 28, 28), "train-labels-idx1-ubyte.gz": idx(60_000) };
  const more = { "t10k-images-idx3-ubyte.gz": idx(10_000, 28, 28), "t10k-labels-idx1-ubyte.gz": idx(10_000) };
  mkdirSync(join("data", "mnist"), { recursive: true });
  for (const [name, content] of Object.entries({ ...digits, ...more }))
    for (const path of [name, join("data", "mnist", name)]) writeFileSync(path, content);
  return folder;
}
