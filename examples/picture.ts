import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { contours } from "d3-contour";
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** The part of the plane a picture shows, and its size on paper. */
export interface Frame {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly width: number;
  readonly height: number;
}

/** Evenly spaced numbers, both ends included. */
export function spaced([from, to]: readonly [number, number], count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
}

/** Writes a Vega-Lite picture as SVG, without a browser or a canvas. */
export async function draw(path: string, spec: TopLevelSpec): Promise<void> {
  const view = new View(parse(compile({ background: "white", ...spec }).spec), { renderer: "none" });
  await save(path, await view.toSVG());
}

/** Writes a picture that is already SVG. */
export async function save(path: string, svg: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, svg);
  console.log(`  wrote ${path}`);
}

/** A layer of filled contours, one area per level: where `values[row][column]`, rows by rising y, is at least it. */
export function filled(
  frame: Frame,
  values: readonly (readonly number[])[],
  levels: readonly number[],
  scheme: string,
  extent: readonly [number, number] = [0, 1],
) {
  const rows = values.length;
  const columns = values[0]?.length ?? 0;
  const place = ([column = 0, row = 0]: readonly number[]) => [
    clamp((column - 0.5) / (columns - 1)) * frame.width,
    (1 - clamp((row - 0.5) / (rows - 1))) * frame.height,
  ];
  const areas = contours()
    .size([columns, rows])
    .thresholds([...levels])(values.flat())
    .map(({ coordinates, value }) => ({
      type: "Feature",
      properties: { rank: levels.indexOf(value) },
      geometry: { type: "MultiPolygon", coordinates: coordinates.map((rings) => rings.map((ring) => ring.map(place))) },
    }));
  return {
    data: { values: areas },
    mark: { type: "geoshape", stroke: "white", strokeWidth: 0.5 },
    projection: { type: "identity", scale: 1, translate: [0, 0] as [number, number] },
    encoding: {
      color: {
        field: "properties.rank",
        type: "quantitative",
        scale: { scheme: { name: scheme, extent: [...extent] } },
        legend: null,
      },
    },
  } as const;
}

const clamp = (x: number) => Math.min(1, Math.max(0, x));

/** The axes of a frame, for the layers that share it. */
export function axes(frame: Frame, x: string, y: string) {
  const axis = (title: string, [from, to]: readonly [number, number]) => {
    const domain: [number, number] = [from, to];
    return { type: "quantitative", title, scale: { domain, nice: false }, axis: { grid: false } } as const;
  };
  return { x: { field: "x", ...axis(x, frame.x) }, y: { field: "y", ...axis(y, frame.y) } } as const;
}
