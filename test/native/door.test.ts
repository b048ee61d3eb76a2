import { attach, nn, noGrad, ones, optim, randn, tensor } from "nabla";
import { addon, type Door, eager, standIn, timesWritten } from "nabla/internal";
import { expect, test } from "vitest";
import { passingOn } from "../support/door.js";

/** A door that lists the calls and passes them on. */
function listing(): { door: Door; calls: string[] } {
  const calls: string[] = [];
  return { door: passingOn((call) => calls.push(call)), calls };
}

const refusing = Object.fromEntries(
  Object.keys(eager).map((name) => [
    name,
    () => {
      throw new Error(`refused: ${name}`);
    },
  ]),
) as unknown as Door;

test("whoever stands at the door sees the calls of a training step, which are the ones that run without it", () => {
  const step = () => {
    const model = new nn.Linear(3, 2);
    noGrad(() => {
      for (const p of model.parameters()) p.assign(0.5);
    });
    const opt = new optim.Adam(model.parameters(), { lr: 0.1 });
    for (let i = 0; i < 2; i++) {
      opt.zeroGrad();
      model
        .forward(ones([4, 3]))
        .square()
        .mean()
        .backward();
      opt.step();
    }
    return model.parameters().map((p) => p.toArray());
  };
  const { door, calls } = listing();
  const seen = standIn(door, step);
  expect(seen).toEqual(step());
  const many = (name: string) => calls.filter((call) => call === name).length;
  expect(many("execute") + many("run")).toBeGreaterThan(20);
  expect(many("save")).toBeGreaterThan(0);
  expect(many("read") + many("item")).toBe(2); // toArray of two parameters
});

test("no call on tensors passes it by", () => {
  const x = tensor([1, 2, 3]);
  const big = randn([1000, 1000]);
  const posted = x.share();
  const opt = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 0.1 });
  opt.paramGroups[0]!.params[0]!.grad = tensor([1]);
  for (const [call, f] of [
    ["execute", () => big.add(1)],
    ["execute", () => ones([2000, 2000])],
    ["create", () => tensor([1, 2])],
    ["read", () => x.toArray()],
    ["read", () => x.toTypedArray()],
    ["item", () => x.at(0).item()],
    ["share", () => x.share()],
    ["attach", () => attach(posted)],
    ["version", () => timesWritten(x)],
    ["run", () => x.assign(3)],
    ["run", () => opt.step()],
  ] as [string, () => unknown][])
    expect(() => standIn(refusing, f), String(f)).toThrow(`refused: ${call}`);
  expect(x.toArray()).toEqual([1, 2, 3]);
});

test("calls that are not on tensors do not go through it", () => {
  expect(standIn(refusing, () => addon.stats().handles)).toBeGreaterThan(0);
});

test("an asynchronous function is refused, as the door would be back before it ends", () => {
  expect(() => standIn(refusing, async () => tensor([1, 2]))).toThrow(/standIn: the function must be synchronous/);
  expect(tensor([1, 2]).toArray()).toEqual([1, 2]);
});
