import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MetricsFile, writeReport } from "nabla/internal";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TrainEvent } from "../../lib/train/events.js";
import { end, evaluate, start, step, warning } from "./events.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nabla-report-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function reportOf(events: Iterable<TrainEvent>, failure?: string): Promise<string> {
  const file = new MetricsFile(join(folder, "metrics.jsonl"), () => undefined);
  let count = 0;
  for (const event of events) {
    file.observe(event);
    if (++count % 10_000 === 0) file.stateDict();
  }
  await file.close();
  const path = await writeReport("report", folder, { failure });
  expect(path).toBe(join(folder, "report.html"));
  return readFile(path, "utf8");
}

interface Drawn {
  readonly title: string;
  readonly curves: { name: string; x: number[]; mean: number[]; least?: number[]; most?: number[] }[];
}
const chartsOf = (page: string): Drawn[] => JSON.parse(/id="curves">(.*?)<\/script>/s.exec(page)![1]!);
const body = (page: string): string =>
  page.slice(page.indexOf("<body>"), page.indexOf('<script type="application/json"'));

test("curves of one quantity share a chart, with every value of a short run", async () => {
  const page = await reportOf([
    start(),
    step(1, { loss: 3, log: { perplexity: 20 }, gradNorm: 2 }),
    step(2, { loss: 2 }),
    evaluate(2, { "test.loss": 2.5, "test.accuracy": 0.5 }, true),
    end(2),
  ]);
  expect(chartsOf(page).map(({ title, curves }) => [title, curves.map(({ name }) => name)])).toEqual([
    ["loss", ["train", "test"]],
    ["learning rate", ["lr"]],
    ["gradient norm", ["before clipping"]],
    ["perplexity", ["train"]],
    ["milliseconds a step", ["all", "waiting for data"]],
    ["accuracy", ["test"]],
  ]);
  expect(chartsOf(page)[0]!.curves[0]).toEqual({ name: "train", x: [1, 2], mean: [3, 2] });
  expect(body(page)).toMatch(/<span class="state good">finished<\/span>/);
  expect(body(page)).toMatch(/<td>2<\/td><td>1<\/td><td>2\.500<\/td><td>0\.5000<\/td>/);
});

test("a long run stays below 2 MB, and no least and no most value is lost", async () => {
  const steps = 20_000;
  const names = Array.from({ length: 30 }, (_, i) => `metric-${i}`);
  function* events(): Generator<TrainEvent> {
    yield start({ steps });
    for (let i = 1; i <= steps; i++)
      yield step(i, {
        loss: i === 4327 ? 1e6 : i === 17_785 ? -1e6 : Math.random(),
        log: Object.fromEntries(names.map((name) => [name, Math.random() * 1e-5])),
      });
  }
  const page = await reportOf(events());
  expect(page.length).toBeLessThan(2e6);
  const [{ curves }] = chartsOf(page) as [Drawn];
  const { x, mean, least, most } = curves[0]!;
  expect(x.length).toBeGreaterThan(500);
  const at = (number: number) => x.findLastIndex((first) => first <= number);
  expect([most![at(4327)], least![at(17_785)]]).toEqual([1e6, -1e6]);
  expect([most, least].map((values) => values!.filter((value) => Math.abs(value) > 1))).toEqual([[1e6], [-1e6]]);
  expect(mean[1]).toBeGreaterThan(0.2);
  expect(mean[1]).toBeLessThan(0.8);
});

test("texts of others are escaped, and nothing comes from elsewhere", async () => {
  const hostile = `</script><img src=x onerror="alert(1)">'&`;
  await writeFile(join(folder, "job.json"), JSON.stringify({ name: hostile }));
  const page = await reportOf(
    [
      start({ run: hostile }),
      step(1, { log: { [hostile]: 1 } }),
      evaluate(1, { [`test.${hostile}`]: 1 }),
      warning(hostile),
    ],
    hostile,
  );
  expect(page.match(/<img/g)).toBe(null);
  expect(page.match(/<\/script>/g)).toHaveLength(2);
  expect(chartsOf(page).map(({ title }) => title)).toContain(hostile);
  expect(body(page)).toContain("&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;");
  expect(page).toContain(`http-equiv="Content-Security-Policy" content="default-src 'none';`);
  expect(page).not.toMatch(/(?:src|href)="(?!data:)|@import|url\((?!data:)/);
  expect(page).toContain("MIT License");
});

test("a run that failed, was killed or went wrong says so", async () => {
  const states = async (events: TrainEvent[], failure?: string) =>
    /<span class="state (\w+)">([^<]*)/.exec(await reportOf(events, failure))!.slice(1);
  expect(await states([start(), step(1)])).toEqual(["open", "has not ended"]);
  expect(await states([start(), step(1)], "it broke")).toEqual(["bad", "failed"]);
  expect(await states([start(), end(1, { reason: "signal" })])).toEqual(["open", "interrupted; it can go on"]);
  expect(await states([start(), end(1), start({ step: 1 })])).toEqual(["open", "has not ended"]);
  const page = await reportOf(
    [start(), step(1), step(2, { loss: Number.NaN }), end(2, { reason: "nan" })],
    "at step 2",
  );
  expect(body(page)).toContain("step 2: the loss is NaN");
  expect(body(page)).toContain('<pre class="bad">at step 2</pre>');
  expect(chartsOf(page)[0]!.curves[0]!.x).toEqual([1]);
});

test("long texts are cut", async () => {
  const long = "x".repeat(1e6);
  await writeFile(join(folder, "job.json"), long);
  const log = { [`${long}1`]: 1, [`${long}2`]: 2 };
  const page = await reportOf([start(), step(1, { log }), evaluate(1, { [long]: 1 }), warning(long)], long);
  expect(page.length).toBeLessThan(4e5);
  expect(chartsOf(page).filter(({ title }) => title === `${"x".repeat(99)}…`)).toHaveLength(3);
});

test("a run of no steps has a report, too", async () => {
  expect(chartsOf(await reportOf([start()]))).toEqual([]);
});
