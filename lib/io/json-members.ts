/** Iterates over the members of a JSON object in linear time and without recursion. */

/** A member: its key, and the range of its value in the text. */
export interface Member {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/** Throws an error that describes why the text is not JSON. */
export type Refuse = (fact: string, at: number) => never;

/** A set of more names takes a second to grow. */
const mostInSet = 1_000_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

function skipSpace(text: string, at: number): number {
  let i = at;
  while (isSpace(text.charCodeAt(i))) i++;
  return i;
}

/** The end of the string that begins at the quote `at`. */
function endOfString(text: string, at: number, refuse: Refuse): number {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i + 1;
    if (code < 0x20) refuse("a control character in a string", i);
    if (code === BACKSLASH) i++;
  }
  return refuse("a string without an end", at);
}

const opens = (code: number): boolean => code === 0x5b || code === 0x7b;
const closes = (code: number): boolean => code === 0x5d || code === 0x7d;

/** The end of the value that begins at `at`. Counts brackets only; other errors are found when the value is parsed. */
function endOfValue(text: string, at: number, refuse: Refuse): number {
  let depth = 0;
  let i = at;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i, refuse);
    else if (opens(code)) {
      depth++;
      i++;
    } else if (depth === 0 && (code === 0x2c || closes(code))) return i;
    else {
      if (closes(code)) depth--;
      i++;
    }
    if (depth === 0 && (code === QUOTE || closes(code))) return i;
  }
  return refuse("a value without an end", at);
}

/** The string between two quotes. */
export function stringAt(text: string, from: number, to: number, refuse: Refuse): string {
  const slice = text.slice(from, to);
  if (!slice.includes("\\")) return slice.slice(1, -1);
  let value: string;
  try {
    value = JSON.parse(slice) as string;
  } catch (error) {
    return refuse((error as Error).message, from);
  }
  return /\p{Surrogate}/u.test(value) ? refuse("half of a surrogate pair in a string", from) : value;
}

/** The members of the object between `from` and `to`. Each key occurs once. */
export function* members(text: string, from: number, to: number, refuse: Refuse): Generator<Member, void> {
  let newest = new Set<string>();
  const seen = [newest];
  let at = skipSpace(text, from);
  if (text[at] !== "{") refuse("not an object", at);
  at = skipSpace(text, at + 1);
  if (text[at] === "}") at++;
  else
    for (;;) {
      if (text[at] !== '"') refuse("a key was expected", at);
      const end = endOfString(text, at, refuse);
      const key = stringAt(text, at, end, refuse);
      if (seen.some((keys) => keys.has(key))) refuse(`the name ${JSON.stringify(shortened(key))} occurs twice`, at);
      if (newest.size === mostInSet) {
        newest = new Set();
        seen.push(newest);
      }
      newest.add(key);
      at = skipSpace(text, end);
      if (text[at] !== ":") refuse("a colon was expected", at);
      at = skipSpace(text, at + 1);
      const stop = endOfValue(text, at, refuse);
      yield { key, from: at, to: stop };
      at = skipSpace(text, stop);
      const next = text[at];
      at++;
      if (next === "}") break;
      if (next !== ",") refuse("a comma was expected", at - 1);
      at = skipSpace(text, at);
    }
  if (skipSpace(text, at) < to) refuse("something follows the object", at);
}

/** A name, shortened for a message. */
export const shortened = (name: string): string => (name.length > 60 ? `${name.slice(0, 60)}…` : name);
