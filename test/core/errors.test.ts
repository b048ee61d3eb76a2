import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as nabla from "nabla";
import { NablaError, nn, ones, tensor, zeros } from "nabla";
import { fail } from "nabla/internal";
import { describe, expect, test } from "vitest";
import { thrown } from "../autograd/code.js";

describe("details", () => {
  test("hold what was expected and what was got", () => {
    expect(thrown(() => ones([2]).add(ones([3]))).details).toEqual({
      expected: "equal sizes or 1",
      got: "[2] and [3]",
    });
    expect(thrown(() => zeros([2], { dtyp: "float64" } as never)).details).toMatchObject({
      option: "dtyp",
      suggestion: "dtype",
    });
    expect(thrown(() => ones([2]).sum(5)).details).toMatchObject({ got: "5" });
    expect(thrown(() => new nn.ModuleList(3 as never)).details).toMatchObject({ got: "3" });
  });
});

test("classes bear their names in messages", () => {
  for (const space of [nabla, nabla.nn, nabla.optim])
    for (const [name, value] of Object.entries(space))
      if (/^class\b/.test(String(value))) expect((value as { readonly name: string }).name).toBe(name);
  expect(thrown(() => ones([2]).add(new nn.Module() as never)).message).toMatch(/got a Module$/);
});

describe("JSON", () => {
  const parsed = (error: unknown): unknown => JSON.parse(JSON.stringify(error));
  test("keeps name, code, op, message and details", () => {
    expect(parsed(thrown(() => ones([2]).add(ones([3]))))).toEqual({
      name: "NablaError",
      code: "ERR_SHAPE",
      op: "add",
      message: "add: shapes do not broadcast; expected equal sizes or 1, got [2] and [3]",
      details: { expected: "equal sizes or 1", got: "[2] and [3]" },
    });
  });
  test("of any details", () => {
    const itself: Record<string, unknown> = {};
    itself["itself"] = itself;
    const details = {
      itself,
      big: 2n ** 70n,
      x: ones([1]),
      nan: Number.NaN,
      f: fail,
      s: Symbol("s"),
      list: [[[[1]]]],
      none: undefined,
    };
    const error = thrown(() => fail("ERR_ARGUMENT", "op", "fact", undefined, undefined, details));
    expect(parsed({ nested: [error] })).toMatchObject({
      nested: [
        { message: "op: fact", details: { big: `${2n ** 70n}n`, x: "a Tensor", nan: "NaN", f: "function fail" } },
      ],
    });
  });
});

describe("a frozen Error", () => {
  const entry = fileURLToPath(new URL("../../dist/index.js", import.meta.url));
  const script = (freeze: string): string => `
    import(${JSON.stringify(entry)}).then(({ NablaError, detectAnomaly, ones, tensor, zeros }) => {
      ${freeze}
      const codes = [];
      for (const f of [
        () => ones([2]).add(ones([3])),
        () => zeros([2], { a: 1 }),
        () => ones([2, 2]).std(7),
        () => zeros([2 ** 40]),
        () => detectAnomaly(() => tensor([-1]).sqrt()),
      ])
        try {
          f();
        } catch (error) {
          codes.push(error instanceof NablaError && error.name === "NablaError" ? error.code : String(error));
        }
      console.log(JSON.stringify(codes));
    });`;
  test.each([
    ["node --frozen-intrinsics", ["--frozen-intrinsics", "--no-warnings"], ""],
    ["Object.freeze(Error)", [], "Object.freeze(Error); Object.freeze(Error.prototype);"],
    ["without a limit of frames", [], "delete Error.stackTraceLimit;"],
  ])("%s: errors are what they are", (_, flags, freeze) => {
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, "-e", script(freeze)], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual(["ERR_SHAPE", "ERR_ARGUMENT", "ERR_AXIS", "ERR_MEMORY", "ERR_GRADIENT"]);
  });
  test("here, the stack starts at the caller and the limit stays", () => {
    const limit = Error.stackTraceLimit;
    const error = thrown(() =>
      tensor([1])
        .add(tensor([1, 2, 3]).reshape([3]))
        .sum(9),
    );
    expect(error).toBeInstanceOf(NablaError);
    expect(error.stack?.split("\n")[1]).toContain("errors.test");
    expect(Error.stackTraceLimit).toBe(limit);
  });
});
