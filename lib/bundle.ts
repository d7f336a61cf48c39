/** Paths of the program's files, whether it runs from source or from the built bundle. */

/** True in the bundle, where all modules are one file. */
const isBundled = !import.meta.url.endsWith("/lib/bundle.ts");

/**
 * URL of a worker's module.
 *
 * From source it is the module itself. `scripts/server.ts` finds the calls of this function in all that the program
 * imports, and bundles each worker next to `main.js`, under the name `workerName` gives it. So: one literal argument.
 *
 * @param source Path below the project's folder, such as `ffi/worker.ts`.
 * @example
 * ```ts
 * new Worker(workerUrl("ffi/worker.ts"), { type: "module" });
 * ```
 */
export function workerUrl(source: string): string {
  return new URL(isBundled ? `./${workerName(source)}` : `../${source}`, import.meta.url).href;
}

/**
 * URL of a file that `scripts/build.ts` puts into the bundle. From source it is that of the last build, if there was one.
 *
 * @param path Path in the bundle, such as `guest/agent.gz`.
 */
export function bundledFile(path: string): URL {
  return new URL(isBundled ? `./${path}` : `../dist/bundle/${path}`, import.meta.url);
}

/**
 * URL of a file of the project that `scripts/build.ts` copies into the bundle.
 *
 * @param path Path below the project's folder, such as `docs/cli.md`.
 */
export function copiedFile(path: string): URL {
  return new URL(isBundled ? `./${path}` : `../${path}`, import.meta.url);
}

/** Folder of the translations: of JSON files, one a language in the bundle, and from source a folder a language. */
export function localesFolder(): string {
  return new URL(isBundled ? "./locales" : "./i18n", import.meta.url).pathname;
}

/** Name of a worker's file in the bundle: `ffi/worker.ts` is `ffi-worker.js`. */
export function workerName(source: string): string {
  return source.replaceAll("/", "-").replace(/\.ts$/, ".js");
}
