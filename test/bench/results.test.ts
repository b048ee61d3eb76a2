import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const load = async <T>(file: string): Promise<T> =>
  (await import(pathToFileURL(join(root, "bench", "harness", file)).href)) as T;

interface Report {
  readonly commit: string;
  readonly machine: { readonly cpu: string; readonly processor: string };
  readonly results: readonly object[];
  readonly missing: readonly { readonly reason: string }[];
}
const { textOf, commandLine } = await load<{
  textOf(report: unknown): string;
  commandLine(args: readonly string[]): string;
}>("results.mjs");
const { generationIn } = await load<{ generationIn(cpuinfo: string): string }>("processor.mjs");

describe("files of results", () => {
  const folder = join(root, "bench", "results");
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  test("are there", () => expect(files).toContain("latest.json"));

  test.each(files)("%s has a line for each result, a commit, a processor, and no local path", (name) => {
    const text = readFileSync(join(folder, name), "utf8");
    const report = JSON.parse(text) as Report;
    expect(textOf(report) === text, "as bench/harness/results.mjs writes it").toBe(true);
    expect(text.split("\n").filter((line) => line.startsWith('{"suite"'))).toHaveLength(
      report.results.length + report.missing.length,
    );
    expect(report.commit).toMatch(/^[0-9a-f]{12}\+?$/);
    expect(report.machine.processor).toMatch(/^(Zen \d|Xeon)/);
    expect(text).not.toMatch(/"\/|[ (]\/\w+\//);
  });
});

test("the writer rounds figures and takes folders out of commands and reasons", () => {
  const report = {
    command: commandLine(["gemm", "--case", "8x8x8 NN", "--json", "/some/where/out.json"]),
    commit: "0123456789ab",
    machine: { cpu: "AMD EPYC", processor: "Zen 4" },
    results: [{ median: 1.23456789, samples: 15 }],
    missing: [{ reason: "no /some/where/python3 here; 3 MB/s of 4" }],
    bounds: [],
  };
  const written = JSON.parse(textOf(report)) as typeof report;
  expect(written.command).toBe('npm run bench -- gemm --case "8x8x8 NN" --json out.json');
  expect(written.results).toEqual([{ median: 1.23457, samples: 15 }]);
  expect(written.missing).toEqual([{ reason: "no python3 here; 3 MB/s of 4" }]);
});

describe("the generation of a processor", () => {
  const cpuinfo = (vendor: string, family: number, model: number): string =>
    `processor\t: 0\nvendor_id\t: ${vendor}\ncpu family\t: ${family}\nmodel\t\t: ${model}\nmodel name\t: some\n`;
  test.each([
    ["AuthenticAMD", 0x17, 0x01, "Zen"],
    ["AuthenticAMD", 0x17, 0x31, "Zen 2"],
    ["AuthenticAMD", 0x19, 0x01, "Zen 3"],
    ["AuthenticAMD", 0x19, 0x21, "Zen 3"],
    ["AuthenticAMD", 0x19, 0x11, "Zen 4"],
    ["AuthenticAMD", 0x19, 0xa0, "Zen 4"],
    ["AuthenticAMD", 0x1a, 0x02, "Zen 5"],
    ["GenuineIntel", 6, 0x6a, "Xeon, Ice Lake"],
    ["GenuineIntel", 6, 0x8f, "Xeon, Sapphire Rapids"],
    ["GenuineIntel", 6, 0xff, "family 6, model 255"],
    ["Somebody", 1, 2, "family 1, model 2"],
  ])("%s, family %i, model %i", (vendor, family, model, expected) =>
    expect(generationIn(cpuinfo(vendor, family, model))).toBe(expected),
  );
  test("what has no such numbers", () => expect(generationIn("processor : 0\nFeatures : asimd\n")).toBe("unknown"));
});
