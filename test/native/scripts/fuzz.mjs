// Hand-made frames by the thousand: node fuzz.mjs [frames] [seed]. Never a crash, never a write beside what the frame names
// for writing, always a status. Prints how many calls there were, were done, and which kernels were never reached.
process.env.NABLA_MEMORY_LIMIT ??= "64m";
const { setFlagsFromString } = await import("node:v8");
setFlagsFromString("--expose-gc");
const { addon, kernelNames, layout, rawFrame } = await import("../../../dist/internal.js");
const { calls, dtypes, generator } = await import("./calls.mjs");

const frames = Number(process.argv[2] ?? 20_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const r = generator(seed);
const { header, flags, operandBase, operandInts, releaseBase, releaseCapacity, maxRank } = layout;
const dtypeNames = Object.keys(dtypes).sort((a, b) => dtypes[a] - dtypes[b]);
const arrays = {
  bfloat16: Uint16Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

function stop(what) {
  console.error(`seed ${seed}: ${what}`);
  process.exit(1);
}

/** One operand, row-major and whole, in a frame without attributes. */
function name(slot, generation, dtype, elements) {
  const { ints, doubles } = rawFrame();
  ints[header.outs] = 0;
  ints[header.ins] = 1;
  ints[header.attrs] = 0;
  ints[header.hasNode] = 0;
  ints.set([slot, generation, dtypes[dtype], 1, slot < 0 ? flags.fresh : flags.contiguous, 0, 0], operandBase);
  doubles.set(slot < 0 ? [elements] : [0, elements]);
}

class Storage {
  constructor(dtype, elements) {
    const value = {
      bool: () => r.below(2),
      int64: () => BigInt(r.below(9) - 3),
      float32: () => r.next() * 4 - 2,
      float64: () => r.next() * 4 - 2,
    };
    const content = arrays[dtype].from(
      { length: elements },
      value[dtype] ?? (() => r.below(9) - (dtype === "int32" ? 3 : 0)),
    );
    this.dtype = dtype;
    this.elements = elements;
    this.handle = {};
    name(-1, 0, dtype, elements);
    addon.create(this.handle, content);
    const { ints } = rawFrame();
    if (ints[header.code] !== 0) stop(`a storage could not be made: ${addon.message()}`);
    this.slot = ints[operandBase];
    this.generation = ints[operandBase + 1];
    this.bytes = this.read();
  }
  /** Its elements as bytes, or null when the frames have ended the handle. */
  read() {
    const target = new arrays[this.dtype](this.elements);
    name(this.slot, this.generation, this.dtype, this.elements);
    addon.read(target);
    return rawFrame().ints[header.code] === 0 ? Buffer.from(target.buffer) : null;
  }
}

const nastyIntegers = [
  0,
  1,
  -1,
  2,
  3,
  5,
  6,
  7,
  8,
  15,
  16,
  17,
  63,
  64,
  255,
  256,
  257,
  4096,
  65536,
  2 ** 30,
  2 ** 31 - 1,
  -(2 ** 31),
  -2,
  -257,
];
const nastyNumbers = [
  Number.NaN,
  Infinity,
  -Infinity,
  -0,
  0.5,
  -0.5,
  1.5,
  2 ** 31,
  2 ** 32,
  -(2 ** 31),
  2 ** 50,
  2 ** 52,
  2 ** 53,
  -(2 ** 53),
  2 ** 53 - 1,
  2 ** 60,
  1e18,
  1e300,
  -1e300,
  5e-324,
  1e-300,
  ...nastyIntegers,
];
const integer = () =>
  r.chance(0.7) ? r.pick(nastyIntegers) : r.chance(0.5) ? r.below(64) - 8 : (r.next() * 2 ** 32) | 0;
const number = () =>
  r.chance(0.7) ? r.pick(nastyNumbers) : r.chance(0.5) ? r.below(64) - 8 : (r.next() - 0.5) * 2 ** (r.below(120) - 20);

/** Writes a call into the frame; returns how many numbers it took and the objects that go with it. */
function write({ opcode, outs, ins, attrs }) {
  const { ints, doubles } = rawFrame();
  const operands = [...outs, ...ins];
  const objects = [];
  let cursor = 0;
  for (const a of attrs) doubles[cursor++] = a;
  operands.forEach((o, i) => {
    const bits =
      (o.kind === "fresh" ? flags.fresh : 0) |
      (o.kind === "scalar" ? flags.scalar : 0) |
      (o.write ? flags.write : 0) |
      (o.save ? flags.save : 0) |
      (o.kind === "view" && o.strides === null ? flags.contiguous : 0);
    ints.set(
      [o.storage?.slot ?? 0, o.storage?.generation ?? 0, dtypes[o.dtype], o.shape.length, bits, 0, 0],
      operandBase + operandInts * i,
    );
    if (o.kind === "fresh") objects.push({});
    if (o.kind === "scalar") {
      const [high, low] = o.dtype === "int64" ? [o.value < 0 ? -1 : 0, o.value >>> 0] : [o.value, 0];
      doubles[cursor++] = high;
      doubles[cursor++] = low;
      return;
    }
    if (o.kind === "view") doubles[cursor++] = o.offset;
    for (const size of o.shape) doubles[cursor++] = size;
    for (const step of o.strides ?? []) doubles[cursor++] = step;
  });
  const hasNode = r.chance(0.2);
  if (hasNode) objects.push({});
  ints[header.opcode] = opcode;
  ints[header.outs] = outs.length;
  ints[header.ins] = ins.length;
  ints[header.attrs] = attrs.length;
  ints[header.hasNode] = hasNode ? 1 : 0;
  return { numbers: cursor, operands: operands.length, objects };
}

function spoil({ numbers, operands, objects }) {
  const { ints, doubles } = rawFrame();
  for (let k = r.below(3); k >= 0; k--) {
    const what = r.below(10);
    if (what < 4) doubles[r.below(numbers + 3)] = number();
    else if (what < 8) ints[operandBase + r.below(operandInts * (operands + 1))] = integer();
    else if (what < 9) ints[4 + r.below(12)] = integer();
    else if (r.chance(0.5))
      objects.splice(
        r.below(objects.length + 1),
        r.below(2),
        ...(r.chance(0.5) ? [r.pick([1, null, undefined, "x", {}, Symbol("s"), 1n])] : []),
      );
    else {
      const pairs = 1 + r.below(3);
      ints[header.releases] = r.chance(0.9) ? pairs : integer();
      for (let i = 0; i < 2 * Math.min(pairs, releaseCapacity); i++) ints[releaseBase + i] = integer();
    }
  }
}

function scramble() {
  const { ints, doubles } = rawFrame();
  for (let i = 4; i < 16; i++) if (r.chance(0.5)) ints[i] = integer();
  if (r.chance(0.8)) ints[header.opcode] = r.below(kernelNames().length);
  for (let i = 0; i < operandInts * 6; i++) ints[operandBase + i] = r.chance(0.6) ? r.below(8) : integer();
  for (let i = 0; i < 40; i++) doubles[i] = r.chance(0.6) ? r.below(6) : number();
}

/** The frame names no canary and ends none. */
function protect(canaries) {
  const { ints } = rawFrame();
  const slots = new Set(canaries.map((c) => c.slot));
  for (let at = operandBase; at + 1 < Math.min(ints.length, operandBase + operandInts * 40); at += operandInts)
    if (slots.has(ints[at])) ints[at] = -5;
  for (let i = 0; i < releaseCapacity; i++) if (slots.has(ints[releaseBase + 2 * i])) ints[releaseBase + 2 * i] = 1e9;
}

/** Which bytes of which storage the frame allows to be written; as native code must read it. */
function writable(storages) {
  const { ints, doubles } = rawFrame();
  const allowed = new Map();
  let cursor = ints[header.attrs];
  for (let i = 0; i < ints[header.outs] && i < 40; i++) {
    const [slot, generation, dtype, rank, bits] = ints.subarray(operandBase + operandInts * i);
    const isFresh = (bits & flags.fresh) !== 0;
    if (dtype < 0 || dtype >= dtypeNames.length || rank < 0 || rank > maxRank || bits & flags.scalar) return allowed;
    const offset = isFresh ? 0 : doubles[cursor++];
    const next = () => {
      cursor += rank;
      return doubles.slice(cursor - rank, cursor);
    };
    const shape = next();
    const strides = isFresh || bits & flags.contiguous ? null : next();
    const n = shape.reduce((a, b) => a * b, 1);
    if (isFresh || !(n > 0 && n < 1e5)) continue;
    const storage = storages.find((s) => s.slot === slot && s.generation === generation);
    if (storage === undefined) continue; // perhaps one of an earlier round, not collected yet: the call may succeed
    const size = arrays[dtypeNames[dtype]].BYTES_PER_ELEMENT;
    const marks = allowed.get(storage) ?? new Uint8Array(storage.bytes.length);
    allowed.set(storage, marks);
    for (let e = 0; e < n; e++) {
      let rest = e;
      let at = offset;
      let step = 1;
      for (let d = rank - 1; d >= 0; d--) {
        at += (rest % shape[d]) * (strides?.[d] ?? step);
        rest = Math.floor(rest / shape[d]);
        step *= shape[d];
      }
      marks.fill(1, at * size, (at + 1) * size);
    }
  }
  return allowed;
}

const done = new Map();
let executed = 0;
let succeeded = 0;

function run(storages, canaries, call) {
  const objects = [];
  let intact = false;
  if (r.chance(0.05)) scramble();
  else {
    const written = write(call());
    intact = !r.chance(0.7);
    if (!intact) spoil(written);
    objects.push(...written.objects);
  }
  protect(canaries);
  const { ints } = rawFrame();
  const opcode = ints[header.opcode];
  const writes = ints[header.outs] > 0;
  const allowed = writes ? writable(storages) : new Map();
  ints[header.code] = 999;
  const door = intact || r.chance(0.9) ? 0 : 1 + r.below(6);
  if (door === 0) addon.execute(...objects);
  else if (door === 1)
    addon.read(
      r.pick([
        new Float32Array(4),
        new Uint8Array(0),
        new BigInt64Array(3),
        new DataView(new ArrayBuffer(8)),
        {},
        undefined,
      ]),
    );
  else if (door === 2) addon.item();
  else if (door === 3)
    addon.create(r.pick([{}, 1, undefined]), r.pick([new Float32Array(4), new Uint8Array(0), new Int32Array(9), null]));
  else if (door === 4) addon.adopt(r.pick([{}, 1, undefined]));
  else if (door === 5) addon.save(...r.pick([[], [{}], [1], [undefined]]));
  else addon.share(false);
  const code = ints[header.code];
  if (!(code >= 0 && code < layout.codes.length)) stop(`door ${door} left the status ${code} after opcode ${opcode}`);
  executed++;
  if (code === 0) succeeded++;
  if (code === 0 && door === 0) done.set(opcode, (done.get(opcode) ?? 0) + 1);
  if (!writes) return;
  for (const storage of storages) {
    const now = storage.read();
    if (now === null) continue;
    const marks = door === 0 ? allowed.get(storage) : undefined;
    for (let i = 0; i < now.length; i++)
      if (now[i] !== storage.bytes[i] && marks?.[i] !== 1)
        stop(`byte ${i} of a ${storage.dtype} storage changed in ${kernelNames()[opcode]}, unasked`);
    storage.bytes = now;
  }
}

const canaries = dtypeNames.flatMap((dtype) => [
  new Storage(dtype, 7),
  new Storage(dtype, 100),
  new Storage(dtype, 3000),
]);
const before = addon.stats().liveStorages;
function round(count) {
  const storages = dtypeNames.flatMap((dtype) => [new Storage(dtype, 24), new Storage(dtype, 80)]);
  const call = calls(r, storages);
  for (let i = 0; i < count; i++) run(storages, canaries, call);
  if (r.chance(0.2)) addon.reclaim();
  for (const canary of canaries) {
    const now = canary.read();
    if (now === null || !now.equals(canary.bytes))
      stop(`a ${canary.dtype} canary of ${canary.elements} elements ${now === null ? "is gone" : "has changed"}`);
  }
}
for (let left = frames; left > 0; left -= 200) round(Math.min(left, 200));
// The engine may keep the last round's storages in a register of this module: a leak is what several collections leave.
const collect = (await import("node:vm")).runInNewContext("gc");
for (let i = 0; i < 3; i++) {
  await new Promise(setImmediate);
  collect();
  addon.reclaim();
}
const leaked = addon.stats().liveStorages - before;
const unreached = kernelNames().filter((_, i) => !done.has(i));
console.log(JSON.stringify({ seed, executed, succeeded, leaked, unreached }));
