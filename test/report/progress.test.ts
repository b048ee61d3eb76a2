import { setTimeout as wait } from "node:timers/promises";
import type { WriteStream } from "node:tty";
import { Progress } from "nabla/internal";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { end, evaluate, start, step, warning } from "./events.js";

beforeEach(() => {
  vi.stubEnv("CI", undefined);
  vi.stubEnv("TERM", "xterm");
});
afterEach(() => vi.unstubAllEnvs());

interface Screen {
  readonly stream: WriteStream;
  text: string;
}
function screen({ isTTY = true, columns = 100, colors = false } = {}): Screen {
  const made: { stream: unknown; text: string } = { stream: undefined, text: "" };
  made.stream = {
    isTTY,
    columns,
    hasColors: () => colors,
    write: (text: string) => {
      made.text += text;
      return true;
    },
  };
  return made as Screen;
}
const ofColors = new RegExp(`${"\u001b"}\\[\\d+m`, "g");
/** What a terminal shows after these characters: lines, of which each \r begins the last anew. */
function shown(text: string): string[] {
  return text.split("\n").map((line) => line.split("\r\u001b[K").at(-1)!.replaceAll(ofColors, ""));
}
const frames = 150;

describe("in a terminal", () => {
  test("one line shows where the run stands, and fits", async () => {
    for (const columns of [0, 1, 2, 20, 40, 80, 200]) {
      const seen = screen({ columns });
      const progress = new Progress({ stream: seen.stream, every: 10_000, quiet: false });
      progress.observe(start());
      for (let i = 1; i <= 250; i++) progress.observe(step(i, { gradNorm: 1.5 }));
      await wait(frames);
      const line = shown(seen.text).at(-1)!;
      expect(line.length).toBeLessThan(columns || 80);
      if (columns === 0 || columns > 10) expect(line).toContain("25 %");
      if (columns === 200)
        expect(line).toMatch(
          /^━{6}─{18} {2}25 % {2}loss 0\.004000 {2}3:08 left {2}step 250\/1,000 {2}epoch 2 {2}128\.0 rows\/s {2}\|grad\| 1\.500 {2}\d+\.?\d* MB$/,
        );
      await progress.close();
      expect(shown(seen.text).at(-1)).toBe("");
    }
  });

  test("a pause does not move the time that is left", async () => {
    const seen = screen();
    const progress = new Progress({ stream: seen.stream, every: 10_000, quiet: false });
    progress.observe(start());
    for (let i = 1; i <= 100; i++) progress.observe(step(i, { seconds: i % 10 === 0 ? 60 : 1 }));
    await wait(frames);
    expect(shown(seen.text).at(-1)).toContain("15:00 left");
    await progress.close();
  });

  test("evaluations are rows of a table above it, and others may write", async () => {
    const seen = screen();
    const progress = new Progress({ stream: seen.stream, every: 10_000, quiet: false });
    progress.observe(start());
    progress.observe(step(10));
    await wait(frames);
    progress.observe(evaluate(10, { "test.loss": 0.5, "test.accuracy": 0.875 }, true));
    progress.observe(evaluate(20, { "test.loss": 0.25, "test.accuracy": 0.9 }));
    seen.stream.write("a sample\n");
    progress.observe(warning("the disk is full"));
    progress.observe(step(20));
    await wait(frames);
    expect(shown(seen.text)).toEqual([
      "runs/a: 1,234,567 parameters, 1,000 steps",
      "     step      epoch  test.loss  test.accuracy",
      "       10          1     0.5000         0.8750  best",
      "       20          1     0.2500         0.9000",
      "a sample",
      "warning: the disk is full",
      expect.stringMatching(/^─{24} {2}2 % {2}loss 0\.05000/),
    ]);
    progress.observe(end(20, { reason: "signal", checkpoint: "runs/a/checkpoints/x" }));
    await progress.close();
    expect(shown(seen.text).at(-2)).toMatch(
      /^interrupted at step 20 after 0:0\d; last checkpoint runs\/a\/checkpoints\/x$/,
    );
  });

  test("a text without its end of line stays: the line waits", async () => {
    const seen = screen();
    const progress = new Progress({ stream: seen.stream, every: 10_000, quiet: false });
    progress.observe(step(1));
    await wait(frames);
    seen.stream.write("half ");
    progress.observe(step(2));
    await wait(frames);
    expect(shown(seen.text).at(-1)).toBe("half ");
    seen.stream.write("a line\n");
    progress.observe(step(3));
    await wait(frames);
    expect(shown(seen.text).slice(-2)).toEqual(["half a line", expect.stringContaining("loss 0.3333")]);
    const { write } = process.stdout;
    await progress.close();
    expect(process.stdout.write).not.toBe(write);
  });

  test("colors only where the terminal has them", async () => {
    for (const colors of [true, false]) {
      const seen = screen({ colors });
      const progress = new Progress({ stream: seen.stream, every: 10_000, quiet: false });
      progress.observe(start());
      progress.observe(step(500));
      progress.observe(warning("x"));
      await wait(frames);
      await progress.close();
      expect(seen.text.match(ofColors) !== null).toBe(colors);
    }
  });

  test("a loss that is not finite, and a run of unknown length", async () => {
    const seen = screen();
    const progress = new Progress({ stream: seen.stream, every: 10_000, quiet: false });
    progress.observe(start({ steps: null, run: null }));
    progress.observe(step(3, { loss: Number.NaN }));
    await wait(frames);
    expect(shown(seen.text)).toEqual([
      "nothing is written: 1,234,567 parameters",
      expect.stringMatching(/^loss NaN {2}step 3 {2}epoch 2/),
    ]);
    await progress.close();
  });
});

describe("elsewhere", () => {
  test.each([
    ["a pipe", {}, { isTTY: false }],
    ["continuous integration", { CI: "true" }, {}],
    ["a dumb terminal", { TERM: "dumb" }, {}],
  ])("plain lines in %s", async (_, env, options) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const seen = screen({ ...options, colors: true });
    const progress = new Progress({ stream: seen.stream, every: 50, quiet: false });
    progress.observe(start({ step: 5, resumedFrom: "runs/a/checkpoints/x" }));
    progress.observe(step(10));
    await wait(130); // two intervals, of which nothing happens in the second
    progress.observe(evaluate(10, { "test.loss": 0.5 }));
    progress.observe(step(11));
    progress.observe(end(11));
    await progress.close();
    expect(seen.text).not.toMatch(/[^\P{Cc}\n]/u);
    expect(seen.text.trimEnd().split("\n")).toEqual([
      "runs/a: 1,234,567 parameters, 1,000 steps; goes on after step 5, from runs/a/checkpoints/x",
      expect.stringMatching(/^\d\d:\d\d:\d\d {2}1 % {2}loss 0\.1000 {2}4:08 left {2}step 10\/1,000/),
      "     step      epoch  test.loss",
      "       10          1     0.5000",
      expect.stringMatching(/loss 0\.09091/),
      expect.stringMatching(/^finished at step 11 after 0:0\d$/),
    ]);
  });

  test("quiet: warnings and the end", async () => {
    const seen = screen();
    const progress = new Progress({ stream: seen.stream, every: 20, quiet: true });
    progress.observe(start());
    progress.observe(step(1));
    progress.observe(evaluate(1, { "test.loss": 1 }));
    progress.observe(warning("a"));
    await wait(60);
    progress.observe(end(1));
    await progress.close();
    expect(seen.text.trimEnd().split("\n")).toEqual(["warning: a", expect.stringMatching(/^finished/)]);
  });

  test("texts of others move no cursor", async () => {
    const seen = screen({ isTTY: false });
    const progress = new Progress({ stream: seen.stream, every: 1000, quiet: false });
    progress.observe(start({ run: "a\u001b[2J" }));
    progress.observe(evaluate(1, { "test.\u202e\rx": 1 }));
    progress.observe(warning("b\nc\u0007"));
    await progress.close();
    expect(seen.text).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
    expect(seen.text).toContain("warning: b\\u{a}c\\u{7}");
  });
});
