// The public API with any arguments: node fuzz.mjs [calls] [seed] [from]. Each call returns or throws a NablaError (or what
// its arguments threw, or an error of the file system), within a second (or one for each 20,000 tensors that it makes), and
// leaves the modes of the library as they were.
// With `from`, the calls from that number on are printed before they are made.
process.env.NABLA_MEMORY_LIMIT ??= "256m";
const { mkdtempSync, rmSync } = await import("node:fs");
const { tmpdir } = await import("node:os");
const { join } = await import("node:path");
const { Worker } = await import("node:worker_threads");
const { inspect } = await import("node:util");
const nabla = await import("../../../dist/index.js");
const { mode } = await import("../../../dist/internal.js");
const { generator } = await import("../../native/scripts/calls.mjs");
const { makePool, Mine } = await import("./pool.mjs");
const { recipesOf, refusing, strayNames, unlikely, writeFiles } = await import("./seeds.mjs");
const { targets, optionNamesOf } = await import("./targets.mjs");

/** How often a list of arguments may be refused that is to be taken: what a method is called on is drawn by chance. */
const tries = 300;
const calls = Number(process.argv[2] ?? 20_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const from = Number(process.argv[4] ?? Number.POSITIVE_INFINITY);
const r = generator(seed);
const folder = mkdtempSync(join(tmpdir(), "nabla-fuzz-"));
process.chdir(folder);
await writeFiles();
process.on("exit", () => {
  process.chdir(tmpdir());
  rmSync(folder, { recursive: true, force: true });
});
nabla.setNumThreads(1);

const list = targets();
const optionNames = optionNamesOf(list, recipesOf);
const pool = makePool(r, folder);
const faults = new Map();
const reached = new Set();
const outcomes = { returned: 0, refused: 0, own: 0, files: 0 };
let made = 0;

const show = (value) => {
  try {
    return inspect(value, { depth: 1, maxArrayLength: 6, maxStringLength: 40, breakLength: 200 }).slice(0, 200);
  } catch {
    return "something that cannot be shown";
  }
};

function fault(name, args, what) {
  const place = what instanceof Error ? (what.stack ?? String(what)) : String(what);
  const key = what instanceof Error ? place.split("\n").slice(0, 3).join(" | ") : `${name}: ${what}`;
  const known = faults.get(key);
  if (known !== undefined) known.count++;
  else faults.set(key, { count: 1, name, call: made, args: args.map(show), place: place.slice(0, 1500) });
}

const isFileError = (error) => error instanceof Error && /^E[A-Z0-9]+$/.test(error.code ?? "") && "syscall" in error;

function judge(name, args, error) {
  if (error instanceof nabla.NablaError) {
    outcomes.refused++;
    if (error.code === "ERR_NATIVE") fault(name, args, error);
  } else if (error instanceof Mine) outcomes.own++;
  else if (isFileError(error)) outcomes.files++;
  else fault(name, args, error);
}

/** The modes of this thread, which no call may leave changed. */
const start = { ...mode };
const state = () =>
  [
    ...Object.entries(mode).map(([key, value]) => `${key} ${value}`),
    nabla.getDefaultDtype(),
    nabla.numThreads(),
  ].join();
const usual = state();

function restore() {
  Object.assign(mode, start);
  nabla.setDefaultDtype("float32");
  nabla.setNumThreads(1);
}

function options(name) {
  const known = optionNames.get(name);
  if (known === undefined || r.chance(0.1)) return pool.any(0.9);
  const given = {};
  for (const key of known) if (r.chance(0.4)) given[key] = pool.any();
  return given;
}

/** For each function, what has made arguments that it took. */
const taken = new Map();

/** What makes the arguments of a call: at random, or as they were taken before but for one. */
function recipe(name) {
  const known = taken.get(name);
  if (known !== undefined && r.chance(0.6)) {
    const makers = [...r.pick(known)];
    if (makers.length > 0 && r.chance(0.3)) {
      const at = r.below(makers.length);
      const make = makers[at];
      makers[at] = () => pool.corrupt(make());
    } else if (r.chance(0.9)) makers[r.below(makers.length + 1)] = r.chance(0.3) ? () => options(name) : pool.draw(0.7);
    return makers;
  }
  const makers = Array.from({ length: r.below(5) }, () => pool.draw(r.chance(0.6) ? 0.05 : 0.5));
  if (r.chance(0.3)) makers.push(() => options(name));
  return makers;
}

function remember(name, makers) {
  const known = taken.get(name) ?? [];
  taken.set(name, known);
  if (known.length < 8) known.push(makers);
  else known[1 + r.below(7)] = makers;
}

/** Waits for what a call gave, or takes the first values where it gave an iterator. */
async function useUp(name, result) {
  if (result instanceof Promise) {
    const late = new Promise((resolve) => setTimeout(resolve, 3_000, Mine).unref?.());
    await Promise.race([result, late]);
  } else if (/terator\)$|^fit$/.test(name)) {
    for (let i = 0; i < 3; i++) await result.next();
    await result.return?.();
  }
}

/** Makes a call, judges what comes of it, and says whether it returned. */
async function call({ name, run, setsMode }, makers) {
  const args = makers.map((make) => make());
  if (made >= from) console.error(made, name, args.map(show));
  const { user, system } = process.cpuUsage();
  const { liveStorages } = nabla.memory();
  let returned = false;
  try {
    await useUp(name, run(pool, args));
    outcomes.returned++;
    reached.add(name);
    returned = true;
    if (refusing.has(name)) fault(name, args, `can be called, although ${refusing.get(name)}`);
  } catch (error) {
    judge(name, args, error);
  }
  const used = process.cpuUsage();
  const milliseconds = (used.user + used.system - user - system) / 1000;
  const allowed = 1_000 * Math.max(1, (nabla.memory().liveStorages - liveStorages) / 20_000);
  if (milliseconds > allowed) fault(name, args, `took ${Math.round(milliseconds)} ms of processor time`);
  if (state() !== usual && !setsMode) fault(name, args, `left the modes as ${state()}`);
  if (state() !== usual) restore();
  return returned;
}

process.on("unhandledRejection", (error) => {
  if (!(error instanceof Mine)) fault("a promise", [], error);
});

// A call that does not end is reported by another thread.
const progress = new Int32Array(new SharedArrayBuffer(4));
new Worker(
  `const { workerData: { progress, seed } } = require("node:worker_threads");
  let last = -1;
  setInterval(() => {
    if (progress[0] === last) {
      require("node:fs").writeSync(2, "seed " + seed + ": call " + last + " does not end\\n");
      process.kill(process.pid, "SIGKILL");
    }
    last = progress[0];
  }, 15_000);`,
  { eval: true, workerData: { progress, seed } },
).unref();

const mayRefuse = (name) => refusing.has(name) || unlikely.has(name);

/** Whether arguments are taken in one of so many tries. */
async function isTaken(target, makers) {
  for (let i = 0; i < tries; i++) if (await call(target, makers)) return true;
  return false;
}

for (const name of strayNames(list)) fault(name, [], "has arguments in seeds.mjs, but is not public");
const square = () => nabla.ones([3, 3]);
const generic = [[], [square], [square, square], [() => 1]];
// Before anything hostile, each function takes something: so its inner paths are reached by changing one argument.
for (const target of list.filter(({ name }) => !mayRefuse(name))) {
  const own = recipesOf(target.name);
  const good = [];
  for (const makers of own.length > 0 ? own : generic)
    if (await isTaken(target, makers)) good.push(makers);
    else if (own.length > 0) fault(target.name, [], "refuses arguments that are meant for it");
  if (good.length === 0) fault(target.name, [], "takes nothing that it was given: seeds.mjs needs arguments for it");
  else taken.set(target.name, good);
  progress[0]++;
}
Object.assign(outcomes, { returned: 0, refused: 0, own: 0, files: 0 });
while (made < calls) {
  const target = r.pick(list);
  const makers = recipe(target.name);
  if (await call(target, makers)) remember(target.name, makers);
  progress[0] = ++made;
  // Collections of what has finalizers, and rejections, need a turn of the event loop.
  if (made % 500 === 0) await new Promise(setImmediate);
}
const unreached = list.map(({ name }) => name).filter((name) => !reached.has(name) && !mayRefuse(name));
const sorted = [...faults].sort((a, b) => b[1].count - a[1].count);
for (const [key, { count, name, call, args, place }] of sorted)
  console.error(`${count} × ${key}\n  call ${call}: ${name}(${args.join(", ")})\n  ${place}`);
console.log(JSON.stringify({ seed, calls: made, ...outcomes, faults: faults.size, functions: list.length, unreached }));
process.exit(faults.size === 0 ? 0 : 1);
