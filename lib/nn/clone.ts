import { isTensor, type Tensor } from "../tensor/tensor.js";
import { Buffer, Parameter } from "./parameter.js";
import { isGroup, members } from "./walk.js";

/** A copy of a module's structure; parts that are shared in the original are shared in the copy. */
export function copyOf<M extends object>(root: M): M {
  const copies = new Map<unknown, unknown>();
  const once = <T extends object>(value: T, make: () => T, fill: (copy: T) => void = () => undefined): T => {
    const known = copies.get(value);
    if (known !== undefined) return known as T;
    const copy = make();
    copies.set(value, copy);
    fill(copy);
    return copy;
  };
  const properties = (from: object, to: object): void => {
    // Enumerable ones only: this skips the wrapper that hooks put around forward.
    for (const [key, value] of Object.entries(from)) (to as Record<string, unknown>)[key] = copy(value);
  };
  const copy = (value: unknown): unknown => {
    if (isTensor(value))
      return value instanceof Parameter || value instanceof Buffer ? once(value, () => copyTensor(value)) : value;
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value))
      return once<unknown[]>(
        value,
        () => [],
        (to) => properties(value, to),
      );
    if (value instanceof Map)
      return once<Map<unknown, unknown>>(
        value,
        () => emptyLike(Map, value),
        (to) => {
          for (const [key, inner] of value) to.set(copy(key), copy(inner));
          properties(value, to);
        },
      );
    if (value instanceof Set)
      return once<Set<unknown>>(
        value,
        () => emptyLike(Set, value),
        (to) => {
          for (const inner of value) to.add(copy(inner));
          properties(value, to);
        },
      );
    if (members in value || isGroup(value))
      return once<object>(
        value,
        () => Object.create(Object.getPrototypeOf(value)) as object,
        (to) => properties(value, to),
      );
    return value;
  };
  return copy(root) as M;
}

/** An empty map or set of the same class, made without running its constructor. */
const emptyLike = <T extends object>(base: new () => T, value: T): T =>
  Reflect.construct(base, [], value.constructor as new () => T) as T;

function copyTensor(value: Parameter | Buffer): Tensor {
  const data = value.detach().clone();
  if (value instanceof Buffer) return new Buffer(data, { persistent: value.persistent });
  return new Parameter(data, { requiresGrad: value.node !== null });
}
