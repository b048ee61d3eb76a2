import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import * as nabla from "nabla";
import * as internal from "nabla/internal";
import { expect, test } from "vitest";

/** What Node itself loads under the package's own name, as job modules and workers do. */
const required: typeof nabla = createRequire(import.meta.url)("nabla");

test("tests, the package by its name and the internals are one instance", () => {
  expect(required.tensor).toBe(nabla.tensor);
  expect(internal.NablaError).toBe(nabla.NablaError);
});

test("a worker loads it by its name", async () => {
  const source = `import("nabla").then((nabla) => postMessage(nabla.tensor([1, 2]).sum().item()));
    const { parentPort } = require("node:worker_threads");
    parentPort.on("message", () => {}); // stays until it is terminated
    const postMessage = (value) => parentPort.postMessage(value);`;
  const worker = new Worker(source, { eval: true });
  const answer = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  expect(answer).toBe(3);
  expect(await worker.terminate()).toBe(1);
});
