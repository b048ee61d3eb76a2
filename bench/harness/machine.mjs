import { readFile } from "node:fs/promises";
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";

/** What the figures were taken on. */
export async function machine() {
  const governor = await readFile("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "utf8").catch(() => "unknown");
  const flags = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    isa: ["avx2", "fma", "avx512f"].filter((flag) => new RegExp(`\\b${flag}\\b`).test(flags)),
    governor: governor.trim(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    load: loadavg().map((value) => Number(value.toFixed(2))),
    date: new Date().toISOString(),
  };
}
