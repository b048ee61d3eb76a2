// What the environment's variables lead to.
const { memory, numThreads, ones } = await import("../../../dist/index.js").catch((error) => {
  console.log(JSON.stringify({ error: { name: error.name, code: error.code, message: error.message } }));
  process.exit();
});
let code = null;
try {
  ones([2 ** 20 * 3]); // 12 MB
} catch (error) {
  code = error.code;
}
console.log(JSON.stringify({ threads: numThreads(), code, peak: memory().peakBytes }));
