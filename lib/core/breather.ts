/** Yields to the event loop if this thread has been busy for some milliseconds. */
export function breather(milliseconds = 20): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < milliseconds) return;
    await new Promise(setImmediate);
    since = performance.now();
  };
}
