/** Draws the curves of the report, in the browser. */
import uPlot from "uplot";
import type { PlottedChart } from "../plotted.js";

const text = (id: string): string => document.getElementById(id)!.textContent!;
const charts = JSON.parse(text("curves")) as PlottedChart[];

/** All charts begin and end at the same step. */
const ends = charts.flatMap(({ curves }) => curves.flatMap(({ x }) => [x[0]!, x.at(-1)!]));
const steps: [number[]] = [[ends.reduce((a, b) => Math.min(a, b), ends[0]!), ends.reduce((a, b) => Math.max(a, b), 0)]];

const hues = ["#2f6fde", "#e0662b", "#2a9d5c", "#a04ad0", "#c9a21a", "#d0437a", "#3aa6b9", "#7a6a58"];
const colorOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const short = (value: number | null | undefined): string =>
  value === null || value === undefined ? "–" : String(Number(value.toPrecision(4)));

/** The curves over one axis of steps: of each the mean, and the band from the least to the most value. */
function dataOf({ curves }: PlottedChart): { data: uPlot.AlignedData; series: uPlot.Series[]; bands: uPlot.Band[] } {
  const tables = curves.map(({ x, mean, least, most }): uPlot.AlignedData => [x, mean, least ?? mean, most ?? mean]);
  const series: uPlot.Series[] = [
    { label: "step", value: (_, step) => (step === null ? "–" : step.toLocaleString("en")) },
  ];
  const bands: uPlot.Band[] = [];
  curves.forEach(({ name, x, least }, i) => {
    const hue = hues[i % hues.length]!;
    const at = series.length;
    const common = { spanGaps: true, points: { show: false } };
    series.push({
      ...common,
      label: name,
      stroke: hue,
      width: 1.5,
      points: { show: x.length < 50 },
      value: (_, v) => short(v),
    });
    for (const edge of ["least", "most"])
      series.push({
        ...common,
        label: `${name}, ${edge}`,
        show: least !== undefined,
        stroke: `${hue}40`,
        width: 0.5,
        class: "edge",
      });
    bands.push({ series: [at + 2, at + 1], fill: `${hue}30` });
  });
  return { data: uPlot.join([steps, ...tables]), series, bands };
}

/** The index of the value that is closest: curves do not have one at each step. */
function closest(plot: uPlot, series: number, index: number): number {
  const values = plot.data[series]!;
  for (let away = 0; away < values.length; away++)
    for (const at of [index - away, index + away]) if (values[at] !== null && values[at] !== undefined) return at;
  return index;
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

const isPositive = ({ curves }: PlottedChart): boolean =>
  curves.every(({ mean, least }) => (least ?? mean).every((value) => value > 0));

function draw(chart: PlottedChart, card: HTMLElement): void {
  const space = card.querySelector<HTMLElement>(".plot")!;
  const button = card.querySelector<HTMLButtonElement>("button")!;
  const { data, series, bands } = dataOf(chart);
  let plot: uPlot | undefined;
  let logarithmic = false;
  const height = 260;
  const axis = (): uPlot.Axis => ({
    stroke: colorOf("--faint"),
    grid: { stroke: colorOf("--line"), width: 1 },
    ticks: { stroke: colorOf("--line"), width: 1 },
  });
  const make = (): void => {
    plot?.destroy();
    plot = new uPlot(
      {
        width: space.clientWidth,
        height,
        series,
        bands,
        cursor: { sync: { key: "steps", scales: ["x", null] }, points: { size: 6 }, dataIdx: closest },
        scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
        axes: [
          { ...axis(), values: (_, values) => values.map((step) => compact.format(step)) },
          { ...axis(), size: 64, values: (_, values) => values.map((v) => (v === null ? "" : short(v))) },
        ],
      },
      data,
      space,
    );
  };
  button.hidden = !isPositive(chart);
  button.onclick = () => {
    logarithmic = !logarithmic;
    button.setAttribute("aria-pressed", String(logarithmic));
    make();
  };
  make();
  new ResizeObserver(() => plot!.setSize({ width: space.clientWidth, height })).observe(space);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", make);
}

document.querySelectorAll<HTMLElement>(".chart").forEach((card, i) => draw(charts[i]!, card));
