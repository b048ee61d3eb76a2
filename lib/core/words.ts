/** Numbers and texts as people read them: in tables, in a terminal, in logs. */

export const grouped = (count: number): string => count.toLocaleString("en-US");

/** A value in four digits: 0.3412, 1.5e-7, 12346. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9))
    return value
      .toExponential(3)
      .replace(/\.?0+e/, "e")
      .replace("e+", "e");
  return size >= 1000 ? String(Math.round(value)) : value.toPrecision(4);
}

/** Seconds as 0:42, 1:02:03 or 3 d 4:05:06. */
export function duration(exact: number): string {
  const seconds = Math.max(0, Math.round(exact));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const clock = hours + days > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  return days > 0 ? `${days} d ${clock}` : clock;
}

const units = ["B", "KB", "MB", "GB", "TB"];

/** Bytes in the largest unit that fits, with four digits: 312.4 MB. */
export function byteText(bytes: number): string {
  const unit = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return `${Number((bytes / 1024 ** unit).toPrecision(4))} ${units[unit]}`;
}

/** Aligned columns; those of numbers to the right. */
export function table(rows: readonly (readonly string[])[], isNumeric: (column: number) => boolean): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number): string =>
    isNumeric(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
  return rows.map((row) => row.map(pad).join("  ").trimEnd());
}

/** A text of somebody else's on one line: what would move the cursor or turn the direction of writing is escaped. */
export const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);

/** A text of at most so many characters, whose end shows where it was cut. */
export const shortened = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;
