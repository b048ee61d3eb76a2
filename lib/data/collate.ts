import { describe, fail, named } from "../core/errors.js";
import { enter, isPlain } from "../core/tree.js";
import { stack } from "../ops/join.js";
import { tensor } from "../tensor/from-data.js";
import { Tensor } from "../tensor/tensor.js";

/** The type of a batch of `T`: tensors and numbers become one tensor, tuples and objects keep their structure. */
export type Batch<T> = T extends Tensor | number | boolean | bigint
  ? Tensor
  : T extends string
    ? string[]
    : T extends object
      ? { -readonly [K in keyof T]: Batch<T[K]> }
      : never;

/**
 * Makes a batch from samples: tensors are stacked along a new first dimension; numbers, booleans and bigints become a
 * tensor, strings an array; tuples and plain objects are collated member by member.
 */
export function collate<T>(samples: readonly T[]): Batch<T> {
  return merge(samples, "a sample") as Batch<T>;
}

function merge(samples: readonly unknown[], where: string, depth = 0): unknown {
  const next = named("DataLoader", () => enter(depth));
  const [first] = samples;
  const kind = kindOf(first);
  const odd = samples.find((sample) => kindOf(sample) !== kind);
  if (odd !== undefined) refuse(`${where} differs in kind from the one before`, describe(first), describe(odd));
  switch (kind) {
    case "tensor":
      return stack(samples as readonly Tensor[], 0);
    case "number":
    case "boolean":
    case "bigint":
      return tensor(samples as number[]);
    case "string":
      return samples;
    case "array": {
      const rows = samples as readonly (readonly unknown[])[];
      const length = (first as readonly unknown[]).length;
      const ragged = rows.find((row) => row.length !== length);
      if (ragged !== undefined) refuse(`${where} differs in length`, `${length} members`, `${ragged.length}`);
      return Array.from({ length }, (_, i) =>
        merge(
          rows.map((row) => row[i]),
          `member ${i} of ${where}`,
          next,
        ),
      );
    }
    case "object": {
      const rows = samples as readonly Record<string, unknown>[];
      const keys = Object.keys(first as object);
      const merged = keys.map(
        (key) =>
          [
            key,
            merge(
              rows.map((row) => row[key]),
              `"${key}" of ${where}`,
              next,
            ),
          ] as const,
      );
      return Object.fromEntries(merged);
    }
    default:
      return refuse(
        `${where} cannot be batched`,
        "tensors, numbers, strings, or tuples and plain objects of them, or the option collate",
        describe(first),
      );
  }
}

function kindOf(value: unknown): string {
  if (value instanceof Tensor) return "tensor";
  if (Array.isArray(value)) return "array";
  if (typeof value !== "object" || value === null) return typeof value;
  return isPlain(value) ? "object" : describe(value);
}

function refuse(fact: string, expected: string, got: string): never {
  fail("ERR_ARGUMENT", "DataLoader", fact, expected, got);
}
