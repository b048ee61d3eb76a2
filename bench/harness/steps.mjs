// Small helpers the JavaScript contenders share.
import { probes } from "./inputs.mjs";

/** A run that repeats a synchronous step. */
export const repeat = (step) => (times) => {
  for (let i = 0; i < times; i++) step();
};

/** A run that repeats a step returning a promise. */
export const repeatAsync = (step) => async (times) => {
  for (let i = 0; i < times; i++) await step();
};

/** The report of a result: its values at sixteen positions. */
export const probe = (array) => probes(array.length).map((p) => array[p]);

/** The error by which a contender says that it cannot do a case. */
export function unsupported(reason) {
  return Object.assign(new Error(reason), { verdict: "unsupported" });
}
