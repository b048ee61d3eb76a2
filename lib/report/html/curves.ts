/** The curves of a run as plain data, few enough for a page. */
import { shortened } from "../../core/words.js";
import type { Curve } from "../summary.js";
import type { PlottedChart, PlottedCurve } from "./plotted.js";

/** Together at most so many columns, of less than 50 bytes each. */
const mostColumns = 36_000;
/** The characters of a name of somebody else's. */
export const mostName = 100;

const short = (value: number): number => Number(value.toPrecision(5));

function plotted({ name: whole, envelope }: Curve, most: number): PlottedCurve {
  const name = shortened(whole, mostName);
  const columns = envelope.within(most);
  const mean = columns.map(({ sum, count }) => short(sum / count));
  const x = columns.map((column) => column.x);
  if (columns.every(({ count }) => count === 1)) return { name, x, mean };
  return {
    name,
    x,
    mean,
    least: columns.map(({ least }) => short(least)),
    most: columns.map(({ most }) => short(most)),
  };
}

/** The charts: curves of the same quantity share one. */
export function chartsOf(curves: readonly Curve[]): PlottedChart[] {
  const most = Math.max(2, Math.floor(mostColumns / Math.max(1, curves.length)));
  const charts = new Map<string, PlottedCurve[]>();
  for (const curve of curves) {
    const drawn = plotted(curve, most);
    if (drawn.x.length === 0) continue;
    charts.set(curve.chart, [...(charts.get(curve.chart) ?? []), drawn]);
  }
  return [...charts].map(([title, curves]) => ({ title: shortened(title, mostName), curves }));
}
