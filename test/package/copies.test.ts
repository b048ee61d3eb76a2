/** Two copies of nabla in one program: objects of one are refused by the other, and the error says whose they are. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import * as nabla from "nabla";
import { describe as described } from "nabla/internal";
import { afterAll, describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import type { Case } from "../ops/cases/case.js";
import { cases } from "../ops/cases/index.js";
import { draw, makeAll, randomFor, small } from "../ops/laws/inputs.js";
import { makeCopy } from "../support/copy.js";

const { nn, optim, ones, tensor } = nabla;
const copy = makeCopy();
const other = await copy.load();
afterAll(() => copy.remove());

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
/** An error of either copy says where the other one is. */
const named = [
  `of another copy of nabla (${copy.path}, ${copy.version})`,
  `of another copy of nabla (${root}, ${manifest.version})`,
];

function refusal(call: () => unknown): { code: string; message: string } {
  try {
    call();
  } catch (error) {
    const { name, code, message } = error as { name: string; code: string; message: string };
    expect(name, message).toBe("NablaError");
    return { code, message };
  }
  return { code: "none", message: "accepted" };
}

test("a description names the class, the copy's path and its version", () => {
  expect(described(other.tensor([1]))).toBe(`a Tensor ${named[0]}`);
  expect(described(new other.nn.Linear(1, 1))).toBe(`a Linear ${named[0]}`);
  expect(described(tensor([1]))).toBe("a Tensor");
  expect(Object.keys(tensor([1]))).toEqual(["shape", "handle", "type", "layout", "offset", "node"]);
});

/** The calls of a case in which one operand is another copy's. */
function* mixed(of: Case, op: string): Generator<readonly [string, () => unknown]> {
  const dtype = of.dtypes[0]!;
  for (const sample of small(of).slice(0, 2)) {
    const xs = makeAll(of, draw(of, sample, dtype, randomFor(op)), dtype);
    for (const i of xs.keys()) {
      const foreign = other.tensor(xs[i]!.toTypedArray(), { shape: xs[i]!.shape, dtype: xs[i]!.dtype });
      yield [`${sample.label}, operand ${i}`, () => sample.call(xs.map((x, at) => (at === i ? foreign : x)))];
    }
  }
}

/** Public ops of several operands; what only rules call has been checked before. */
const several = [...cases].filter(([op, of]) => of.inputs.length > 1 && op in nabla);
test("there are many such ops", () => expect(several.length).toBeGreaterThan(40));
test.each(several)("%s refuses an operand of another copy", (op, of) => {
  let calls = 0;
  for (const [what, call] of mixed(of, op)) {
    calls++;
    const { code, message } = refusal(call);
    expect(code, `${what}: ${message}`).toBe("ERR_ARGUMENT");
    expect(
      named.some((text) => message.includes(text)),
      `${what}: ${message}`,
    ).toBe(true);
  }
  expect(calls).toBeGreaterThan(1);
});

describe("everything else that takes a tensor or a module refuses another copy's", () => {
  const x = other.ones([2, 2], { requiresGrad: true });
  const layer = new other.nn.Linear(2, 2);
  const own = ones([2, 2], { requiresGrad: true });
  const net = new nn.Sequential(new nn.Linear(2, 2));
  const holding = (value: unknown) => Object.assign(new nn.Module(), { first: new nn.Linear(1, 1), value });
  const f = (a: nabla.Tensor) => a.mul(a).sum();
  const calls: Record<string, () => unknown> = {
    "tensor()": () => tensor(x as never),
    "tensor([])": () => tensor([x] as never),
    zerosLike: () => nabla.zerosLike(x),
    equal: () => nabla.equal(own, x),
    allClose: () => nabla.allClose(x, own),
    at: () => own.at(x),
    "at slice": () => own.at(new other.Slice(0, 1)),
    "grad =": () => {
      own.grad = x;
    },
    backward: () => nabla.backward(x.sum()),
    "backward with a gradient": () => f(own).backward(x.sum() as never),
    grad: () => nabla.grad(f)(x),
    "grad in a tree": () => nabla.grad((t: { a: nabla.Tensor }) => f(t.a))({ a: own, b: [x] } as never),
    "grad of tensors": () => nabla.grad(f(own), [x]),
    vjp: () => nabla.vjp(f, x),
    jvp: () => nabla.jvp(f, [x], [x]),
    "jvp's tangent": () => nabla.jvp(f, [own], [x]),
    hvp: () => nabla.hvp(f, [own], [x]),
    jacrev: () => nabla.jacrev(f)(x),
    jacfwd: () => nabla.jacfwd(f)(x),
    hessian: () => nabla.hessian(f)(x),
    vmap: () => nabla.vmap(f)(x),
    gradcheck: () => nabla.gradcheck(f, x),
    checkpoint: () => nabla.checkpoint(f, x),
    graph: () => nabla.graph(x),
    share: () => nabla.share(x),
    saveSafetensors: () => nabla.encodeSafetensors({ x }),
    TensorDataset: () => new nabla.TensorDataset(x),
    "DataLoader of tensors": () => [...new nabla.DataLoader([x, x], { batchSize: 2 })],
    "DataLoader of another data set": () => [...new nabla.DataLoader(new other.TensorDataset(x), { batchSize: 2 })],
    generator: () => nabla.rand([1], { generator: new other.RandomGenerator(1) }),
    Parameter: () => new nn.Parameter(x),
    Buffer: () => new nn.Buffer(x),
    Sequential: () => new nn.Sequential(layer),
    ModuleList: () => new nn.ModuleList([layer]),
    "a module's module": () => holding(layer).parameters(),
    "a module's parameter": () => holding(new other.nn.Parameter(x)).stateDict(),
    "in a list of a module": () => holding([{ layer }]).train(),
    "the input of a layer": () => net.forward(x),
    copyFrom: () => net.copyFrom(layer as never),
    loadStateDict: () => net.loadStateDict({ "0.weight": x, "0.bias": x }),
    functionalCall: () => nabla.functionalCall(layer, {}, own),
    "functionalCall's tensors": () => nabla.functionalCall(net, { "0.weight": x }, own),
    summary: () => nabla.summary(layer),
    inference: () => nabla.inference(layer, () => 0),
    optimizer: () => new optim.SGD([x], { lr: 1 }),
    "optimizer's group": () => new optim.AdamW([{ params: [own, x] }]),
    schedule: () => new optim.StepLR(new other.optim.SGD([x], { lr: 1 }), { stepSize: 1 }),
    plateau: () => new optim.ReduceLROnPlateau(new other.optim.SGD([x], { lr: 1 })),
    clipGradNorm: () => optim.clipGradNorm([x], 1),
  };
  test.each(Object.entries(calls))("%s", (_, call) => {
    const { code, message } = refusal(call);
    expect(message).toContain(named[0]);
    expect(code).toBe("ERR_ARGUMENT");
  });
});

describe("a shared tensor", () => {
  const error = "attach: the tensor was shared by another process or another copy of nabla";

  test("of another copy is refused, though its number is one of ours", () => {
    const mine = tensor([1, 2, 3]);
    const shared = other.tensor([1, 2, 3]).share();
    // Both count from 1, so that one of so many has that number here too.
    const ids = Array.from({ length: shared.id + 1 }, () => tensor([1]).share().id);
    expect(ids.some((id) => id === shared.id) || mine.share().id >= shared.id).toBe(true);
    expect(refusal(() => nabla.attach(shared))).toMatchObject({
      code: "ERR_WORKER",
      message: expect.stringContaining(error),
    });
    expect(refusal(() => other.attach(mine.share()))).toMatchObject({ code: "ERR_WORKER" });
  });

  test("of another process is refused, though its number is one of ours", async () => {
    const script = `import("nabla").then(({ tensor }) => console.log(JSON.stringify(tensor([1, 2, 3]).share())))`;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], { cwd: root });
    const shared = JSON.parse(stdout) as nabla.SharedTensor;
    expect(shared.id).toBe(1);
    const mine = tensor([4, 5, 6]);
    const { origin } = mine.share();
    expect(refusal(() => nabla.attach(shared))).toMatchObject({
      code: "ERR_WORKER",
      message: expect.stringContaining(error),
    });
    expect(refusal(() => nabla.attach({ ...shared, origin }))).not.toMatchObject({
      message: expect.stringContaining(error),
    });
  });

  test("of another thread of this process is attached", async () => {
    const source = `import("nabla").then(({ tensor }) => {
      require("node:worker_threads").parentPort.postMessage(tensor([7, 8]).share());
      setInterval(() => {}, 1000);
    })`;
    const worker = new Worker(source, { eval: true });
    const shared = await new Promise<nabla.SharedTensor>((resolve, reject) =>
      worker.once("message", resolve).once("error", reject),
    );
    expect(nabla.attach(shared).toArray()).toEqual([7, 8]);
    await worker.terminate();
  });
});
