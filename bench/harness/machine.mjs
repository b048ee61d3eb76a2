import { readFile } from "node:fs/promises";
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { generationIn } from "./processor.mjs";

const cpuinfo = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
export const isa = ["avx2", "fma", "avx512f"].filter((flag) => new RegExp(`\\b${flag}\\b`).test(cpuinfo));
export const amd = cpuinfo.includes("AuthenticAMD");

/** What the figures were taken on. */
export async function machine() {
  const governor = await readFile("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "utf8").catch(
    () => "unknown",
  );
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    processor: generationIn(cpuinfo),
    cores: availableParallelism(),
    isa,
    governor: governor.trim(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    load: loadavg().map((value) => Number(value.toFixed(2))),
    busy_cores: await busyCores(),
    date: new Date().toISOString(),
  };
}

/** How many cores others keep busy, over one second in which this process sleeps. */
export async function busyCores() {
  const read = () =>
    cpus().map(({ times: { idle, ...rest } }) => ({ idle, work: rest.user + rest.nice + rest.sys + rest.irq }));
  const before = read();
  await sleep(1000);
  const shares = read().map(({ idle, work }, i) => {
    const worked = work - before[i].work;
    return worked / (worked + idle - before[i].idle || 1);
  });
  return Number(shares.reduce((sum, share) => sum + share, 0).toFixed(2));
}
