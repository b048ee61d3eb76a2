// Fails to start in workers, in the way that its URL asks for.
import { isMainThread } from "node:worker_threads";
import mlp from "./mlp.mjs";

const how = new URL(import.meta.url).searchParams.get("how");
if (!isMainThread) {
  if (how === "missing") await import("./not-there.mjs");
  if (how === "syntax") await import("./broken.mjs");
  if (how === "throws") throw new RangeError("this thread refuses to load");
  if (how === "exits") process.exit(3);
}
export default how === "no default" && !isMainThread ? undefined : mlp;
