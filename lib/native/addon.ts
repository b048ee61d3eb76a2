/** The type of the native add-on, written by hand: what native/binding/addon.cc exports. */
export interface Layout {
  readonly header: Readonly<Record<string, number>>;
  readonly flags: Readonly<Record<string, number>>;
  readonly releaseBase: number;
  readonly releaseCapacity: number;
  readonly operandBase: number;
  readonly operandInts: number;
  readonly blockSlots: number;
  readonly blockBytes: number;
  readonly maxRank: number;
  readonly maxSaved: number;
  readonly dtypes: Readonly<Record<string, number>>;
  readonly opcodes: Readonly<Record<string, number>>;
  /** The NablaError code of each status. */
  readonly codes: readonly string[];
}

export interface NativeStats {
  /** Storages alive in the whole process. */
  readonly liveStorages: number;
  readonly liveBytes: number;
  /** Bytes kept for reuse. */
  readonly cachedBytes: number;
  readonly peakBytes: number;
  /** How many bytes may be live: `NABLA_MEMORY_LIMIT`, or the limit of the control group or the machine. */
  readonly limitBytes: number;
  /** Tensor handles of this JavaScript thread that are not yet known to be dead. */
  readonly handles: number;
}

export interface Addon {
  layout(): Layout;
  setFrame(ints: Int32Array, doubles: Float64Array): boolean;
  /** A call whose objects native code is to watch: the handles of fresh results in order, then the node. */
  execute(...handlesThenNode: object[]): void;
  /** A call that brings none. */
  run(): void;
  read(target: ArrayBufferView): void;
  item(): number;
  /** Whether an integer or bool dtype holds every element of the frame's operand, no half, exactly. */
  holds(dtype: number): boolean;
  create(handle: object, source: ArrayBufferView): void;
  flush(): void;
  reclaim(): number;
  /** Bytes allocated since the last reclaim(); with bounds, the next one is due after so many bytes of at least so many handles. */
  sinceReclaim(bytes?: number, handles?: number): number;
  adopt(handle: object): void;
  save(node?: object): void;
  block(object: object): number;
  /** The id of the frame's operand; with `hold`, a reference stays with it until somebody attaches or this thread ends. */
  share(hold: boolean): number;
  attach(handle: object, id: number): boolean;
  /** What tells this library's ids from those of other processes and copies; the first number proposed stays. */
  origin(proposed: number): number;
  stats(): NativeStats;
  /** The sentence of the last status. */
  message(): string;
  /** The largest live tensors, in words. */
  largest(): string;
  /** Counts memory of JavaScript's own for as long as the object lives; false where it would pass the limit. */
  claim(object: object, bytes: number): boolean;
  /** Changes with what this thread makes, and with the large blocks that any thread of the process takes. */
  activity(): [number, number];
  /** Gives cached memory back to the system until so many bytes (0) stay. */
  trim(keep?: number): void;
  resetPeak(): void;
  threads(limit?: number): number;
  poolThreads(): number;
  isa(name?: string): string;
  isas(): string[];
  /** The first variable of the environment whose value cannot be used, and what it may be. */
  unusableSetting(): readonly [variable: string, valid: string] | undefined;
  lockFlags(): void;
  unlockFlags(): void;
}
