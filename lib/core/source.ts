import { fail } from "./errors.js";

/** For error messages: the public function, and the file or bytes that it reads. */
export interface Source {
  readonly op: string;
  readonly name: string;
}

/** ERR_FORMAT for content that is not what it should be. */
export function refuse(source: Source, fact: string, expected?: string, got?: string): never {
  return fail("ERR_FORMAT", source.op, `${source.name}: ${fact}`, expected, got, { source: source.name });
}
