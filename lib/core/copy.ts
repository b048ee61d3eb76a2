/** Which copy of nabla an object belongs to: a program may load several copies, each with its own classes. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's own folder: the nearest one above this file that holds package.json. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** What each copy of nabla, in every version, stores on the prototypes of its classes. */
interface Brand {
  readonly kind: string;
  readonly path: string;
  readonly version: string;
}

const key = Symbol.for("nabla.copy");
const own = new WeakSet<object>();

/** The version of this copy of the package. */
export function ownVersion(): string {
  known ??= String(
    (JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version?: unknown }).version,
  );
  return known;
}
let known: string | undefined;

/** @internal Marks the instances of a class as this copy's; `kind` is the same in every version. */
export function brand(
  kind: "Tensor" | "Module" | "other",
  type: { readonly prototype: object; readonly name: string },
): void {
  // esbuild renames a class that refers to itself by name to _Name.
  Object.defineProperty(type, "name", { value: type.name.replace(/^_/, ""), configurable: true });
  const value: Brand = {
    kind,
    get path() {
      return packageRoot();
    },
    get version() {
      return ownVersion();
    },
  };
  own.add(value);
  Object.defineProperty(type.prototype, key, { value });
}

/** The brand of an object that belongs to another copy of nabla. */
function foreignBrand(value: unknown): Brand | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found = (value as { readonly [key]?: unknown })[key];
  if (typeof found !== "object" || found === null || own.has(found)) return undefined;
  const { kind, path, version } = found as { readonly [name in keyof Brand]?: unknown };
  if (typeof kind !== "string" || typeof path !== "string" || typeof version !== "string") return undefined;
  return { kind, path, version };
}

/** The kind of an object of another copy of nabla; undefined for all other values. */
export const foreignKind = (value: unknown): string | undefined => foreignBrand(value)?.kind;

/** `another copy of nabla (path, version)` for an object of another copy; undefined for all other values. */
export function describeCopy(value: unknown): string | undefined {
  const found = foreignBrand(value);
  if (found === undefined) return undefined;
  const twice = found.path === packageRoot() ? "; the same files, loaded twice" : "";
  return `another copy of nabla (${found.path}, ${found.version}${twice})`;
}
