// Names and comments use the field's terms: what has been retired is reported with the term that stands for it. A word
// that is standard elsewhere (SIMD lanes, pooling windows, walks of a tree) is retired only where it had another meaning.
import { filesUnder, isMain, readText } from "./common.mjs";

const everywhere = /^/;
const typescript = /^(lib|test)\/.*\.(ts|mjs)$/;
const cpp = /^(native|test\/cpp)\//;
const convolution = /^(lib\/ops\/conv|native\/exec\/(conv|im2col)|native\/kernels\/im2col|test\/cpp\/images\/)/;
const backward = /^lib\/(autograd|engine)\//;

/** Where it is retired, what, and the field's term. */
const retired = [
  [everywhere, /\bpast[ _]the[ _]cache\b|\b(?:\w+_)?past_cache\b|\bleaves_cache\b/, "streaming (non-temporal) store"],
  [everywhere, /\bfetch(?:es|ed|ing)? ahead\b|\bfetch what they will\b/, "prefetch"],
  [cpp, /\b(?:fetched_row|kGemmFetches|kReadAhead|kWrittenAhead)\b/, "prefetch"],
  [everywhere, /\bturned\b(?! (?:on|off|into|to)\b)|\b(?:\w+_turned|k\w*Turned)\b/, "transposed"],
  [convolution, /\bwindows\b|\bWindows\b/, "im2col or patches"],
  [cpp, /\bWindow(?:Block|View|Run|Kernels|Table|Moves)\b|\bk(?:WindowSpill|MaxWindowRuns)\b/, "im2col"],
  [everywhere, /\b[Aa]side\b/, "residual output"],
  [typescript, /\b[Ll]anes?\b|\b\w+Lanes\b/, "batch axis, batched, or one example"],
  [typescript, /\bmode\.wide\b|\bapply(?:InPlace)?Wide\b|\bengine\/wide\b/, "float32 fallback, keepFloat32"],
  [typescript, /\breliev(?:e|es|ed|ing)\b|\bsinceWalk\b|\baddon\.walk\b/, "reclaim"],
  [/^native\/(binding|runtime)\/|^lib\/tensor\/|\.md$/, /\b(?:since_)?walk(?:s|s_|ed)?\b/, "reclaim"],
  [backward, /\bhandOn\b|\bhand(?:s|ed)? on\b/, "propagate"],
  [backward, /\barriv(?:e|es|ed|ing)\b/, "accumulate"],
  [backward, /\bdrop\(/, "release"],
  [everywhere, /\bspend(?:s|ing)Graph\b/, "freesGraph, freeingGraph"],
  [everywhere, /\bunless given\b/, '"default 0.9", not "0.9 unless given"'],
];

/** Each retired word of a text, as "file:line: what was found: write what". */
export function retiredIn(path, text) {
  const rules = retired.filter(([where]) => where.test(path));
  if (rules.length === 0) return [];
  return text.split("\n").flatMap((line, i) =>
    rules.flatMap(([, what, term]) => {
      const found = what.exec(line);
      return found === null ? [] : [`${path}:${i + 1}: ${JSON.stringify(found[0])}: write ${term}`];
    }),
  );
}

const extensions = [".ts", ".mjs", ".cc", ".h", ".def", ".py", ".sh", ".md"];
const folders = ["lib", "native", "test", "bench", "scripts", "examples", "docs"];
const pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "FEATURES.md"];
/** They name what they look for. */
const own = new Set(["scripts/check-words.mjs", "test/scripts/check-words.test.ts"]);

if (isMain(import.meta.url)) {
  const found = folders.flatMap((folder) => filesUnder(folder, extensions));
  const files = [...pages, ...found].filter((path) => !own.has(path));
  const faults = files.flatMap((path) => retiredIn(path, readText(path)));
  if (files.length < 500) faults.push(`the check of words read ${files.length} files; expected at least 500`);
  for (const fault of faults) console.error(fault);
  console.log(`words: ${files.length} files, ${retired.length} rules`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
