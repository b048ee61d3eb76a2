/** Finding, loading and checking of job modules. */
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { foreignKind, packageRoot } from "../core/copy.js";
import { describe, fail, NablaError } from "../core/errors.js";
import { Module } from "../nn/module.js";
import { isJob, type Job } from "./job.js";

const parallel = "DataParallel";
const require = createRequire(import.meta.url);

/** The URL of a job module as a string; ERR_ARGUMENT for a model or function, which cannot be sent to a thread. */
export function needJobUrl(url: unknown): string {
  // A URL may come from another realm.
  const href = typeof url === "object" && url !== null ? (url as { readonly href?: unknown }).href : url;
  if (typeof href === "string" && href.startsWith("file:")) return href;
  return fail(
    "ERR_ARGUMENT",
    parallel,
    url instanceof Module || typeof url === "function" ? "a model cannot cross a thread" : "not a job module's URL",
    'await DataParallel.load(new URL("./job.js", import.meta.url)), where job.js says export default defineJob({ model, loss })',
    typeof href === "string" ? describe(href) : describe(url),
  );
}

/** The job exported by a module; a CommonJS module may be the job itself, or, if compiled, have it one level deeper. */
function jobOf(op: string, module: unknown, url: string): Job {
  const inner = (from: unknown): unknown => (from as { default?: unknown } | null | undefined)?.default;
  const found = inner(module);
  for (const candidate of [found, inner(found), module]) if (isJob(candidate)) return candidate;
  return fail(
    "ERR_ARGUMENT",
    op,
    `${url} is not a job module`,
    "export default defineJob({ model, loss })",
    describe(found),
  );
}

/** ERR_ARGUMENT with the reason why a module did not load. */
function failToLoad(op: string, url: string, error: unknown, where = "", what = "job"): never {
  const { code, name, message = String(error) } = (error ?? {}) as { code?: string; name?: string; message?: string };
  const missing = code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND";
  const why = missing || name === undefined ? message.split("\n")[0] : `${name}: ${message}`;
  const stripsTypes = Boolean((process.features as { readonly typescript?: unknown }).typescript);
  const hint =
    /\.[cm]?tsx?$/.test(url) && !stripsTypes && !missing
      ? "; TypeScript needs Node 22.18 or later, the package jiti beside the job, or to be compiled"
      : "";
  const wrapped = new NablaError(
    "ERR_ARGUMENT",
    op,
    `${op}: the ${what} module ${url} cannot be loaded${where}: ${why}${hint}`,
    { url },
  );
  throw Object.defineProperty(wrapped, "cause", { value: error, configurable: true, writable: true });
}

/** Loads a job module by `import`, with the program's loaders. */
export async function importJob(url: string, where?: string, op = parallel): Promise<Job> {
  return jobOf(op, await importModule(op, url, where), url);
}

/** Loads a module by `import`, with the program's loaders. */
export async function importModule(op: string, url: string, where?: string, what?: string): Promise<unknown> {
  try {
    return (await import(url)) as unknown;
  } catch (error) {
    const loaded =
      viaHooks(url, error) ?? (await viaJiti(url, error).catch((its) => failToLoad(op, url, its, where, what)));
    return loaded ?? failToLoad(op, url, error, where, what);
  }
}

const hasNoLoader = (error: unknown): boolean =>
  (error as { readonly code?: unknown } | null)?.code === "ERR_UNKNOWN_FILE_EXTENSION";

/** If `import` has no loader for the file, tries `require`, for which ts-node and others install hooks in CommonJS. */
function viaHooks(url: string, error: unknown): unknown {
  if (!hasNoLoader(error)) return undefined;
  try {
    return require(fileURLToPath(url));
  } catch {
    return undefined;
  }
}

interface Jiti {
  createJiti(url: string): { import(path: string): Promise<unknown> };
}

/** If Node cannot read TypeScript, loads it by the package jiti, where the job's project has it. */
async function viaJiti(url: string, error: unknown): Promise<unknown> {
  if (!hasNoLoader(error)) return undefined;
  let path: string;
  try {
    path = createRequire(url).resolve("jiti");
  } catch {
    return undefined;
  }
  const { createJiti } = (await import(pathToFileURL(path).href)) as Jiti;
  return createJiti(url).import(fileURLToPath(url));
}

/**
 * Loads a job module synchronously. Loaders and test runners may give it another copy of nabla; {@link needModel}
 * checks that.
 */
export function requireJob(url: string): Job {
  let loaded: unknown;
  try {
    loaded = require(fileURLToPath(url));
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ERR_REQUIRE_ESM" || code === "ERR_REQUIRE_ASYNC_MODULE")
      fail(
        "ERR_ARGUMENT",
        parallel,
        `${url} cannot be loaded synchronously`,
        "await DataParallel.load(url, options), or a module without top-level await",
        `${code} in Node ${process.version}`,
      );
    // For test runners whose `require` treats an ES module as a script.
    const { name, message } = error as { name?: string; message?: string };
    const asScript = name === "SyntaxError" && /outside a module|token 'export'/.test(String(message));
    failToLoad(
      parallel,
      url,
      error,
      asScript ? " synchronously (await DataParallel.load(url, options) imports it)" : "",
    );
  }
  return jobOf(parallel, loaded, url);
}

/** The model that the job made; ERR_ARGUMENT unless it is a module of this copy of nabla with parameters. */
export function needModel(model: unknown, required = false, op = parallel): Module {
  if (!(model instanceof Module)) {
    if (foreignKind(model) === undefined)
      return fail("ERR_ARGUMENT", op, "the job's model is no Module", "an nn.Module", describe(model));
    const way = required
      ? "; await DataParallel.load(url, options) imports the job, as this program imports nabla"
      : "";
    return fail(
      "ERR_ARGUMENT",
      op,
      "the job has loaded another copy of nabla than this program",
      `a model of the copy in ${packageRoot()}${way}`,
      describe(model),
    );
  }
  if (model.parameters().length === 0) fail("ERR_ARGUMENT", op, "the model has no parameters");
  return model;
}
