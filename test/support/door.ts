/** Native calls, and which kernels they run. */
import { type Door, eager, kernelNames, layout, rawFrame, standIn } from "nabla/internal";

const { ints } = rawFrame();
const names = kernelNames();
const header = layout.header as Record<"opcode" | "outs" | "ins", number>;

/** A door that names each call before it passes it on. */
export const passingOn = (note: (call: keyof Door) => void): Door =>
  Object.fromEntries(
    Object.entries(eager).map(([name, call]) => [
      name,
      (...args: unknown[]) => {
        note(name as keyof Door);
        return (call as (...all: unknown[]) => unknown)(...args);
      },
    ]),
  ) as unknown as Door;

/** Whether a call runs the kernel that the frame names. */
export const runsKernel = (call: keyof Door): boolean => call === "execute" || call === "run";

/** Kernels that fill new tensors. Interceptors do not see them, since they take no tensor. */
const makes = new Set(["empty", "arange"]);

/** The kernels that native code is asked to run meanwhile, with the number of results and inputs. */
export function atTheDoor<T>(f: () => T): { result: T; kernels: string[] } {
  const kernels: string[] = [];
  const note = (): void => {
    const name = names[ints[header.opcode]!]!;
    const outs = ints[header.outs]!;
    const first = ints[layout.operandBase + layout.operandInts * outs + 4]!;
    const result = ints[layout.operandBase + 4]!;
    const fills = name === "identity" && first & layout.flags.scalar! && result & layout.flags.fresh!;
    if (!makes.has(name) && !fills) kernels.push(`${name}/${outs}/${ints[header.ins]}`);
  };
  const door = passingOn((call) => {
    if (runsKernel(call)) note();
  });
  return { result: standIn(door, f), kernels };
}
