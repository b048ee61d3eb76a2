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
  /** The number of storages in use, in the whole process. */
  readonly liveStorages: number;
  /** The bytes in use. */
  readonly liveBytes: number;
  /** The bytes that are free and kept for reuse. */
  readonly cachedBytes: number;
  /** The largest number of bytes in use so far. */
  readonly peakBytes: number;
  /**
   * The memory limit in bytes: `NABLA_MEMORY_LIMIT`, else derived from the memory of the control group or the machine.
   */
  readonly limitBytes: number;
  /** The number of tensor handles of this JavaScript thread that have not been found to be unreachable. */
  readonly handles: number;
}

export interface Addon {
  layout(): Layout;
  setFrame(ints: Int32Array, doubles: Float64Array): boolean;
  /** A call whose objects native code tracks: the handles of new results in order, then the node. */
  execute(...handlesThenNode: object[]): void;
  /** A call without such objects. */
  run(): void;
  read(target: ArrayBufferView): void;
  item(): number;
  create(handle: object, source: ArrayBufferView): void;
  /** A tensor on a map of the file from that position; false where the system cannot map it. */
  map(handle: object, descriptor: number, position: number): boolean;
  flush(): void;
  reclaim(): number;
  /**
   * Bytes allocated since the last reclaim(); the arguments set after how many bytes and handles the next one is due.
   */
  sinceReclaim(bytes?: number, handles?: number): number;
  adopt(handle: object): void;
  save(node?: object): void;
  block(object: object): number;
  /** The id of the frame's operand; with `hold`, it stays alive until it is attached or this thread ends. */
  share(hold: boolean): number;
  attach(handle: object, id: number): boolean;
  /** How often the storage of the frame's operand has been written to. */
  version(): number;
  /** Distinguishes this library's ids from those of other processes and copies; the first number proposed is kept. */
  origin(proposed: number): number;
  stats(): NativeStats;
  /** The message of the last status. */
  message(): string;
  /** A description of the largest live tensors. */
  largest(): string;
  /** Counts memory allocated by JavaScript while the object lives; false if it would exceed the limit. */
  claim(object: object, bytes: number): boolean;
  /** Counters that change when this thread makes something, and when any thread of the process takes a large block. */
  activity(): [number, number];
  /** Returns cached memory to the system, except `keep` bytes; default 0. */
  trim(keep?: number): void;
  resetPeak(): void;
  threads(limit?: number): number;
  poolThreads(): number;
  isa(name?: string): string;
  isas(): string[];
  /** The first environment variable with an invalid value, and what is allowed. */
  unusableSetting(): readonly [variable: string, valid: string] | undefined;
  lockFlags(): void;
  unlockFlags(): void;
  /** Locks a file that is there; returns what ends the lock, or why there is none. */
  lockFile(path: string): (() => void) | "taken" | "none";
}
