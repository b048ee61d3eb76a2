// Errors of the job arrive as the user would see them inline, and the DataParallel goes on.
import { DataParallel, ones } from "nabla";
import { job, print } from "./common.mjs";

const seen = (error) => ({
  nabla: error?.constructor?.name === "NablaError",
  class: error?.constructor?.name ?? typeof error,
  name: error?.name,
  message: error?.message ?? error,
  code: error?.code,
  op: error?.op,
  luck: error?.luck,
  note: error?.note,
  cause: error?.cause === undefined ? undefined : `${error.cause.name}: ${error.cause.message}`,
  line: /throwing\.mjs:\d+/.test(error?.stack ?? ""),
});
const results = {};
for (const workers of [0, 2]) {
  const dp = new DataParallel(job("throwing"), { workers });
  const x = ones([16, 2]);
  const said = {};
  for (const mode of ["own", "nabla", "type", "text", "uncloneable", "wrongShape", "number", "late", "nosuch"])
    said[mode] = await dp.backward({ x, mode }).then(() => "nothing", seen);
  // Until what "late" left behind has failed.
  await new Promise((resolve) => setTimeout(resolve, 50));
  said.after = (await dp.backward({ x, mode: "none" })).shape;
  results[workers] = said;
  await dp.close();
}
for (const args of [{ onlyInWorkers: true }, { other: true }]) {
  const dp = new DataParallel(job("throwing"), { workers: 1, args });
  results[Object.keys(args)[0]] = await dp.backward({ x: ones([16, 2]), mode: "none" }).then(() => "nothing", seen);
  await dp.close();
}
print(results);
