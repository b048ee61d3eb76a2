/** The documentation's code as data: `@example` tags of lib/, ```ts blocks and the table of README.md. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..", "..");

/** Some documented code: where it stands, what it documents, its lines. */
export interface Example {
  readonly where: string;
  readonly name: string;
  readonly code: string;
}

/** A doc comment: its line, its words without the stars, the line of code that follows. */
interface DocComment {
  readonly line: number;
  readonly words: string;
  readonly code: string;
}

const lineOf = (text: string, index: number): number => text.slice(0, index).split("\n").length;

export function docComments(text: string): DocComment[] {
  return [...text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*([^\n]*)/g)].map((match) => ({
    line: lineOf(text, match.index),
    words: match[1]!.replaceAll(/^[ \t]*\*? ?/gm, ""),
    code: match[2]!,
  }));
}

const modifiers = /^(?:(?:export|declare|abstract|async|static|override|readonly|const|function|class|get)\s+)*/;
export const nameOf = (code: string): string => /^\w*/.exec(code.replace(modifiers, ""))![0];

/** What follows each `@example` up to the next tag. */
export const examplesOf = (words: string): string[] =>
  words
    .split(/^@(?=[a-z]+\b)/m)
    .filter((part) => /^example\b/.test(part))
    .map((part) => part.slice("example".length).trim());

export const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .sort();

export const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Every `@example` of a folder. */
export const docExamples = (folder: string): Example[] =>
  sources(folder).flatMap((file) =>
    docComments(read(file)).flatMap(({ line, words, code: documented }) =>
      examplesOf(words).map((code) => ({ where: `${file}:${line}`, name: nameOf(documented), code })),
    ),
  );

/** Every ```ts block of a page; `// file.ts` in its first line is its name. */
export const codeBlocks = (page: string): Example[] => {
  const text = read(page);
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => ({
    where: `${page}:${lineOf(text, match.index)}`,
    name: /^\/\/ (\S+)\.ts\n/.exec(match[1]!)?.[1] ?? "",
    code: match[1]!,
  }));
};

/** The right column of a page's table headed `left | right`, as expressions, each run after the code of the sentence before the table. */
export function tableCells(page: string, header: RegExp): Example[] {
  const text = read(page);
  const start = header.exec(text)!.index;
  const [sentence] = text.slice(0, start).trimEnd().split("\n").slice(-1);
  const setup = [...sentence!.matchAll(/`([^`]+)`/g)].map(([, code]) => `const ${code};\n`).join("");
  const rows = text.slice(start).split("\n\n", 1)[0]!.split("\n").slice(2);
  return rows.map((row, i) => {
    const cell = /`([^`]*)` \|$/.exec(row)![1]!;
    return { where: `${page}:${lineOf(text, start) + 2 + i}`, name: cell, code: `${setup}[${cell}];` };
  });
}
