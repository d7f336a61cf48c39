/** Where things are, whether the program runs from source or from the built bundle. */

/** URL of a worker's module. */
export function workerUrl(source: string): string {
  return new URL(`../${source}`, import.meta.url).href;
}
