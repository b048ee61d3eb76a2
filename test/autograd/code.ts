/** What the tests of derivatives share. */
import { NablaError, type Tensor, tensor } from "nabla";
import { expect } from "vitest";

/** The error that a call ends with. */
export function thrown(f: () => unknown): NablaError {
  try {
    f();
  } catch (error) {
    if (error instanceof NablaError) return error;
    throw error;
  }
  return expect.fail("nothing was thrown");
}
export const code = (f: () => unknown): string => thrown(f).code;

type Data = number | number[] | number[][];
export const double = (data: Data, requiresGrad = false): Tensor => tensor(data, { dtype: "float64", requiresGrad });

/** Equal in shape, and in every element to twelve digits. */
export function close(x: Tensor, expected: Tensor | Data, tolerance = 1e-12): void {
  const wanted = typeof expected === "object" && "shape" in expected ? expected : double(expected);
  expect(x.shape).toEqual(wanted.shape);
  const error = x.sub(wanted).abs().div(wanted.abs().add(1)).reshape([-1]).toArray<number[]>();
  for (const e of error) expect(e).toBeLessThan(tolerance);
}

/** The processor time of a call in milliseconds: of no interest to other processes. */
export function processorTime(f: () => void): number {
  const start = process.cpuUsage();
  f();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
