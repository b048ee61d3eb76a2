import { readFileSync } from "node:fs";
import { addon } from "nabla/internal";
import { describe, expect, test } from "vitest";
import { answer, child } from "../support/child.js";

const script = new URL("./scripts/isa.mjs", import.meta.url);

interface Ran {
  readonly isa: string;
  readonly isas: readonly string[];
  readonly sum: number;
  readonly again: readonly number[];
}
const ranWith = (isa: string) => answer<Ran>(script, { env: { NABLA_ISA: isa } });

describe("the instruction set in force", () => {
  const isas = addon.isas();

  test("is the best that processor and operating system allow", async () => {
    expect(isas.at(-1)).toBe("scalar");
    const { isa } = await ranWith("");
    expect(isa).toBe(isas[0]);
    if (process.platform !== "linux") return;
    // The kernel lists a feature only where it saves the registers too.
    const features = new Set(readFileSync("/proc/cpuinfo", "utf8").split(/\s+/));
    const has = (...names: string[]) => names.every((name) => features.has(name));
    const x64 = process.arch === "x64";
    expect(isas.includes("avx512")).toBe(x64 && has("avx512f", "avx512dq", "avx512bw", "avx512vl", "fma"));
    expect(isas.includes("avx2")).toBe(x64 && has("avx2", "fma"));
    expect(isas.includes("neon")).toBe(process.arch === "arm64");
  });

  test("is what NABLA_ISA names, where it can run", async () => {
    for (const isa of isas) expect(await ranWith(isa)).toMatchObject({ isa, sum: 10, again: new Array(6).fill(1) });
    const foreign = process.arch === "x64" ? "neon" : "avx2";
    const { stderr } = await child(script, { env: { NABLA_ISA: foreign } });
    expect(stderr).toContain(`the environment variable NABLA_ISA cannot be used`);
  });
});
