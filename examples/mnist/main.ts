/** Trains a multilayer perceptron on handwritten digits: what `npm start` runs. `npm start -- --help` lists its options. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NablaError } from "nabla";
import { checkDigits, loadDigits, validationSplit } from "./data.js";
import { type Config, parseConfig, usage } from "./options.js";
import { drawTraining } from "./report.js";
import { mean, type Result, train } from "./train.js";

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const count = (n: number) => n.toLocaleString("en");

async function run(config: Config): Promise<void> {
  const loaded = await loadDigits(config.data);
  checkDigits(loaded);
  const digits = config.validate ? validationSplit(loaded) : loaded;
  const { train: training, test, source } = digits;
  console.log(`${count(training.count)} digits to train on, ${count(test.count)} held out, from ${source}`);
  const results: Result[] = [];
  for (const seed of config.seeds) {
    const out = config.seeds.length === 1 ? config.out : join(config.out, `seed-${seed}`);
    console.log(`seed ${seed}: ${config.epochs} epochs, batch ${config.batch}, ${config.workers} workers`);
    const result = await train(digits, config, seed, out);
    const right = `${percent(result.accuracy)} of the held-out digits right`;
    console.log(`seed ${seed}: ${right} after ${result.seconds.toFixed(1)} s of training`);
    await drawTraining(join(out, "training.svg"), result);
    results.push(result);
  }
  if (results.length > 1) await summarize(results, config.out);
  console.log(`weights, metrics, picture and configuration are in ${config.out}`);
}

async function summarize(results: readonly Result[], out: string): Promise<void> {
  const accuracy = mean(results.map((result) => result.accuracy));
  const seeds = results.map(({ seed, accuracy, seconds }) => ({ seed, accuracy, seconds }));
  await writeFile(join(out, "summary.json"), `${JSON.stringify({ accuracy, seeds }, null, 2)}\n`);
  console.log(`mean of seeds 1 to ${results.length}: ${percent(accuracy)}`);
}

function configure(): Config | "help" | undefined {
  try {
    return parseConfig(process.argv.slice(2), new Date());
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return undefined;
  }
}

const config = configure();
if (config === undefined) process.exitCode = 2;
else if (config === "help") console.log(usage);
else {
  try {
    await run(config);
  } catch (error) {
    if (!(error instanceof NablaError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
