import type { Tensor } from "nabla";
import { table } from "nabla/internal";
import type { Operand } from "./case.js";

/** What the laws use of a row that no public function calls with exactly these inputs. */
interface Replayed {
  readonly replay: (inputs: readonly Operand[], params: unknown) => Tensor;
}

export function row(name: string): Replayed {
  const found = table.get(name);
  if (found === undefined) throw new Error(`no row is called ${name}`);
  return found as unknown as Replayed;
}

export const notPublic = "it is internal: its callers have checked the inputs";
