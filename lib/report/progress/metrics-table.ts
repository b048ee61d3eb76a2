import { figure, grouped, visible } from "../../core/words.js";
import type { EvaluateEvent } from "../../train/events.js";

/** The evaluations of a run as rows of a table, with a header where the columns change. */
export class MetricsTable {
  #header = "";

  /** The lines of an evaluation: the row, and before it the header where it has not been said yet. */
  add({ step, epoch, metrics, best }: EvaluateEvent): { header: string | null; row: string } {
    const cells = Object.entries(metrics).map(([name, value]) => [visible(name), figure(value)] as const);
    const columns = [["step", grouped(step)], ["epoch", grouped(epoch)], ...cells] as const;
    const align = (index: 0 | 1): string =>
      columns.map((column) => column[index].padStart(Math.max(9, column[0].length))).join("  ");
    const header = align(0);
    const said = header === this.#header;
    this.#header = header;
    return { header: said ? null : header, row: `${align(1)}${best ? "  best" : ""}` };
  }
}
