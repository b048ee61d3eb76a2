// Memory that JavaScript allocates itself, under NABLA_MEMORY_LIMIT=256m and a small heap: `node javascript-memory.mjs CASE`.
import { gzipSync } from "node:zlib";
import {
  DataLoader,
  decodeIdx,
  eye,
  linspace,
  manualSeed,
  memory,
  nn,
  ones,
  randomSplit,
  randperm,
  tensor,
  trim,
  zeros,
} from "../../../dist/index.js";

const MB = 2 ** 20;
const block = (megabytes) => ones([megabytes, MB / 4]);
function codeOf(run) {
  try {
    run();
    return "none";
  } catch (error) {
    return error.code ?? String(error);
  }
}
function idx(size, filled) {
  const bytes = Buffer.alloc(8 + filled);
  bytes.set([0, 0, 8, 1]);
  bytes.writeUInt32BE(size, 4);
  return gzipSync(bytes);
}

const cases = {
  "typed arrays that are held count"() {
    const x = block(100);
    const held = x.toTypedArray();
    const codes = [codeOf(() => x.toTypedArray()), codeOf(() => block(100))];
    return [...codes, held.length, memory().liveBytes >= 200 * MB];
  },
  "typed arrays that are dropped make room"() {
    const x = block(100);
    for (let i = 0; i < 8; i++) x.toTypedArray();
    x.dispose();
    trim();
    return memory().liveBytes < MB;
  },
  "nested arrays beyond the heap"() {
    return [[200, MB / 4], [50 * MB], [10 * MB, 2]].map((shape) => codeOf(() => ones(shape).toArray()));
  },
  "nested arrays that fit, again and again"() {
    const x = block(4);
    for (let i = 0; i < 10; i++) x.toArray();
    return x.toArray().length;
  },
  "lists of tensors beyond the heap"() {
    const x = zeros([100 * MB], { dtype: "bool" });
    const y = zeros([MB], { requiresGrad: true });
    const lists = [() => x.unbind(), () => x.split(1), () => x.chunk(50 * MB), () => y.unbind()];
    const layers = () => new nn.GRU(1, 1, { numLayers: 1e9 });
    return [...[...lists, layers].map(codeOf), x.at(":50000").unbind().length];
  },
  "orders of many numbers"() {
    manualSeed(1);
    const n = 8 * MB;
    const sum = randperm(n).sum().item();
    return [sum === (n * (n - 1)) / 2, codeOf(() => randperm(80 * MB)), codeOf(() => randperm(2 ** 31 + 1))];
  },
  "numbers that are made here"() {
    const start = process.cpuUsage();
    const makers = [
      () => linspace(0, 1, 1e9),
      () => linspace(0, 1, 40 * MB, { dtype: "bfloat16" }),
      () => eye(30_000),
      () => tensor(new Uint8Array(40 * MB), { dtype: "float64" }),
    ];
    const codes = makers.map(codeOf);
    return [...codes, process.cpuUsage(start).user < 1e6];
  },
  "a loader of very many samples"() {
    const dataset = { length: 100 * MB, at: (i) => ones([1]).mul(i) };
    const first = () => new DataLoader(dataset, { batchSize: 2, shuffle: true })[Symbol.iterator]().next().value;
    const all = () => new DataLoader(dataset, { batchSize: 100 * MB })[Symbol.iterator]().next();
    return [codeOf(first), first().numel, codeOf(all), codeOf(() => randomSplit(dataset, [1]))];
  },
  "a gzip bomb"() {
    const peak = () => process.resourceUsage().maxRSS / 1024;
    const bombs = [idx(300 * MB, 300 * MB), idx(1000, 300 * MB), idx(2 ** 32 - 1, 1000), idx(100 * MB, 99 * MB)];
    const before = peak();
    const codes = bombs.map((bytes) => codeOf(() => decodeIdx(bytes)));
    return [...codes, decodeIdx(idx(50 * MB, 50 * MB)).data.length / MB, peak() - before < 250];
  },
};
console.log(JSON.stringify(cases[process.argv[2]]()));
