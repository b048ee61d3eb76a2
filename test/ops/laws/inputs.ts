/** Inputs of the laws: drawn from a case's domains, the same in every run. */
import { type DType, type Tensor, tensor } from "nabla";
import { type Arr, arr, count } from "../../reference/array.js";
import type { Case, Input, Sample } from "../cases/case.js";
import { isFloat } from "./law.js";

export type Random = () => number;

/** Uniform numbers in [0, 1) (Steele, Lea and Flood's SplitMix in 32 bits), from a text. */
export function randomFor(text: string): Random {
  let state = 0;
  for (const char of text) state = (Math.imul(state, 31) + char.charCodeAt(0)) | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

const whole: Readonly<Record<string, readonly [number, number]>> = { bool: [0, 1], uint8: [0, 255] };

function drawn(input: Input, n: number, dtype: DType, random: Random): number[] {
  const [low, high] = input.domain;
  if (!isFloat(dtype)) {
    const [least, most] = whole[dtype] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const first = Math.ceil(Math.max(low, least));
    const size = Math.max(Math.floor(Math.min(high, most)) - first + 1, 1);
    const from = dtype === "bool" ? 0 : first;
    return Array.from({ length: n }, () => from + Math.floor(random() * (dtype === "bool" ? 2 : size)));
  }
  const margin = (high - low) / 20;
  const near = (value: number): boolean => (input.kinks ?? []).some((kink) => Math.abs(value - kink) < margin);
  const one = (): number => {
    if (input.lattice === undefined) return low + random() * (high - low);
    const [step, offset] = input.lattice;
    const first = Math.ceil((low - offset) / step);
    const last = Math.floor((high - offset) / step);
    return offset + step * (first + Math.floor(random() * (last - first + 1)) + (random() - 0.5) / 10);
  };
  const values = Array.from({ length: n }, (_, i) => {
    if (input.distinct === true) return low + ((i + 0.3 + 0.4 * random()) / n) * (high - low);
    let value = one();
    while (near(value)) value = one();
    return value;
  });
  if (input.distinct === true) shuffle(values, random);
  return dtype === "float32" ? values.map(Math.fround) : values;
}

function shuffle(values: number[], random: Random): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}

export const dtypeOf = (input: Input, dtype: DType): DType => input.dtype ?? dtype;

/** The values of a sample's inputs, exact in their dtypes. */
export const draw = (of: Case, sample: Sample, dtype: DType, random: Random): Arr[] =>
  of.inputs.map((input, i) => {
    const shape = sample.shapes[i]!;
    return arr(shape, sample.values?.[i] ?? drawn(input, count(shape), dtypeOf(input, dtype), random));
  });

/** Normal enough: for directions and cotangents. */
export const direction = (shape: readonly number[], random: Random): Arr =>
  arr(
    shape,
    Array.from({ length: count(shape) }, () => 2 * random() - 1),
  );

const arrays = {
  bfloat16: Float32Array,
  float16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** A contiguous tensor of these values. */
export function make(x: Arr, dtype: DType): Tensor {
  const data = dtype === "int64" ? BigInt64Array.from(x.data, BigInt) : arrays[dtype].from(x.data);
  return tensor(data, { shape: x.shape, dtype });
}

export const makeAll = (of: Case, xs: readonly Arr[], dtype: DType): Tensor[] =>
  xs.map((x, i) => make(x, dtypeOf(of.inputs[i]!, dtype)));

/** The elements, as numbers. */
export const read = (x: Tensor): Arr =>
  arr(x.shape, Array.from(x.toTypedArray() as ArrayLike<number | bigint>, Number));

/** What a float64 result holds, as a string of bits per element; all NaNs are one. */
export function bits(x: Tensor): string {
  const values = x.toTypedArray();
  const nan = ArrayBuffer.isView(values) && (values instanceof Float32Array || values instanceof Float64Array);
  if (nan) for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) values[i] = Number.NaN;
  return `${x.dtype} [${x.shape}] ${Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64")}`;
}

/** Places of the inputs that gradients reach. */
export const smooth = (of: Case): number[] => of.inputs.flatMap((input, i) => (input.dtype === undefined ? [i] : []));

/** Small enough to try many times. */
export const small = (of: Case): Sample[] =>
  of.samples.filter((sample) => sample.shapes.every((shape) => count(shape) <= 64));
