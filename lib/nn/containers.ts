/** Containers of modules. */
import { needInteger, refuse } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { isNameIn, needList } from "../core/options.js";
import { isPlain } from "../core/tree.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { activationIn } from "./fusion.js";
import { Linear } from "./linear.js";
import { Module } from "./module.js";
import { members } from "./walk.js";

/** A layer of {@link Sequential}: a module or a function that takes one tensor and returns one tensor. */
export type Layer = ({ forward(x: Tensor): Tensor } & Module) | ((x: Tensor) => Tensor);

const isLayer = (value: unknown): value is Layer => value instanceof Module || typeof value === "function";

function needModule(op: string, value: unknown): Module {
  if (value instanceof Module) return value;
  return refuse(op, "an entry", "a module", value);
}

const numbered = (values: readonly unknown[]): [string, unknown][] => values.map((value, i) => [String(i), value]);

/**
 * Runs layers one after the other. A layer is a module or a function of a tensor; in the state dictionary, layers are
 * named by position.
 * @shape from the input of the first layer to the output of the last one.
 * @throws ERR_ARGUMENT for a value that is not a layer.
 * @example
 * const model = new nn.Sequential(new nn.Linear(2, 8), new nn.Tanh(), new nn.Linear(8, 1), (x) => x.squeeze(-1));
 * model.forward(zeros([4, 2])).shape; // [4]
 */
export class Sequential extends Module {
  private readonly layers: Layer[];

  constructor(...layers: Layer[]) {
    super();
    for (const layer of layers) if (!isLayer(layer)) refuse("Sequential", "a layer", "a module or a function", layer);
    this.layers = layers;
  }
  /** The number of layers. */
  get length(): number {
    return this.layers.length;
  }
  /** The layer at a position (a negative one counts from the end); undefined if there is none. */
  at(index: number): Layer | undefined {
    return this.layers.at(needInteger("Sequential", "the position", index));
  }
  [Symbol.iterator](): Iterator<Layer> {
    return this.layers[Symbol.iterator]();
  }
  override forward(x: Tensor): Tensor {
    let y = x;
    for (let i = 0; i < this.layers.length; i++) {
      const layer = this.layers[i]!;
      const activation = layer instanceof Linear ? activationIn(this.layers[i + 1]) : null;
      if (activation !== null) {
        y = (layer as Linear).forwardThrough(y, activation);
        i++;
      } else y = typeof layer === "function" ? layer(y) : layer.forward(y);
      if (!isTensor(y)) fail("ERR_ARGUMENT", "Sequential", `layer ${i} gave no tensor`, "a tensor", describe(y));
    }
    return y;
  }
  /** @internal */
  override [members](): Iterable<readonly [string, unknown]> {
    return numbered(this.layers);
  }
}

/**
 * A list of modules; their parameters belong to the module that holds the list. It has no `forward` of its own.
 * @throws ERR_ARGUMENT for a value that is not a module.
 * @example
 * const blocks = new nn.ModuleList([new nn.Linear(4, 4), new nn.Linear(4, 4)]);
 * let x = zeros([1, 4]);
 * for (const block of blocks) x = block.forward(x).relu();
 */
export class ModuleList<M extends Module = Module> extends Module {
  private readonly entries: M[];

  constructor(entries: Iterable<M> = []) {
    super();
    this.entries = needList("ModuleList", "the entries", entries, "an array of modules");
    for (const entry of this.entries) needModule("ModuleList", entry);
  }
  /** The number of modules. */
  get length(): number {
    return this.entries.length;
  }
  /** The module at a position (a negative one counts from the end); undefined if there is none. */
  at(index: number): M | undefined {
    return this.entries.at(needInteger("ModuleList", "the position", index));
  }
  /** Adds modules at the end. */
  push(...entries: M[]): this {
    for (const entry of entries) needModule("ModuleList", entry);
    this.entries.push(...entries);
    return this;
  }
  [Symbol.iterator](): Iterator<M> {
    return this.entries[Symbol.iterator]();
  }
  /** @internal */
  override [members](): Iterable<readonly [string, unknown]> {
    return numbered(this.entries);
  }
}

/**
 * Modules by name; their parameters belong to the module that holds the dictionary. It has no `forward` of its own.
 * @throws ERR_ARGUMENT for a value that is not a module.
 * @example
 * const heads = new nn.ModuleDict({ class: new nn.Linear(8, 10), box: new nn.Linear(8, 4) });
 * heads.get("box").forward(zeros([1, 8])).shape; // [1, 4]
 */
export class ModuleDict<E extends Readonly<Record<string, Module>> = Readonly<Record<string, Module>>> extends Module {
  private readonly entries: E;

  constructor(entries: E) {
    super();
    if (!isPlain(entries))
      fail("ERR_ARGUMENT", "ModuleDict", "the entries are not valid", "{ name: module }", describe(entries));
    this.entries = { ...entries };
    for (const entry of Object.values(this.entries)) needModule("ModuleDict", entry);
  }
  /** The module of a name; ERR_ARGUMENT if there is none. */
  get<K extends keyof E & string>(name: K): E[K] {
    if (isNameIn(this.entries, name)) return this.entries[name];
    return fail("ERR_ARGUMENT", "ModuleDict", "no module has this name", this.keys().join(", "), describe(name));
  }
  /** The names. */
  keys(): (keyof E & string)[] {
    return Object.keys(this.entries);
  }
  /** @internal */
  override [members](): Iterable<readonly [string, unknown]> {
    return Object.entries(this.entries);
  }
}

/**
 * The identity: returns its input.
 * @shape that of x.
 * @example new nn.Identity().forward(ones([2])).toArray(); // [1, 1]
 */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}
