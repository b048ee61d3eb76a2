import { readdir } from "node:fs/promises";
import { fail } from "../../core/errors.js";

/** The names in a folder; ERR_ARGUMENT if there is none. */
export async function list(op: string, folder: string, expected: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    const got = code === "ENOENT" ? "no such directory" : "a file";
    return fail("ERR_ARGUMENT", op, `${folder}: cannot be read`, expected, got, { dir: folder });
  }
}
