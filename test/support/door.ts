/** Which kernels native code is asked to run. */
import { type Door, eager, kernelNames, layout, rawFrame, standIn } from "nabla/internal";

const { ints } = rawFrame();
const names = kernelNames();
const header = layout.header as Record<"opcode" | "outs" | "ins", number>;

/** Kernels that make tensors from nothing: no op, so that nobody sees them. */
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
  const listening: Door = {
    ...eager,
    execute: (...objects) => {
      note();
      eager.execute(...objects);
    },
    run: () => {
      note();
      eager.run();
    },
  };
  return { result: standIn(listening, f), kernels };
}
