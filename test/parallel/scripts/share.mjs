// Tensors between users' own threads.
import { Worker } from "node:worker_threads";
import { arange, attach, isTensor, noGrad, tensor, zeros } from "nabla";
import { print } from "./common.mjs";

class Thread {
  worker = new Worker(new URL("./worker.mjs", import.meta.url)).on("error", (error) => this.reject(error));
  tell(...command) {
    return new Promise((resolve, reject) => {
      this.reject = reject;
      this.worker.once("message", resolve);
      this.worker.postMessage(command);
    });
  }
  end = () => this.worker.terminate();
}
const said = {};
const caught = (f) => {
  try {
    return f();
  } catch (error) {
    return `${error.name} ${error.code}`;
  }
};
{
  const thread = new Thread();
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  said.there = (await thread.tell("attach", "x", x.share())).value;
  await thread.tell("write", "x", 7);
  said.seenHere = x.toArray();
  noGrad(() => x.at(0).assign(tensor([9, 8, 7])));
  said.seenThere = (await thread.tell("read", "x")).value;
  said.view = (await thread.tell("attach", "v", x.t().at("1:, ::-1").share())).value;
  said.scalar = (await thread.tell("attach", "s", x.at(1, 2).share())).value;
  said.empty = (await thread.tell("attach", "e", zeros([0, 4]).share())).value;
  said.wide = (await thread.tell("attach", "w", arange(3).expand([2, 3]).share())).value;
  said.writeWide = await thread.tell("write", "w", 1);
  const shared = (await thread.tell("share", "mine", [[1.5], [2.5]])).value;
  const early = attach(shared);
  said.fromWorker = early.toArray();
  const late = (await thread.tell("share", "other", [3, 1, 4])).value;
  const attachedLate = attach(late);
  const lost = (await thread.tell("share", "lost", [1, 2])).value;
  const droppedByBoth = (await thread.tell("share", "gone", [1, 2])).value;
  attach(droppedByBoth).dispose();
  await thread.tell("drop", "gone");
  said.droppedByBoth = caught(() => attach(droppedByBoth));
  await thread.end();
  said.afterTheEnd = [early.toArray(), attachedLate.sum().item()];
  noGrad(() => early.assign(5));
  said.writable = early.toArray();
  said.lost = caught(() => attach(lost));
  // The message keeps what the sender has disposed of, until it ends or somebody attaches.
  const kept = tensor([1, 2, 3]);
  const message = kept.share();
  kept.dispose();
  const again = attach(message);
  said.keptByMessage = again.toArray();
  again.dispose();
  said.released = caught(() => attach(message));
  said.usedAfterDispose = caught(() => again.share());
}
const posted = new Worker("", { eval: true });
said.posting = caught(() => posted.postMessage(tensor([1])));
said.cloning = caught(() => structuredClone({ x: tensor([1]) }));
await posted.terminate();

// Descriptions that nobody made: each is refused, or is a tensor that lies inside the storage.
const origin = tensor([
  [1, 2],
  [3, 4],
  [5, 6],
]);
const good = origin.share();
const values = [
  undefined,
  null,
  0,
  -1,
  1,
  2,
  5,
  6,
  7,
  0.5,
  Number.NaN,
  Infinity,
  2 ** 31,
  2 ** 53,
  1e300,
  "6",
  "float64",
  "bool",
  "x",
  true,
  [],
  {},
  [6],
  [2, 3],
  [3, 2],
  [6, 1],
  [-1, 6],
  [0, 1e15],
  [1e15, 1e15],
  [Number.NaN],
  [0.5, 1],
  ["a", 1],
  [0, 0],
  [-2, 1],
  [1, 1, 1],
  Array(17).fill(1),
  [null, 2],
  5n,
];
const tally = {};
for (const key of Object.keys(good).filter((name) => name !== "id"))
  for (const a of values)
    for (const other of ["shape", "strides", "offset"])
      for (const b of values) {
        let outcome;
        try {
          const x = attach({ ...good, [key]: a, [other]: b });
          const flat = x.toTypedArray();
          outcome = isTensor(x) && flat.every((v) => v >= 1 && v <= 6) ? "inside" : `read ${flat}`;
          x.dispose();
        } catch (error) {
          outcome = error.name === "NablaError" ? error.code : `${error.name}: ${error.message}`;
        }
        tally[outcome] = (tally[outcome] ?? 0) + 1;
      }
for (const id of values) {
  const outcome = caught(() => attach({ ...good, id }) && "attached");
  tally[`id: ${outcome}`] = (tally[`id: ${outcome}`] ?? 0) + 1;
}
for (const junk of [...values, "tensor", { nabla: "tensor" }, { nabla: "tensor", id: 1 }]) {
  const outcome = caught(() => attach(junk) && "attached");
  tally[`junk: ${outcome}`] = (tally[`junk: ${outcome}`] ?? 0) + 1;
}
said.tally = tally;
said.origin = origin.toArray();
print(said);
