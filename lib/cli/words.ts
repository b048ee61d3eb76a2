/** Sentences of the library in the words of the command line. */
export const inFlags = (message: string): string =>
  message
    .replaceAll(/allow: \["(\w+)"\]/g, "--allow $1")
    .replaceAll(/\b(resume|fresh): true/g, "--$1")
    .replaceAll(/\bworkers: (\d+)/g, "--workers $1");
