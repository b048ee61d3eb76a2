/** Starts the work and gives what comes of it. */
export type Task<T> = () => Promise<T>;

const ignore = (): void => undefined;

/**
 * The results of tasks in their order. While one is used, up to `ahead` more are computed or wait to be used; nothing
 * further is started.
 */
export async function* inOrder<T>(tasks: Iterator<Task<T>>, ahead: number): AsyncGenerator<T, void, void> {
  const running: Promise<T>[] = [];
  let left = true;
  const fill = (): void => {
    while (left && running.length <= ahead) {
      const { done, value } = tasks.next();
      if (done === true) left = false;
      else {
        const result = value();
        result.catch(ignore); // is thrown when its turn comes, if it comes
        running.push(result);
      }
    }
  };
  for (fill(); running.length > 0; fill()) yield await running.shift()!;
}
