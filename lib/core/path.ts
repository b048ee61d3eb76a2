import { fileURLToPath } from "node:url";
import { describe, fail } from "./errors.js";

/**
 * A file's path, or its `file:` URL. An object with such an `href` counts as a URL, so that URLs of other realms work.
 */
export type FilePath = string | { readonly href: string };

/** The path of a file. ERR_ARGUMENT for what is neither a path nor a `file:` URL. */
export function pathOf(op: string, path: FilePath): string {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return path;
  const href: unknown = typeof path === "object" && path !== null ? path.href : undefined;
  try {
    if (typeof href === "string") return fileURLToPath(href);
  } catch {
    // Refused below.
  }
  return fail("ERR_ARGUMENT", op, "the path is not valid", "a path or a file: URL", describe(href ?? path));
}
