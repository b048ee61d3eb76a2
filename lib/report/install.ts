/** Makes every run with a folder write its metrics and its report; both are loaded when the first run begins. */
import { watch } from "../train/watch.js";

watch.by = {
  async callbacks(folder, warn) {
    const { metricsFileIn } = await import("./metrics-file.js");
    return [metricsFileIn(folder, warn)];
  },
  async end(op, folder, failure) {
    const { writeReport } = await import("./html/report.js");
    await writeReport(op, folder, { failure });
  },
};
