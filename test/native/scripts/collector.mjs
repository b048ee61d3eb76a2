// What a minor and a major collection are on this engine, and what they free.
import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { memory, ones } from "../../../dist/index.js";
import { addon, collector } from "../../../dist/internal.js";

const { minor, major } = collector();
let kinds = [];
new PerformanceObserver((list) => {
  kinds.push(...list.getEntries().map(({ detail }) => detail.kind));
}).observe({ entryTypes: ["gc"] });

async function kindsOf(collect) {
  await sleep(50);
  kinds = [];
  collect();
  await sleep(50);
  return kinds;
}

const size = 1000;
/** How many of so many new tensors die after `collect`, once they have been held during `before`. */
function dead(collect, before = () => {}) {
  major();
  addon.reclaim();
  const start = memory().liveStorages;
  const make = () => {
    const held = Array.from({ length: size }, () => ones([1000]));
    before();
    return held.length;
  };
  const made = make();
  collect();
  addon.reclaim();
  return made - (memory().liveStorages - start);
}
const promote = () => [minor, minor, minor].forEach((collect) => collect());

console.log(
  JSON.stringify({
    minor: await kindsOf(minor),
    major: await kindsOf(major),
    young: dead(minor),
    old: dead(major, promote),
    exposed: runInNewContext("typeof gc"),
  }),
);
