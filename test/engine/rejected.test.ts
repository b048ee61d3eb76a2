import { expect, it } from "vitest";
import { answer } from "../support/child.js";

it("a promise that is refused may be rejected later without ending the process", async () => {
  const codes = await answer<Record<string, string>>(new URL("./scripts/rejected.mjs", import.meta.url));
  expect(Object.keys(codes).length).toBeGreaterThan(25);
  for (const [name, code] of Object.entries(codes)) expect([name, code]).toEqual([name, "ERR_ARGUMENT"]);
});
