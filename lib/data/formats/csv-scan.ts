/** Finds the fields of a CSV file, bytes between delimiters, line ends or quotes, and reads their text. */
import { refuse, type Source } from "../../core/source.js";

/** Takes a field: its column, and the range of its bytes; of a quoted one, what is between the quotes. */
export type Visit = (column: number, from: number, to: number) => void;

export interface Visitor {
  field: Visit;
  /** Called after the last field of each row. */
  row(fields: number, line: number): void;
}

/** Throws an error that describes why the line is not CSV. */
export type Refuse = (fact: string, line: number) => never;

const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** A scanner of the rows of a file. */
export class Scanner {
  private readonly bytes: Uint8Array;
  private readonly delimiter: number;
  private readonly refuse: Refuse;
  /** The position of the next row. */
  at: number;
  /** The number of the next row's first line, from 1. */
  line: number;

  constructor(bytes: Uint8Array, delimiter: number, at: number, line: number, refuse: Refuse) {
    this.bytes = bytes;
    this.delimiter = delimiter;
    this.refuse = refuse;
    this.at = at;
    this.line = line;
  }

  /** Visits whole rows from the current position to `until` or a little further; empty lines are no rows. */
  scan(until: number, visitor: Visitor): void {
    const { bytes, delimiter } = this;
    const end = bytes.length;
    const stop = Math.min(until, end);
    let at = this.at;
    while (at < stop) {
      const line = this.line++;
      if (bytes[at] === lineFeed || (bytes[at] === carriageReturn && bytes[at + 1] === lineFeed)) {
        at += bytes[at] === lineFeed ? 1 : 2;
        continue;
      }
      let column = 0;
      for (;;) {
        if (bytes[at] === quote) {
          const close = this.endOfQuoted(at + 1, line);
          visitor.field(column++, at + 1, close);
          at = close + 1;
          if (bytes[at] === carriageReturn && bytes[at + 1] === lineFeed) at++;
          if (at < end && bytes[at] !== delimiter && bytes[at] !== lineFeed)
            this.refuse("text follows a quoted field", this.line - 1);
        } else {
          const from = at;
          while (at < end && bytes[at] !== delimiter && bytes[at] !== lineFeed) at++;
          const cut = bytes[at - 1] === carriageReturn && at > from && (at === end || bytes[at] === lineFeed) ? 1 : 0;
          visitor.field(column++, from, at - cut);
        }
        if (at >= end || bytes[at] === lineFeed) break;
        at++;
      }
      at++;
      visitor.row(column, line);
    }
    this.at = Math.min(at, end);
  }

  /** The position of the quote that ends a field; two quotes stand for one. */
  private endOfQuoted(from: number, line: number): number {
    const { bytes } = this;
    for (let at = from; at < bytes.length; at++) {
      if (bytes[at] === lineFeed) this.line++;
      else if (bytes[at] === quote) {
        if (bytes[at + 1] !== quote) return at;
        at++;
      }
    }
    return this.refuse("a quote is opened and never closed", line);
  }
}

/** Reads the text between two positions; in a quoted field two quotes stand for one. */
export function textOf(bytes: Buffer, source: Source): (from: number, to: number) => string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return (from, to) => {
    // Short ASCII, the usual case, needs no decoder.
    let ascii = to - from <= 32;
    let quotes = false;
    for (let i = from; i < to && (ascii || !quotes); i++) {
      const byte = bytes[i]!;
      if (byte >= 0x80) ascii = false;
      if (byte === 0x22) quotes = true;
    }
    let text: string;
    if (ascii) text = bytes.toString("latin1", from, to);
    else
      try {
        text = decoder.decode(bytes.subarray(from, to));
      } catch {
        return refuse(source, "the text is not UTF-8", undefined, `byte ${from}`);
      }
    return quotes && bytes[from - 1] === 0x22 ? text.replaceAll('""', '"') : text;
  };
}
