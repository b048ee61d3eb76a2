/** `customFunction`: an op with a derivative supplied by the user. */
import { needFunction, refuse, synchronous } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { sameShape, showShape } from "../core/shape.js";
import { leavesOf, mapTree } from "../core/tree.js";
import { Batched, belongsTo, type Level } from "../engine/batched.js";
import { makeLeaf } from "../engine/leaf.js";
import { mode, withGrad } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import { privateRow, type Row } from "../engine/row.js";
import { general } from "../engine/rule.js";
import { type Node, OpNode } from "../engine/tape.js";
import { zeros } from "../tensor/create.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { again, emptied, filled, isPlace, type Situation, situation } from "./again.js";
import { sweep } from "./backward.js";
import { inVmap } from "./batching.js";
import { forUser } from "./seed.js";

/** One entry for each argument; null for zero, and for an argument that is not a tensor. */
export type PerArgument<A extends readonly unknown[]> = { readonly [K in keyof A]: Tensor | null };

export interface CustomFunction<A extends unknown[], S> {
  /** The name in graphs and errors. */
  readonly name: string;
  /** Returns the result and what backward needs: any value; tensors may be inside arrays and plain objects. */
  forward(...args: A): readonly [Tensor, S];
  /** Given the gradient g of the result, returns the gradients of the arguments. */
  backward(saved: S, g: Tensor): PerArgument<A>;
  /** The derivative along tangents of the arguments; default: derived from `backward`. */
  jvp?(saved: S, tangents: PerArgument<A>): Tensor;
}

type Spec = CustomFunction<unknown[], unknown>;

interface Recorded extends Situation {
  readonly spec: Spec;
  /**
   * Arguments and saved values, with placeholders for tensors: 0 is the result, 1 to n are the arguments, then the
   * others.
   */
  readonly args: readonly unknown[];
  readonly saved: unknown;
  readonly tensors: number;
}

/** The node that a rule is given as its context. */
const nodeOf = (c: unknown): OpNode => c as OpNode;
const recordedOf = (node: OpNode): Recorded => node.params as Recorded;

/** The saved values; connected to the graph if the rule is differentiated. */
function savedOf(node: OpNode): unknown {
  const { spec, args, saved, tensors, ...then } = recordedOf(node);
  const linked = mode.grad;
  const kept = (place: number): Tensor => node.unpack(place, linked) as Tensor;
  const places = leavesOf(saved, isPlace);
  if (!linked || places.every(({ index }) => index <= tensors)) return filled(saved, kept);
  // Saved tensors that are neither arguments nor the result depend on the arguments; to differentiate them, forward
  // runs again.
  const [, anew] = again(then, () => synchronous(spec.name, spec.forward(...(filled(args, kept) as unknown[]))));
  const fresh = leavesOf(anew, isTensor);
  if (fresh.length !== places.length)
    fail(
      "ERR_GRADIENT",
      spec.name,
      "forward saved another number of tensors the second time",
      String(places.length),
      String(fresh.length),
    );
  let at = 0;
  return filled(saved, (place) => {
    const again = fresh[at++]!;
    return place <= tensors ? kept(place) : again;
  });
}

/** Checks the gradients that backward returned, and keeps those of tensor arguments. */
function checked({ spec, args }: Recorded, node: OpNode, gradients: unknown): (Tensor | null)[] {
  if (!Array.isArray(gradients) || gradients.length !== args.length)
    fail(
      "ERR_ARGUMENT",
      spec.name,
      "backward must return a gradient or null for each argument",
      `an array of ${args.length}`,
      describe(gradients),
    );
  const out: (Tensor | null)[] = [];
  args.forEach((arg, i) => {
    const gradient: unknown = gradients[i] ?? null;
    if (!isPlace(arg)) {
      if (gradient !== null)
        fail("ERR_ARGUMENT", spec.name, `argument ${i} is no tensor and has no gradient`, "null", describe(gradient));
      return;
    }
    if (gradient !== null) {
      const wanted = node.inputShapes[out.length]!;
      const { shape } = needTensor(spec.name, gradient, `the gradient of argument ${i}`);
      if (!sameShape(shape, wanted))
        fail(
          "ERR_SHAPE",
          spec.name,
          `the gradient of argument ${i} differs in shape`,
          showShape(wanted),
          showShape(shape),
        );
    }
    out.push(gradient as Tensor | null);
  });
  return out;
}

const pulled = (node: OpNode, g: Tensor): (Tensor | null)[] => {
  const recorded = recordedOf(node);
  const seen = forUser(g);
  // The user's function may keep it.
  seen.handle.kept = true;
  return checked(recorded, node, synchronous(recorded.spec.name, recorded.spec.backward(savedOf(node), seen)));
};

/** The derivative along tangents: the transpose of backward, which is linear in g. */
function transposed(node: OpNode, tangents: readonly (Tensor | null)[]): Tensor {
  const createGraph = mode.grad;
  const u = makeLeaf(zeros(node.shape, { dtype: node.type.name }));
  const saved = savedOf(node);
  const recorded = recordedOf(node);
  const gradients = withGrad(true, () =>
    checked(recorded, node, synchronous(recorded.spec.name, recorded.spec.backward(saved, u))),
  );
  const roots: Node[] = [];
  const along: Tensor[] = [];
  gradients.forEach((gradient, i) => {
    const t = tangents[i] ?? null;
    if (gradient === null || t === null) return;
    if (gradient.node === null)
      fail("ERR_GRADIENT", recorded.spec.name, "forward mode needs jvp where backward does not compute with ops of g");
    t.handle.kept = true;
    roots.push(gradient.node as Node);
    along.push(t.to(gradient.dtype));
  });
  const [found] = sweep(roots, along, { targets: [u.node as Node], createGraph, retainGraph: createGraph });
  return found ?? zeros(node.shape, { dtype: node.type.name });
}

const tangentOf = (spec: Spec, saved: unknown, tangents: readonly (Tensor | null)[]): Tensor =>
  needTensor(spec.name, synchronous(spec.name, spec.jvp!(saved, tangents)), "what jvp returns");

function forwardMode(node: OpNode, tangents: readonly (Tensor | null)[]): Tensor {
  const { spec, args } = recordedOf(node);
  if (spec.jvp === undefined) return transposed(node, tangents);
  let at = 0;
  const each = args.map((arg) => (isPlace(arg) ? (tangents[at++] ?? null) : null));
  const t = tangentOf(spec, savedOf(node), each);
  if (!sameShape(t.shape, node.shape))
    fail(
      "ERR_SHAPE",
      spec.name,
      "the tangent differs in shape from the result",
      showShape(node.shape),
      showShape(t.shape),
    );
  return t;
}

const rowOf = (spec: Spec): Row<Recorded> =>
  privateRow<Recorded>({
    name: spec.name,
    family: "fused",
    kernel: null,
    inputs: 0,
    accuracy: "exact",
    rule: general([], {
      vjp: (g, _, c) => pulled(nodeOf(c), g),
      jvp: (tangents, _, c) => forwardMode(nodeOf(c), tangents),
    }),
    replay: (inputs, { args }) => call(spec, filled(args, (place) => inputs[place - 1] as Tensor) as unknown[]),
  });

/** The result as a new tensor, recorded if an argument can get a gradient. */
function attach(spec: Spec, args: readonly unknown[], out: Tensor, saved: unknown): Tensor {
  let y = out.detach();
  if (out instanceof Batched) {
    const { level } = out;
    const below = (x: unknown): unknown => (belongsTo(x, level) ? x.value : x);
    const inner = inLevel(spec, args, saved, level);
    y = new Batched(attach(inner, args.map(below), out.value, mapTree(saved, isTensor, below)), level);
  }
  const tensors = args.filter(isTensor);
  if (!mode.grad || y.type.kind !== "float" || tensors.every((x) => x.node === null)) return y;
  const others: Tensor[] = [];
  const placeOf = (x: Tensor): number => {
    if (x === out) return 0;
    const at = tensors.indexOf(x);
    return at >= 0 ? at + 1 : tensors.length + others.push(x);
  };
  const recorded: Recorded = {
    ...situation(),
    spec,
    args: args.map((x) => emptied(x, placeOf)),
    saved: emptied(saved, placeOf),
    tensors: tensors.length,
  };
  const node = new OpNode(rowOf(spec), tensors, recorded, y.shape, y.type, y.type);
  const used = new Set(leavesOf(recorded.saved, isPlace).map(({ index }) => index));
  node.pin([
    used.has(0) ? out : null,
    ...tensors.map((x, i) => (others.length > 0 || used.has(i + 1) ? x : null)),
    ...others,
  ]);
  y.node = node;
  return y;
}

/** The same function on a whole batch: what the graph outside of vmap sees. */
function inLevel(spec: Spec, args: readonly unknown[], saved: unknown, level: Level): Spec {
  const has = (x: unknown): boolean => belongsTo(x, level);
  const mapped = args.map(has);
  const mappedSaved = leavesOf(saved, isTensor).map(has);
  const all = (x: Tensor, now: Level): Tensor => (belongsTo(x, now) ? x.value : x.expand([now.size, ...x.shape]));
  const below = (x: Tensor): Tensor => (x instanceof Batched ? x.value : x);
  const within = <T>(f: (now: Level) => T): T => inVmap(level.size, level.randomness, f);
  const split = (x: unknown, yes: boolean | undefined, now: Level): unknown =>
    isTensor(x) && yes ? new Batched(x, now) : x;
  const splitSaved = (tree: unknown, now: Level): unknown => {
    let at = 0;
    return mapTree(tree, isTensor, (x) => split(x, mappedSaved[at++], now));
  };
  return {
    name: spec.name,
    forward: (...given) =>
      within((now) => {
        const [out, kept] = spec.forward(...given.map((x, i) => split(x, mapped[i], now)));
        return [all(out, now), mapTree(kept, isTensor, below)];
      }),
    backward: (kept, g) =>
      within((now) => {
        const gradients = spec.backward(splitSaved(kept, now), new Batched(g, now));
        if (!Array.isArray(gradients)) return gradients;
        return gradients.map((d: unknown, i) => {
          if (!isTensor(d)) return null;
          return mapped[i] ? all(d, now) : all(d, now).sum(0);
        });
      }),
    ...(spec.jvp === undefined
      ? {}
      : {
          jvp: (kept: unknown, tangents: readonly (Tensor | null)[]) =>
            within((now) =>
              all(
                tangentOf(
                  spec,
                  splitSaved(kept, now),
                  tangents.map((t, i) => split(t, mapped[i], now) as Tensor | null),
                ),
                now,
              ),
            ),
        }),
  };
}

function call(spec: Spec, args: readonly unknown[]): Tensor {
  const { name } = spec;
  args.forEach((arg, i) => {
    if (!isTensor(arg) && leavesOf(arg, isTensor).length > 0)
      fail(
        "ERR_ARGUMENT",
        name,
        `argument ${i} holds tensors, which no gradient would reach`,
        "tensors as arguments of their own",
        describe(arg),
      );
  });
  const pair = withGrad(false, () => synchronous(name, spec.forward(...args)));
  if (!Array.isArray(pair) || pair.length !== 2)
    fail("ERR_ARGUMENT", name, "forward must return the result and what it saves", "[out, saved]", describe(pair));
  const [result, saved] = pair as [unknown, unknown];
  const out = needTensor(name, result, "the result of forward");
  const batched = args.filter((x) => x instanceof Batched).sort((a, b) => b.level.depth - a.level.depth)[0];
  if (batched === undefined || belongsTo(out, batched.level)) return attach(spec, args, out, saved);
  return attach(spec, args, new Batched(out.expand([batched.level.size, ...out.shape]), batched.level), saved);
}

/**
 * A function with a derivative that you supply. `forward` runs without recording and returns the result and what to
 * save; `backward` turns the gradient of the result into those of the arguments. Higher derivatives work if `backward`
 * is made of ops: then saved arguments and results are connected to the graph, and other saved values are recomputed by
 * another call of `forward`. Each tensor must be an argument itself, not inside an array or object.
 * @throws ERR_ARGUMENT if `backward` gives a wrong number of gradients; ERR_SHAPE for a gradient of another shape than
 * its argument.
 * @example
 * const roundThrough = customFunction({
 *   name: "roundThrough",
 *   forward: (x: Tensor) => [x.round(), null],
 *   backward: (_, g) => [g],
 * });
 * grad(roundThrough)(1.7).item(); // 1
 */
export function customFunction<A extends unknown[], S>(spec: CustomFunction<A, S>): (...args: A) => Tensor {
  const op = "customFunction";
  if (typeof spec !== "object" || spec === null)
    fail("ERR_ARGUMENT", op, "not a description", "{ name, forward, backward }", describe(spec));
  if (typeof spec.name !== "string" || spec.name === "") refuse(op, "the name", "a string", spec.name);
  for (const key of ["forward", "backward"] as const) needFunction(op, spec[key], key);
  if (spec.jvp !== undefined) needFunction(op, spec.jvp, "jvp");
  return (...args) => call(spec as unknown as Spec, args);
}
