import { checkOptions, describe as describeValue, fail, NablaError, nearest } from "nabla/internal";
import { describe, expect, test } from "vitest";

interface Options {
  dim?: number;
  keepdim?: boolean;
}
const check = (options: unknown) => () => checkOptions<Options>("sum", options as Options, ["dim"], ["keepdim"]);

describe("checkOptions", () => {
  test("returns what it was given, and an object for nothing", () => {
    expect(check({ dim: 1, keepdim: undefined })()).toEqual({ dim: 1 });
    expect(check(Object.create({ dim: 1 }))()).toEqual({ dim: 1 });
    expect(check(undefined)()).toEqual({});
  });

  test("reads each option once, so that what was checked is what is used", () => {
    const answers = [true, Symbol("another")];
    const given = check({
      get keepdim() {
        return answers.shift();
      },
    })();
    expect([given.keepdim, given.keepdim]).toEqual([true, true]);
  });

  test.each([
    ["keepdims", "keepdim"],
    ["keep_dim", "keepdim"],
    ["keepidm", "keepdim"],
    ["DIM", "dim"],
    ["dims", "dim"],
  ])("suggests the nearest name for %s", (name, nearest) => {
    const message = `sum: unknown option "${name}" (did you mean "${nearest}"?); expected dim, keepdim`;
    expect(check({ [name]: 1 })).toThrowError(message);
    expect(check({ [name]: 1 })).toThrowError(expect.objectContaining({ code: "ERR_ARGUMENT", op: "sum" }));
  });

  test.each([[1], [null], ["false"], [[]]])("refuses %j where a boolean is expected", (value) => {
    expect(check({ keepdim: value })).toThrowError(
      `sum: keepdim is not valid; expected a boolean, got ${describeValue(value)}`,
    );
    expect(check({ keepdim: value })).toThrowError(expect.objectContaining({ code: "ERR_ARGUMENT", op: "sum" }));
  });

  test("suggests nothing where nothing is near", () => {
    expect(check({ colour: 1 })).toThrowError('sum: unknown option "colour"; expected dim, keepdim');
    expect(nearest("colour", [])).toBeUndefined();
  });

  test.each([
    [null, "null"],
    [3, "3"],
    ["dim", '"dim"'],
    [[1], "[1]"],
    [() => 1, "a function"],
  ])("refuses %j in place of options", (options, got) => {
    expect(check(options)).toThrowError(`sum: options must be an object; expected { dim, keepdim }, got ${got}`);
  });
});

describe("fail", () => {
  test("makes one sentence of what it knows", () => {
    expect(() => fail("ERR_SHAPE", "mul", "sizes differ", "3", "4")).toThrowError(
      "mul: sizes differ; expected 3, got 4",
    );
    expect(() => fail("ERR_SHAPE", "mul", "sizes differ", undefined, "4")).toThrowError("mul: sizes differ; got 4");
    expect(() => fail("ERR_SHAPE", "mul", "sizes differ")).toThrowError(/^mul: sizes differ$/);
  });

  test("carries code, op and details, and prints under its own name", () => {
    const refuse = () => fail("ERR_AXIS", "sum", "no such axis", "-2 to 1", "5", { dim: 5 });
    expect(refuse).toThrowError(NablaError);
    expect(refuse).toThrowError(
      expect.objectContaining({ code: "ERR_AXIS", op: "sum", details: { dim: 5, expected: "-2 to 1", got: "5" } }),
    );
    expect(() => refuse()).toThrowError(
      expect.objectContaining({ stack: expect.stringMatching(/^NablaError: sum: no/) }),
    );
  });

  test("starts the stack below the function it is given, or at its caller", () => {
    const frames = (from: () => never) => {
      try {
        return from();
      } catch (error) {
        return (error as Error).stack?.split("\n").slice(1) ?? [];
      }
    };
    function op(): never {
      return inner();
    }
    function inner(): never {
      return fail("ERR_NATIVE", "op", "refused", undefined, undefined, {}, op);
    }
    function unrelated(): never {
      return fail("ERR_NATIVE", "op", "refused", undefined, undefined, {}, check);
    }
    expect(frames(op)[0]).toContain("at frames ");
    expect(frames(unrelated)[0]).toContain("at unrelated ");
  });
});

test("describe names a value on one line", () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const values = [
    -0,
    1n,
    undefined,
    [1, "a"],
    Array(9),
    cyclic,
    {},
    Object.create(null),
    new Float32Array(2),
    "x".repeat(99),
  ];
  const texts = values.map(describeValue);
  expect(texts.slice(0, 5)).toEqual(["-0", "1n", "undefined", '[1, "a"]', "an array of 9"]);
  expect(texts.slice(5, 9)).toEqual(["an array of 1", "an object", "an object", "a Float32Array"]);
  expect(texts[9]).toHaveLength(43);
});
