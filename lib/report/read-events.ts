import { createReadStream } from "node:fs";
import { fail } from "../core/errors.js";
import { eventOf, type TimedEvent } from "./event-lines.js";

/** A longer line is no event. */
const longest = 2 ** 24;

/** The lines of a text file, without their ends; the last one also where it has none. */
async function* linesOf(op: string, path: string): AsyncGenerator<string> {
  let rest = "";
  for await (const part of createReadStream(path, { encoding: "utf8", highWaterMark: 2 ** 20 })) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    if (rest.length > longest) fail("ERR_FORMAT", op, `${path} has a line of more than 16 MB`, "lines of JSON");
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/**
 * The events in the metrics file of a run. A last line that is not whole is dropped: the process was killed as it wrote.
 * @throws ERR_FORMAT for any other line that is no event; Node's own errors of the file system.
 */
export async function* readEvents(op: string, path: string): AsyncGenerator<TimedEvent> {
  let number = 0;
  let bad: number | null = null;
  for await (const line of linesOf(op, path)) {
    number++;
    if (bad !== null) fail("ERR_FORMAT", op, `line ${bad} of ${path} is no event of a run`);
    const event = eventOf(line);
    if (event === null) bad = number;
    else yield event;
  }
}
