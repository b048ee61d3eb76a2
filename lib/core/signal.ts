import { refuse } from "./arguments.js";

interface Fallback {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** AbortSignal, also for programs that have neither the types of the DOM nor those of Node. */
export type Signal = typeof globalThis extends { readonly AbortSignal: { readonly prototype: infer S } } ? S : Fallback;

/** ERR_ARGUMENT unless the value is a signal, or undefined. */
export function needSignal(op: string, signal: unknown): Signal | undefined {
  if (signal === undefined) return undefined;
  const names = ["addEventListener", "removeEventListener"] as const;
  const given = typeof signal === "object" && signal !== null ? signal : {};
  const fits = names.every((name) => typeof Reflect.get(given, name) === "function");
  return fits ? (signal as Signal) : refuse(op, "signal", "an AbortSignal", signal);
}
