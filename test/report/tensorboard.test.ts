import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Control, nn, tensor } from "nabla";
import { EventFile } from "nabla/internal";
import protobuf from "protobufjs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EventMessage } from "../../lib/report/tensorboard/schema.js";
import { evaluate, start, step } from "./events.js";

/** As TensorFlow's event.proto and summary.proto have it. */
const event = protobuf
  .parse(`
    syntax = "proto3";
    message Event {
      double wall_time = 1; int64 step = 2;
      oneof what { string file_version = 3; Summary summary = 5; SessionLog session_log = 7; }
    }
    message SessionLog {
      enum SessionStatus { STATUS_UNSPECIFIED = 0; START = 1; STOP = 2; CHECKPOINT = 3; }
      SessionStatus status = 1; string checkpoint_path = 2; string msg = 3;
    }
    message Summary {
      message Value {
        string tag = 1; SummaryMetadata metadata = 9;
        oneof value { float simple_value = 2; HistogramProto histo = 5; TensorProto tensor = 8; }
      }
      repeated Value value = 1;
    }
    message HistogramProto {
      double min = 1; double max = 2; double num = 3; double sum = 4; double sum_squares = 5;
      repeated double bucket_limit = 6 [packed = true]; repeated double bucket = 7 [packed = true];
    }
    message SummaryMetadata {
      message PluginData { string plugin_name = 1; bytes content = 2; }
      PluginData plugin_data = 1;
    }
    enum DataType { DT_INVALID = 0; DT_FLOAT = 1; DT_STRING = 7; }
    message TensorProto { DataType dtype = 1; TensorShapeProto tensor_shape = 2; repeated bytes string_val = 8; }
    message TensorShapeProto { message Dim { int64 size = 1; string name = 2; } repeated Dim dim = 2; }
  `)
  .root.lookupType("Event");

/** CRC-32C bit by bit, most significant first: each byte and the result are reversed. */
function checksum(bytes: Uint8Array): number {
  const reversed = (value: number, bits: number): number =>
    Number.parseInt([...value.toString(2).padStart(bits, "0")].reverse().join(""), 2);
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder = (remainder ^ (reversed(byte, 8) << 24)) >>> 0;
    for (let bit = 0; bit < 8; bit++) remainder = ((remainder << 1) ^ (remainder >= 0x80000000 ? 0x1edc6f41 : 0)) >>> 0;
  }
  return reversed(~remainder >>> 0, 32);
}
function unmasked(sum: number): number {
  const rotated = (sum - 0xa282ead8) >>> 0;
  return ((rotated << 15) | (rotated >>> 17)) >>> 0;
}

function decode(file: Buffer): EventMessage[] {
  const messages: EventMessage[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    expect(unmasked(file.readUInt32LE(at + 8))).toBe(checksum(file.subarray(at, at + 8)));
    const content = file.subarray(at + 12, at + 12 + length);
    expect(unmasked(file.readUInt32LE(at + 12 + length))).toBe(checksum(content));
    messages.push(
      event.toObject(event.decode(content), { longs: Number, enums: String, arrays: true }) as EventMessage,
    );
    at += 16 + length;
  }
  return messages;
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nabla-tensorboard-"));
});
afterEach(() => rm(folder, { recursive: true }));

const open = () =>
  new EventFile(folder, (message) => {
    throw new Error(message);
  });
const files = async () => (await readdir(folder)).filter((name) => name.startsWith("events.out.tfevents.")).sort();
const last = async () => decode(await readFile(join(folder, (await files()).at(-1)!)));
const valuesOf = (messages: EventMessage[]): [number, string, number][] =>
  messages.flatMap(({ step = 0, summary }) =>
    (summary?.value ?? []).flatMap(({ tag, simpleValue }): [number, string, number][] =>
      simpleValue === undefined ? [] : [[step, tag, simpleValue]],
    ),
  );

test("the checksum of the test is CRC-32C", () => {
  expect(checksum(Buffer.from("123456789"))).toBe(0xe3069283);
});

test("a file begins with its version and a session, and has the job, steps and evaluations", async () => {
  await writeFile(join(folder, "job.json"), "{}");
  const file = open();
  file.observe(start());
  file.observe(step(1, { loss: 0.5, lr: 0.25, gradNorm: 2, log: { perplexity: 8 } }));
  file.observe(step(2, { loss: Number.NaN }));
  file.observe(evaluate(2, { "test.accuracy": 0.75 }));
  await file.close();
  const messages = await last();
  expect(messages[0]).toMatchObject({ fileVersion: "brain.Event:2" });
  expect(messages[1]).toMatchObject({ sessionLog: { status: "START" }, step: 1 });
  expect(messages[2]?.summary?.value[0]).toMatchObject({
    tag: "job",
    metadata: { pluginData: { pluginName: "text" } },
    tensor: { dtype: "DT_STRING", stringVal: [Buffer.from("```json\n{}```")] },
  });
  for (const { wallTime } of messages) expect(Math.abs(wallTime - Date.now() / 1000)).toBeLessThan(10);
  expect(valuesOf(messages)).toEqual([
    [1, "train/loss", 0.5],
    [1, "train/lr", 0.25],
    [1, "train/gradNorm", 2],
    [1, "train/perplexity", 8],
    [2, "train/loss", Number.NaN],
    [2, "train/lr", Math.fround(0.001)],
    [2, "test/accuracy", 0.75],
  ]);
});

test("a run that goes on has a file behind the others, which begins a session after the last step that counts", async () => {
  for (const [at, resumedFrom] of [
    [0, null],
    [7, "a checkpoint"],
    [7, "a checkpoint"],
  ] as const) {
    const file = open();
    file.observe(start({ step: at, resumedFrom }));
    await file.close();
    const messages = await last();
    expect(messages[1]).toMatchObject({ sessionLog: { status: "START" }, step: at + 1 });
    expect(messages).toHaveLength(2);
  }
  expect(await files()).toHaveLength(3);
});

test("evaluations have histograms whose buckets hold the values that they should", async () => {
  const values = [-3, -1, -1, -0, 0, 1e-30, 0.5, 1, 1.06, 1.12, 1.13, 40, Number.NaN, Number.POSITIVE_INFINITY];
  const model = new nn.Linear(1, 1);
  const named = (tensors: Record<string, ReturnType<typeof tensor>>) =>
    ({ model: { namedParameters: () => Object.entries(tensors) }, step: 1 }) as unknown as Control;
  const file = open();
  file.observe(start());
  file.beforeStep(named({ w: model.weight })); // there was no evaluation yet
  file.onEvaluate(
    evaluate(1, {}),
    named({
      w: tensor(values),
      halves: tensor([1, 2, 2], { dtype: "bfloat16" }),
      none: tensor([Number.NaN]),
    }),
  );
  model
    .forward(tensor([3]))
    .sum()
    .backward();
  file.beforeStep(named({ w: model.weight, none: tensor([1]) }));
  file.beforeStep(named({ w: model.weight })); // only once
  await file.close();
  const [weights, gradients, ...rest] = (await last()).slice(2);
  expect(rest).toEqual([]);
  expect(gradients?.step).toBe(2);
  expect(gradients?.summary?.value).toMatchObject([{ tag: "gradients/w", histo: { min: 3, max: 3, num: 1 } }]);
  const [w, halves, ...others] = weights?.summary?.value ?? [];
  expect(others).toEqual([]);
  expect(w?.tag).toBe("weights/w");
  const finite = values.filter(Number.isFinite).map(Math.fround);
  const { min, max, num, sum, bucketLimit, bucket } = w!.histo!;
  expect([min, max, num]).toEqual([-3, 40, finite.length]);
  expect(sum).toBeCloseTo(
    finite.reduce((a, b) => a + b),
    10,
  );
  expect(bucketLimit).toEqual([...bucketLimit].sort((a, b) => a - b));
  expect(new Set(bucketLimit).size).toBe(bucketLimit.length);
  // A value at a limit belongs to either side of it.
  let least = 0;
  for (let i = 0; i < bucketLimit.length; i++) {
    least += bucket[i]!;
    expect(least).toBeGreaterThanOrEqual(finite.filter((x) => x < bucketLimit[i]!).length);
    expect(least).toBeLessThanOrEqual(finite.filter((x) => x <= bucketLimit[i]!).length);
  }
  expect(least).toBe(finite.length);
  expect(bucket[bucketLimit.findIndex((limit) => limit > 1.06)]).toBe(3); // 1, 1.06 and 1.12: an eighth of 1 wide
  expect(halves?.histo).toMatchObject({ min: 1, max: 2, num: 3, sum: 5, sumSquares: 9 });
});
