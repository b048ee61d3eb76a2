import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadNpy, readCsv, saveCheckpoint, saveNpy, tensor } from "nabla";
import { steady, summary } from "../harness/measure.mjs";

const sizes = { digits: "perceptron 784-512-256-10, batch 128", gpt: "character GPT 4x128, batch 12 of 64" };
const rowOf = (name, metric = "time") => ({ case: name, metric, contender: /^nabla$/ });
const names = (job) => ({
  hand: `${sizes[job]}: a loop by hand`,
  trainer: `${sizes[job]}: the Trainer`,
  workers: `${sizes[job]}: the Trainer, 2 workers`,
});

const trial = (job) => ({
  title: sizes[job],
  pace: steady,
  metrics: [{ metric: "time", unit: "ms/step", of: (seconds) => seconds * 1e3 }],
  entries: [
    [names(job).hand, { by: "hand" }],
    [names(job).trainer, { by: "trainer", workers: 0, shards: 1 }],
    [names(job).workers, { by: "trainer", workers: 2, shards: 8 }],
  ].map(([name, spec]) => ({
    case: name,
    contender: "nabla",
    threads: spec.workers > 0 ? 2 : 1,
    spec: { kind: "jobSteps", job, ...spec },
  })),
});

const overhead = (job) => [
  {
    text: `a step of the Trainer against a loop by hand, ${sizes[job]}`,
    atMostTimes: 1.02,
    ours: rowOf(names(job).trainer),
    theirs: rowOf(names(job).hand),
  },
  {
    text: `the share of a step that waits for data, ${sizes[job]}`,
    atMost: 3,
    ours: rowOf(names(job).trainer, "wait for data"),
  },
  {
    text: `99th percentile of the event loop's delay, Trainer with 2 workers, ${sizes[job]}`,
    atMost: 20,
    ours: rowOf(names(job).workers, "event-loop delay p99"),
  },
];

const GIGABYTE = 2 ** 30;
const files = {
  write: "a checkpoint of 1 GB, to the disk",
  dd: "dd of 1 GB with fsync",
  blocked: "a checkpoint of 1 GB, until the next step can begin",
  copy: "a copy of 1 GB, to new memory",
  map: "first value of a mapped npy file of 1 GB",
  csv: "a numeric CSV file of 50 MB",
};

async function timed(run) {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/** Reads and writes of large files; those that are compared, in turns. */
async function runFiles({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), "nabla-bench-"));
  const times = Object.fromEntries(Object.values(files).map((name) => [name, []]));
  try {
    const path = (name) => join(folder, name);
    const values = tensor(new Float32Array(GIGABYTE / 4));
    await saveNpy(path("values.npy"), values);
    const lines = Array.from({ length: 1000 }, (_, row) =>
      Array.from({ length: 8 }, (_, i) => (Math.sin(8 * row + i) * 10 ** (i % 4)).toFixed(4)).join(","),
    );
    const text = `${lines.join("\n")}\n`;
    writeFileSync(path("table.csv"), `a,b,c,d,e,f,g,h\n${text.repeat(Math.ceil(5e7 / text.length))}`);
    const turns = quick ? 2 : 5;
    // Apart from the others, whose gigabytes are freed for tens of milliseconds when something is allocated.
    for (let i = 0; i < turns; i++)
      times[files.map].push(await timed(async () => (await loadNpy(path("values.npy"), { map: true })).at(5).item()));
    for (let i = 0; i < turns; i++) {
      const start = performance.now();
      const written = saveCheckpoint(path("checkpoint"), { values });
      times[files.blocked].push((performance.now() - start) / 1000);
      await written;
      times[files.write].push((performance.now() - start) / 1000);
      times[files.dd].push(
        await timed(() =>
          spawnSync("dd", ["if=/dev/zero", `of=${path("dd")}`, "bs=1M", "count=1024", "conv=fsync"], {
            stdio: "ignore",
          }),
        ),
      );
      // A clone would go to memory that the one before has warmed; a checkpoint's copy does not.
      times[files.copy].push(await timed(() => values.toTypedArray()));
      times[files.csv].push(await timed(() => readCsv(path("table.csv"))));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const results = Object.entries(times).map(([name, seconds]) => ({
    suite: "jobs",
    case: name,
    contender: name === files.dd ? "dd" : "nabla",
    threads: 1,
    ...(name === files.csv
      ? { metric: "rate", unit: "MB/s", ...summary(seconds.map((s) => 50 / s)) }
      : { metric: "time", unit: "ms", ...summary(seconds.map((s) => s * 1e3)) }),
  }));
  return { results, missing: [], versions: {} };
}

/** Training jobs: what the Trainer costs a step, and files of a gigabyte. */
export const jobs = {
  name: "jobs",
  trials: [trial("digits"), trial("gpt"), { title: "files", run: runFiles }],
  bounds: [
    ...overhead("digits"),
    ...overhead("gpt"),
    {
      text: "a checkpoint of 1 GB against dd with fsync",
      atLeast: 0.8,
      ours: rowOf(files.write),
      theirs: { case: files.dd, metric: "time", contender: /^dd$/ },
    },
    {
      text: "how long a checkpoint of 1 GB stops training, against a copy of it",
      atMostTimes: 1.2,
      ours: rowOf(files.blocked),
      theirs: rowOf(files.copy),
    },
    { text: "first value of a mapped file of 1 GB", atMost: 5, ours: rowOf(files.map) },
  ],
};
