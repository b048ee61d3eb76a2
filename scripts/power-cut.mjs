// What a disk may hold after a power cut: what was not synced is lost, or not, in any combination.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";

const fileOf = (text) => /^\d+\s+\w+\(\d+<([^>]*)>/.exec(text)?.[1];

/**
 * Replays the system calls of a log of strace, and after each looks at every state in which the disk may be: the file is
 * always whole, once its folder was synced for the first time. Returns the number of states.
 */
export function afterPowerCut(log, path) {
  const folder = dirname(path);
  const lines = readFileSync(log, "utf8").split("\n");
  const written = new Set(); // temporary files with bytes that are not synced
  let durable = null; // what the name stands for on the disk: null, or whether the file is whole
  let renames = []; // those that the folder's sync has not confirmed
  let states = 0;
  let renamed = 0;
  for (const line of lines) {
    const file = fileOf(line);
    if (!/ = -1 /.test(line) && file !== undefined && dirname(file) === folder) {
      if (/ pwrite64\(/.test(line)) written.add(file);
      if (/ fsync\(/.test(line)) written.delete(file);
    }
    const [, from, to] = /rename\("([^"]*)", "([^"]*)"\)\s+= 0/.exec(line) ?? [];
    if (to === path) {
      renames.push(!written.has(from));
      renamed++;
    }
    if (file === folder && / fsync\(/.test(line)) {
      durable = renames.at(-1) ?? durable;
      renames = [];
    }
    for (const state of [durable, ...renames]) {
      states++;
      if (state === false) throw new Error(`a power cut after this call leaves half a file: ${line}`);
    }
    if (/ unlink\("/.test(line) && line.includes(`"${path}"`)) throw new Error(`the file itself is deleted: ${line}`);
  }
  if (renamed === 0 || durable !== true || renames.length > 0)
    throw new Error(`${renamed} renames, of which the folder's sync has not confirmed the last`);
  return states;
}
