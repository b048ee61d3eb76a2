import { setTimeout as sleep } from "node:timers/promises";
import { prepare } from "./contenders.mjs";
import { Contestant } from "./contestant.mjs";
import { disagreement, reference } from "./reference.mjs";

/**
 * How long and how often: a sample is long enough for the clock, rounds interleave the contenders. Warming goes on for
 * `warmRuns` too, within `warmAtMost` seconds: results of a loop come to lie in memory that was used before.
 */
export const full = {
  sampleSeconds: 0.025,
  warmSeconds: 0.25,
  warmRuns: 32,
  warmAtMost: 2,
  rounds: 5,
  samplesPerRound: 3,
};
/** Of a training job, which runs for minutes: past the time in which engines compile its code. */
export const steady = { sampleSeconds: 0.1, warmSeconds: 2 };
export const quick = { ...full, sampleSeconds: 0.02, warmSeconds: 0.1, rounds: 3, samplesPerRound: 2 };

/** Median, least and greatest of some figures. */
export function summary(figures) {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1), samples: sorted.length };
}

/**
 * Runs one trial: its entries start together, are checked, then measured in turns, A B A B.
 * A trial is { suite, metric, tolerance, pace, entries: [{ case, contender, threads, spec }] }, where its pace is what
 * differs from the given one; the result is { results, missing, versions }, with every entry in one of the first two.
 */
export async function measure(trial, given) {
  const pace = { ...given, ...trial.pace };
  const players = await Promise.all(trial.entries.map((entry) => enter(entry, trial)));
  try {
    const timed = trial.metrics.length > 0;
    for (const player of players.filter(ready)) if (timed) await attempt(player, () => calibrate(player, pace));
    for (let round = 0; timed && round < pace.rounds; round++) {
      for (const player of players.filter(ready)) {
        await sleep(player.threads > 1 ? 40 : 2); // lets the threads of the one before stop spinning
        await attempt(player, () => turn(player, pace));
      }
    }
  } finally {
    await Promise.all(players.map(leave));
  }
  const measured = players.filter(ready);
  const results = measured.flatMap((player) => rows(player, trial));
  return {
    results: [...results, ...shares(results, trial.yardstick)],
    missing: players
      .filter((player) => !ready(player))
      .map(({ name, status, reason }) => ({ ...name, status, reason })),
    versions: Object.fromEntries(
      measured
        .filter((p) => p.name.contender !== trial.yardstick)
        .map((p) => [p.name.contender.split(" ")[0], p.contestant.hello.version]),
    ),
  };
}

const ready = (player) => player.status === "ready";

async function enter({ spec, ...entry }, trial) {
  const name = { suite: trial.suite, case: entry.case, contender: entry.contender, threads: entry.threads };
  const player = { name, threads: entry.threads, seconds: [], status: "ready" };
  const { launch, ...refused } = await prepare(entry.contender, { ...spec, threads: entry.threads });
  if (!launch) return { ...player, ...refused };
  player.contestant = await Contestant.start(launch);
  const { hello } = player.contestant;
  for (const status of ["absent", "unsupported", "failed"]) {
    if (status in hello) return { ...player, status, reason: hello[status] };
  }
  const expected = hello.value?.length ? reference(spec) : null;
  const wrong = expected && disagreement(hello.value, expected, trial.tolerance);
  return wrong ? { ...player, status: "wrong", reason: wrong } : player;
}

async function attempt(player, action) {
  try {
    await action();
  } catch (error) {
    Object.assign(player, { status: "failed", reason: error.message });
  }
}

async function calibrate(player, { sampleSeconds, warmSeconds, warmRuns, warmAtMost }) {
  let times = 1;
  for (let warmed = 0, runs = 0; ; ) {
    const seconds = await player.contestant.sample(times);
    warmed += seconds;
    runs += times;
    const warm = warmed >= warmSeconds && (runs >= warmRuns || warmed >= warmAtMost);
    if (seconds >= sampleSeconds / 2 && warm) {
      player.times = Math.max(1, Math.ceil((times * sampleSeconds) / seconds));
      return;
    }
    if (seconds < sampleSeconds / 2)
      times = Math.ceil(times * Math.min(10, Math.max(2, sampleSeconds / (seconds + 1e-9))));
  }
}

/** One turn of a player; who is very slow gets three samples in all. */
async function turn({ contestant, seconds, times }, { samplesPerRound }) {
  for (let i = 0; i < samplesPerRound && (seconds.length < 3 || seconds[0] < 1); i++) {
    seconds.push(await contestant.sample(times));
  }
}

async function leave(player) {
  player.extra = (await player.contestant?.close()) ?? {};
}

function rows({ name, seconds, times, contestant, extra }, { metrics }) {
  const own = [...(contestant.hello.metrics ?? []), ...(extra.metrics ?? [])];
  return [
    ...metrics.map(({ metric, unit, of }) => {
      const figures = seconds.map((s) => of(s / times, contestant.hello));
      return { ...name, metric, unit, ...summary(figures) };
    }),
    ...own.map(({ metric, unit, value }) => ({ ...name, metric, unit, ...summary([value]) })),
  ];
}

/** Each rate again, in per cent of what the yardstick of the trial reached. */
function shares(results, yardstick) {
  const whole = results.find((r) => r.contender === yardstick);
  if (!whole) return [];
  const percent = (value) => (100 * value) / whole.median;
  return results
    .filter((r) => r !== whole)
    .map((r) => ({
      ...r,
      metric: `of ${yardstick}`,
      unit: "%",
      median: percent(r.median),
      min: percent(r.min),
      max: percent(r.max),
    }));
}
