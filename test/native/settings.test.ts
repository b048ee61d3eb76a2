import { addon } from "nabla/internal";
import { describe, expect, test } from "vitest";
import { answer } from "../support/child.js";

interface Ran {
  readonly threads: number;
  readonly code: string | null;
  readonly error?: { readonly name: string; readonly code: string; readonly message: string };
}
const ranWith = (env: Record<string, string>) =>
  answer<Ran>(new URL("./scripts/settings.mjs", import.meta.url), { env: { NABLA_MEMORY_LIMIT: "", ...env } });

describe("variables of the environment", () => {
  test.each(["8m", "8 MB", "8192k", "0.0078125g", "8388608"])("NABLA_MEMORY_LIMIT=%s refuses 12 MB", async (limit) => {
    expect(await ranWith({ NABLA_MEMORY_LIMIT: limit })).toMatchObject({ code: "ERR_MEMORY" });
  });

  test("NABLA_NUM_THREADS sizes the pool; what is set to nothing is not set", async () => {
    expect(await ranWith({ NABLA_NUM_THREADS: "3" })).toMatchObject({ threads: 3, code: null });
    const none = { NABLA_NUM_THREADS: "", NABLA_ISA: "", NABLA_BINARY: "" };
    expect(await ranWith(none)).toMatchObject({ threads: addon.poolThreads(), code: null });
  });

  test.each([
    ["NABLA_MEMORY_LIMIT", "lots", "expected a number of bytes, alone or with k, m, g or t: 512m, 1.5g, 2 GB"],
    ["NABLA_MEMORY_LIMIT", "0", "expected a number of bytes"],
    ["NABLA_NUM_THREADS", "two", "expected an integer of at least 1"],
    ["NABLA_NUM_THREADS", "0", "expected an integer of at least 1"],
    ["NABLA_ISA", "avx1024", `expected one that this machine can run: ${addon.isas().join(", ")}`],
    ["NABLA_BINARY", "/nowhere/nabla.node", "expected the path of a nabla.node"],
    ["NABLA_BINARY", "package.json", "expected the path of a nabla.node"],
  ])("%s=%s is an error at import that says what is valid", async (name, value, expected) => {
    const { error } = await ranWith({ [name]: value });
    expect(error).toMatchObject({ name: "NablaError", code: "ERR_ARGUMENT" });
    expect(error?.message).toContain(`import: the environment variable ${name} cannot be used; ${expected}`);
    expect(error?.message).toContain(`got "${value}"`);
  });
});
